import { parseCrop } from "./crop.ts";
import { MAX_PIXELS } from "./decode.ts";
import { chosenEmoji, openEmoji } from "./emoji_classes.ts";
import { checkEmoji, EMOJI, fetchEmoji } from "./emoji.ts";
import { CHANNELS, type Channels } from "./image.ts";
import { DataError } from "./errors.ts";
import { type Known, Memory } from "./known.ts";
import { openUnlisted } from "./open.ts";
import { type Dataset, type Packed, packHash, packPath, PackWriter, readPack } from "./pack.ts";
import { type Preparation, release } from "./prepare.ts";
import { noneUsable, prepareAll } from "./prepare_all.ts";
import type { Resize } from "./resample.ts";
import { withClasses } from "./classes.ts";
import { contentOf, type Source } from "./source.ts";

/** Which images are opened, and what is made of them. */
export interface DatasetOptions {
  /** A folder, looked through to its last corner, or a zip; by default the built-in emoji. */
  data?: string;
  /** Names of the classes that are used, with commas between them; all by default. */
  classes?: string;
  /** Side of the result in pixels. */
  resolution: number;
  /** `WxH+X+Y`, `none` (squash the whole), or `center`, the centre square, which is the default. */
  crop?: string;
  /** `area` by default. */
  resize?: Resize;
  /** What a pixel has: `gray`, `rgb`, which is the default, or `rgba`, with alpha. */
  channels?: Channels;
  /** Folder of packed data sets; where the folder that holds it, that of runs, lies in `data`, it is left out. */
  cache: string;
  /** Width times height above which an image is left out; 100 million, or `GAN_MAX_PIXELS`. */
  maxPixels?: number;
  /** Stops the work. */
  signal?: AbortSignal;
  /** Called now and then while images are decoded. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * What is made of each image, with the defaults filled in.
 *
 * @param options Which options were given.
 * @param resolution Side of the result in pixels.
 * @returns The preparation.
 * @throws {RangeError} If the crop or the variable `GAN_MAX_PIXELS` is malformed.
 */
export function preparation(
  { crop = "center", resize = "area", channels = "rgb", maxPixels }: Partial<DatasetOptions>,
  resolution: number,
): Preparation {
  const variable = Deno.env.get("GAN_MAX_PIXELS");
  if (maxPixels === undefined && variable !== undefined && !/^[1-9]\d*$/.test(variable)) {
    throw new RangeError(`GAN_MAX_PIXELS: got "${variable}", expected a whole number of pixels`);
  }
  maxPixels ??= variable === undefined ? MAX_PIXELS : Number(variable);
  // Color is not named: packs of earlier versions have the same hash.
  const named = channels === "rgb" ? {} : { channels };
  return { resolution, crop: parseCrop(crop), resize, maxPixels, ...named };
}

/** What to say where there is no image. */
export function noImage(data: string, { notes = [] }: Source): DataError {
  const others = notes.length > 0 ? ` (${notes.join("; ")})` : "";
  return new DataError(
    `data: ${data} holds no image${others}; expected files that end in .jpg, .jpeg, .png or .webp`,
  );
}

/** Makes a pack. */
async function pack(
  source: Source,
  to: Preparation,
  { path, ...about }: Pick<Packed, "name" | "hash"> & { path: string },
  options: DatasetOptions,
): Promise<void> {
  const { data = about.name, signal, onProgress } = options;
  if (source.names.length === 0) throw noImage(data, source);
  await using writer = new PackWriter(path);
  const take = (pixels: Uint8Array) => {
    writer.add(pixels);
    release(pixels);
  };
  const { notes, good, broken } = await prepareAll(source, to, take, signal, onProgress);
  const count = source.names.length - broken.length;
  if (count === 0) throw noneUsable(data, broken);
  const { resolution, channels } = to, sourceNotes = [...source.notes ?? []], { labels } = source;
  await writer.finish({
    ...{ ...about, count, resolution, broken, notes: [...sourceNotes, ...notes] },
    ...channels && { channels: CHANNELS[channels] },
    ...(labels && { labels: { ...labels, of: labels.of.filter((_, i) => good[i]) } }),
    sourceNotes,
  });
}

/**
 * The pack of a source.
 *
 * @param source Its name, and what determines its images.
 * @param options What is made of them.
 * @returns Where it is or would be, and its hash.
 * @throws {RangeError} If the crop is malformed.
 */
export async function packOf(
  source: Pick<Source, "name" | "stamps" | "digest">,
  options: DatasetOptions,
): Promise<{ path: string; hash: string; to: Preparation }> {
  const { resolution, cache } = options, to = preparation(options, resolution);
  const hash = await packHash([JSON.stringify(to), ...contentOf(source)]);
  const { channels } = to, { name } = source;
  return { path: packPath(cache, { name, resolution, hash, channels }), hash, to };
}

/** Reads the pack if it is there, and otherwise makes it. */
async function openSource(
  name: string,
  content: readonly string[],
  source: Source | (() => Promise<Source>),
  options: DatasetOptions,
): Promise<Dataset> {
  const { path, hash, to } = await packOf({ name, stamps: content }, options);
  const packed = await readPack(path, hash, options.signal);
  if (packed === undefined) {
    const opened = typeof source === "function" ? await source() : source;
    await opened.list?.();
    await pack(opened, to, { name, hash, path }, options);
    const made = await readPack(path, hash, options.signal);
    if (made === undefined) throw new DataError(`data: ${path} was changed while it was written`);
    const { sourceNotes: _, ...dataset } = made;
    return dataset;
  }
  const { sourceNotes, ...dataset } = packed;
  // A folder's are of now; what is passed over does not determine the pack.
  const isPacked = typeof source === "function" || source.digest !== undefined;
  const listedNow = isPacked ? sourceNotes : source.notes ?? [];
  return { ...dataset, name, notes: [...listedNow, ...dataset.notes.slice(sourceNotes.length)] };
}

/**
 * Opens a data set: decodes, crops and resizes every image once, and keeps the result as a pack in
 * the cache, from which the next call with the same images and options reads it.
 *
 * @param options Which images, and what is made of them.
 * @returns The data set, in the order of the images' names.
 * @throws {DataError} If the path does not exist, is no zip, or holds no usable image.
 * @throws {RangeError} If the resolution or the crop is malformed.
 */
export async function openDataset(options: DatasetOptions): Promise<Dataset> {
  const { data, resolution, cache, signal } = options;
  if (!Number.isInteger(resolution) || resolution < 1 || resolution > 4096) {
    throw new RangeError(`data: got resolution ${resolution}, expected 1 to 4096 pixels`);
  }
  preparation(options, resolution); // a malformed option is told before anything is opened
  if (data === undefined) {
    const { classes = "" } = options, content = classes ? [EMOJI, `classes ${classes}`] : [EMOJI];
    chosenEmoji(classes); // unknown ones are told before anything is fetched
    const emoji = async () => {
      const folder = await fetchEmoji(cache, signal);
      checkEmoji(folder);
      return await openEmoji(folder, classes, signal);
    };
    return await openSource("emoji", content, emoji, options);
  }
  const memory = await Memory.of(data, cache), known = memory.part(options.classes);
  const packed = known && await readKnown(known, options);
  if (packed) return packed;
  const whole = await openUnlisted(data, signal, cache);
  const source = withClasses(whole, options.classes);
  try {
    const dataset = await openSource(source.name, contentOf(source), source, options);
    await memory.keep(whole, options.classes ? undefined : dataset.labels);
    return dataset;
  } finally {
    await source.close();
  }
}

/** The pack of an archive that is remembered, if it is there. */
async function readKnown(known: Known, options: DatasetOptions): Promise<Dataset | undefined> {
  const { path, hash } = await packOf({ ...known, stamps: [] }, options);
  const packed = await readPack(path, hash, options.signal);
  if (!packed) return undefined;
  const { sourceNotes: _, ...dataset } = packed;
  return dataset;
}
