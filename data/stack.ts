import type { Bytes } from "./bytes.ts";
import { exactly } from "./bytes.ts";
import type { Labels } from "./labels.ts";
import type { Listing } from "./source.ts";

/** Images whose pixels lie in a file one after another, uncompressed. */
export interface Stack {
  /** How many there are. */
  count: number;
  /** Height of each in pixels. */
  height: number;
  /** Width of each in pixels. */
  width: number;
  /** 1 for gray, 3 for red, green and blue. */
  channels: 1 | 3;
  /** Whether each channel is a plane of its own. */
  planar: boolean;
  /** Where the pixels of the first begin. */
  start: number;
  /** Bytes from one image to the next. */
  stride: number;
  /** The classes of the images. */
  labels?: Labels | undefined;
  /** Lines for the user. */
  notes?: readonly string[];
}

const header = new TextEncoder();

/** The pixels as a PGM or PPM file, which is them behind a line of text. */
function asPnm({ height, width, channels, planar }: Stack, pixels: Uint8Array): Uint8Array {
  const text = header.encode(`P${channels === 1 ? 5 : 6}\n${width} ${height}\n255\n`);
  const file = new Uint8Array(text.length + pixels.length);
  file.set(text);
  if (channels === 1 || !planar) {
    file.set(pixels, text.length);
    return file;
  }
  const plane = width * height;
  for (let i = 0, at = text.length; i < plane; i++) {
    file[at++] = pixels[i];
    file[at++] = pixels[plane + i];
    file[at++] = pixels[2 * plane + i];
  }
  return file;
}

/**
 * Lists a stack.
 *
 * @param bytes The file.
 * @param stack How the pixels lie in it.
 * @returns The images, numbered from 0.
 * @throws {Error} If the file ends before the last one.
 */
export function listStack(bytes: Bytes, stack: Stack): Listing {
  const { count, height, width, channels, start, stride, labels, notes = [] } = stack;
  const size = height * width * channels;
  const end = count === 0 ? start : start + (count - 1) * stride + size;
  if (size < 1) throw new Error(`its images have ${width} x ${height} pixels`);
  if (bytes.size !== undefined && end > bytes.size) {
    throw new Error(`it ends at byte ${bytes.size}, expected ${count} images up to byte ${end}`);
  }
  return {
    names: Array.from({ length: count }, (_, i) => `image ${i}`),
    labels,
    notes,
    read: async (i) => asPnm(stack, await exactly(bytes, start + i * stride, size)),
  };
}
