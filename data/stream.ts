import { decode } from "./decode.ts";
import { DataError } from "./errors.ts";
import { Findings } from "./findings.ts";
import { CHANNELS } from "./image.ts";
import { printable } from "./listing.ts";
import { packHash, packPath, readPack } from "./pack.ts";
import type { Dataset } from "./pack.ts";
import { withClasses } from "./classes.ts";
import { openPath } from "./open.ts";
import { type DatasetOptions, noImage, packOf, preparation } from "./dataset.ts";
import { Memory } from "./known.ts";
import { prepareInOrder } from "./prepare_all.ts";
import { contentOf, type Source } from "./source.ts";

/** Which images are opened; without a resolution each keeps the side of the first one. */
export type StreamOptions =
  & Omit<DatasetOptions, "data" | "resolution" | "onProgress">
  & {
    /** A folder or a zip. */
    data: string;
    /** Side of the result in pixels; by default the shorter side of the first image. */
    resolution?: number;
    /** Only so many of the images, spread evenly over the set; by default all. */
    most?: number;
  };

/** Images that pass by and are not kept. */
export interface ImageStream {
  /** Name of the folder or zip. */
  readonly name: string;
  /** How many are listed; broken ones will be missing. */
  readonly count: number;
  /** Side R of each in pixels. */
  readonly resolution: number;
  /** SHA-256 of content (names, sizes, dates or checksums) and options. */
  readonly hash: string;
  /** Those that were passed over so far, and why. */
  readonly broken: { name: string; reason: string }[];
  /** Lines for the user on what was passed over and what is odd, of what was read so far. */
  readonly notes: string[];
  /** All of them, `size` at a time (the last ones fewer), decoded while the caller works: `[n, R, R, C]`. */
  batches(size: number): AsyncGenerator<Uint8Array<ArrayBuffer>>;
  /** Closes what is open. */
  close(): Promise<void>;
}

/**
 * Opens images to be looked at once, in the order of their names: from the pack where training has
 * made one, else decoded on the way.
 *
 * @throws {DataError} If the path does not exist, is no zip, or holds no image.
 * @throws {RangeError} If the resolution or the crop is malformed.
 */
export async function openStream(options: StreamOptions): Promise<ImageStream> {
  const { data, cache, signal, most } = options;
  // A malformed option is told before anything is opened.
  const { maxPixels } = preparation(options, 1);
  const fromPack = await streamOfKnown(options);
  if (fromPack) return fromPack;
  const source = withClasses(await openPath(data, signal, cache), options.classes);
  try {
    await source.list?.();
    const { name, names } = source;
    const resolution = options.resolution ?? await sideOfFirst(source, data, maxPixels);
    const to = preparation(options, resolution);
    const hash = await packHash([JSON.stringify(to), ...contentOf(source)]);
    const chosen = spread(names.length, most ?? names.length), { channels } = to;
    const packed = chosen.length === names.length
      ? await readPack(packPath(cache, { name, resolution, hash, channels }), hash, signal)
      : undefined;
    const broken = packed?.broken ?? [], findings = new Findings(resolution);
    const packedNotes = packed?.notes.slice(packed.sourceNotes.length);
    return {
      name,
      count: chosen.length - (packed ? broken.length : 0),
      resolution,
      hash: chosen.length === names.length ? hash : await packHash([hash, `${chosen.length}`]),
      broken,
      get notes() {
        return [...source.notes ?? [], ...packedNotes ?? findings.notes()];
      },
      batches: (size) =>
        packed ? packedBatches(packed, size) : batchesOf(
          prepareInOrder(source, chosen, to, broken, signal, findings),
          size,
          resolution ** 2 * CHANNELS[to.channels ?? "rgb"],
        ),
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** From the pack of an archive that is remembered, which is not opened. */
async function streamOfKnown(options: StreamOptions): Promise<ImageStream | undefined> {
  const { data, cache, signal, resolution, classes, most } = options;
  if (resolution === undefined || most !== undefined) return undefined;
  const known = (await Memory.of(data, cache)).part(classes);
  if (!known) return undefined;
  const { path, hash } = await packOf({ ...known, stamps: [] }, { ...options, resolution });
  const packed = await readPack(path, hash, signal);
  if (!packed) return undefined;
  const { name, count, broken, notes } = packed;
  const batches = (size: number) => packedBatches(packed, size);
  return { name, count, resolution, hash, broken, notes, batches, close: () => Promise.resolve() };
}

async function sideOfFirst(
  source: Source,
  data: string,
  maxPixels: number | undefined,
): Promise<number> {
  if (source.names.length === 0) throw noImage(data, source);
  let reason = "";
  for (let i = 0; i < Math.min(20, source.names.length); i++) {
    try {
      const { width, height } = decode(await source.read(i), maxPixels);
      return Math.min(width, height);
    } catch (error) {
      reason ||= ` (first: ${printable(source.names[i])}: ${(error as Error).message})`;
    }
  }
  throw new DataError(
    `data: the first images in ${data} cannot be read${reason}; check the copy of the data`,
  );
}

/** `most` of the numbers below `count`, at even distances. */
function spread(count: number, most: number): number[] {
  const n = Math.min(count, most);
  return Array.from({ length: n }, (_, i) => Math.floor(i * count / n));
}

async function* packedBatches({ pixels, count }: Dataset, size: number) {
  const stride = pixels.length / count;
  for (let at = 0; at < count; at += size) {
    yield pixels.slice(at * stride, Math.min(count, at + size) * stride);
  }
}

async function* batchesOf(
  dataset: AsyncIterable<Uint8Array>,
  size: number,
  stride: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let batch = new Uint8Array(size * stride), filled = 0;
  for await (const pixels of dataset) {
    batch.set(pixels, filled * stride);
    if (++filled < size) continue;
    yield batch;
    batch = new Uint8Array(size * stride);
    filled = 0;
  }
  if (filled) yield batch.slice(0, filled * stride);
}
