import { type Crop, cropRectangle } from "./crop.ts";
import { decodeSamples } from "./decode.ts";
import { CHANNELS, type Channels } from "./image.ts";
import { resampled, type Resize } from "./resample.ts";

/** What is made of each image. */
export interface Preparation {
  /** Side of the result in pixels. */
  resolution: number;
  /** The part that is used. */
  crop: Crop;
  /** How it is made larger or smaller. */
  resize: Resize;
  /** What a pixel has; color if left out. */
  channels?: Channels;
  /** Width times height that is decoded; larger images are left out. */
  maxPixels?: number;
}

/** What was made of an image, and what is to be known of it. */
export interface Prepared {
  /** `[R, R, C]`. */
  pixels: Uint8Array<ArrayBuffer>;
  /** The shorter side of the part that is used. */
  side: number;
  /** The largest sample of a PNG of 16 bits. */
  peak?: number;
}

/**
 * Gives memory back at once: V8 would keep some 100 MB in every thread before it looks for garbage.
 *
 * @param bytes What is not used any more; it is empty from now on, if its memory is its own.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  const isWhole = byteLength === buffer.byteLength; // not a part of what others use
  if (isWhole) (buffer as ArrayBuffer).transfer(0);
}

/**
 * Why a crop lies outside an image.
 *
 * @param crop The crop, a rectangle.
 * @param width Width of the image in pixels.
 * @param height Its height.
 * @returns The reason.
 */
export function outside(crop: Crop, width: number, height: number): string {
  const part = crop as Exclude<Crop, string>;
  return `the crop ${part.width}x${part.height}+${part.x}+${part.y} lies outside it: ` +
    `it is ${width} x ${height}`;
}

/**
 * Decodes, crops and resizes one image.
 *
 * @param bytes The encoded image.
 * @param to What is made of it.
 * @returns Its pixels.
 * @throws {Error} If it cannot be decoded, or the crop lies outside it.
 */
export function prepare(bytes: Uint8Array, to: Preparation): Prepared {
  const { channels = "rgb" } = to;
  const { peak, ...image } = decodeSamples(bytes, to.maxPixels, channels);
  const part = cropRectangle(to.crop, image.width, image.height);
  if (!part) throw new Error(outside(to.crop, image.width, image.height));
  const pixels = resampled(image, part, to.resolution, to.resize, CHANNELS[channels]);
  release(image.data);
  const side = Math.min(part.width, part.height);
  return peak === undefined ? { pixels, side } : { pixels, side, peak };
}

/** What was made of an image, or why there is nothing. */
export type Outcome = Prepared | { reason: string };

/**
 * As {@linkcode prepare}, without throwing.
 *
 * @param bytes The encoded image.
 * @param to What is made of it.
 * @returns Its pixels, or what is wrong.
 */
export function outcomeOf(bytes: Uint8Array, to: Preparation): Outcome {
  try {
    return prepare(bytes, to);
  } catch (error) {
    return { reason: (error as Error).message };
  }
}
