import { createHash } from "node:crypto";
import { cropRectangle } from "./crop.ts";
import { upright } from "./exif.ts";
import { type ImageHeader, readHeader } from "./header.ts";
import { printable } from "./listing.ts";
import type { Broken } from "./pack.ts";
import { type Preparation, prepare } from "./prepare.ts";
import type { Source } from "./source.ts";

const SAMPLED = 64; // images that are prepared to see how they come out, and how long it takes
const DIGITS = 13; // of a hash in hexadecimal: what a number holds exactly

/** What a data set is. */
export interface Description {
  /** The container, such as `zip`. */
  container: string;
  /** Number of images, damaged ones among them. */
  count: number;
  /** How many there are of each kind. */
  kinds: Record<string, number>;
  /** How many there are of each size, upright, such as `178 x 218`. */
  sizes: Record<string, number>;
  /** How many there are with these channels, as the files say. */
  channels: Record<string, number>;
  /** How many there are in each class. */
  classes?: Record<string, number>;
  /** Images whose files are equal to an earlier one's. */
  duplicates: { name: string; of: string }[];
  /** Images that cannot be used: by their headers, or as they were decoded. */
  damaged: Broken[];
  /** What crop and resize do. */
  prepared: {
    /** Of these the crop lies outside, or they have too many pixels. */
    leftOut: number;
    /** Made larger. */
    enlarged: number;
    /** Squashed, as the part that is used is no square. */
    squashed: number;
    /** Seconds to prepare all on one core, from a sample. */
    seconds: number;
  };
  /** Pixels of the sample, `[R, R, C]` each. */
  sample: Uint8Array[];
}

/** Names for what headers say of channels. */
function channelsOf({ format, channels }: ImageHeader): string {
  if (format === "WebP") return "color or alpha (WebP)";
  if (format === "JPEG" && channels === 4) return "CMYK";
  return ["", "gray", "gray and alpha", "color", "color and alpha"][channels] ?? "unknown";
}

function count(of: Record<string, number>, key: string): void {
  of[key] = (of[key] ?? 0) + 1;
}

/** Takes note of one image; fails if it is damaged. */
function look(found: Description, bytes: Uint8Array, { crop, resolution, maxPixels }: Preparation) {
  const header = readHeader(bytes);
  const { width, height } = upright(header.orientation, header.width, header.height);
  count(found.kinds, header.format === "PNM" ? "uncompressed" : header.format);
  count(found.sizes, `${width} x ${height}`);
  count(found.channels, channelsOf(header));
  const part = cropRectangle(crop, width, height);
  if (!part || width * height > (maxPixels ?? Infinity)) found.prepared.leftOut += 1;
  else {
    if (Math.min(part.width, part.height) < resolution) found.prepared.enlarged += 1;
    if (part.width !== part.height) found.prepared.squashed += 1;
  }
}

function classesIn({ labels }: Source): Record<string, number> | undefined {
  if (!labels) return undefined;
  const counts = new Uint32Array(labels.classes.length);
  for (const number of labels.of) counts[number] += 1;
  return Object.fromEntries(labels.classes.map((name, i) => [printable(name), counts[i]]));
}

/**
 * Looks at every image of a source: reads it, but decodes only a sample, spread evenly.
 *
 * @param source The source, listed.
 * @param to What is to be made of each image.
 * @param signal Stops the work.
 * @param onProgress Told after each image how many were looked at.
 * @returns What was found.
 */
export async function describe(
  source: Source,
  to: Preparation,
  signal?: AbortSignal,
  onProgress?: (done: number, total: number) => void,
): Promise<Description> {
  const { names } = source, total = names.length, seen = new Map<number, number>();
  const classes = classesIn(source), sampled = Math.min(SAMPLED, total);
  const found: Description = {
    ...{ container: source.kind, count: total, kinds: {}, sizes: {}, channels: {} },
    ...(classes && { classes }),
    ...{ duplicates: [], damaged: [], sample: [] },
    prepared: { leftOut: 0, enlarged: 0, squashed: 0, seconds: 0 },
  };
  const times: number[] = [];
  let next = 0;
  for (let i = 0; i < total; i++) {
    signal?.throwIfAborted();
    try {
      const bytes = await source.read(i);
      const hash = createHash("sha256").update(bytes).digest("hex").slice(0, DIGITS);
      const number = parseInt(hash, 16), first = seen.get(number);
      if (first === undefined) seen.set(number, i);
      else found.duplicates.push({ name: printable(names[i]), of: printable(names[first]) });
      look(found, bytes, to);
      if (i === Math.floor(next * total / sampled)) {
        next += 1;
        const start = performance.now();
        if (cropFits(bytes, to)) found.sample.push(prepare(bytes, to).pixels);
        times.push(performance.now() - start);
      }
    } catch (error) {
      const reason = printable((error as Error).message);
      found.damaged.push({ name: printable(names[i]), reason });
    }
    while (next < sampled && Math.floor(next * total / sampled) <= i) next += 1;
    onProgress?.(i + 1, total);
  }
  // The median, as the first of each kind starts its decoder.
  const [middle = 0] = times.sort((a, b) => a - b).slice(times.length >> 1);
  found.prepared.seconds = middle * total / 1000;
  return found;
}

/** Whether it would be used, sound or not. */
function cropFits(bytes: Uint8Array, { crop, maxPixels = Infinity }: Preparation): boolean {
  const header = readHeader(bytes);
  const { width, height } = upright(header.orientation, header.width, header.height);
  return width * height <= maxPixels && cropRectangle(crop, width, height) !== undefined;
}
