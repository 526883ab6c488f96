import { openArchive } from "./archive.ts";
import { parseCrop } from "./crop.ts";
import { EMOJI, fetchEmoji } from "./emoji.ts";
import { DataError } from "./errors.ts";
import { openFolder } from "./folder.ts";
import { packHash, packPath, type Pictures, readPack, writePack } from "./pack.ts";
import type { Preparation } from "./prepare.ts";
import { noneUsable, prepareAll } from "./prepare_all.ts";
import type { Resize } from "./resample.ts";
import type { Source } from "./source.ts";

/** Which pictures are opened, and what is made of them. */
export interface PictureOptions {
  /** A folder, looked through to its last corner, or a zip; by default the built-in emoji. */
  data?: string;
  /** Side of the result in pixels. */
  resolution: number;
  /** `WxH+X+Y`, `none` (squash the whole), or `center`, the centre square, which is the default. */
  crop?: string;
  /** `area` by default. */
  resize?: Resize;
  /** Folder of packed data sets. */
  cache: string;
  /** Stops the work. */
  signal?: AbortSignal;
  /** Called now and then while pictures are decoded. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * The pictures in a folder or a zip.
 *
 * @param path Where they are.
 * @param signal Stops the listing.
 * @throws {DataError} If there is no such path, or the file is no zip.
 */
export async function openPath(path: string, signal?: AbortSignal): Promise<Source> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new DataError(`data: ${path} does not exist; give a folder or a zip of pictures`);
  }
  if (info.isDirectory) return await openFolder(path, signal);
  if (info.isFile) return await openArchive(path);
  throw new DataError(`data: ${path} is neither a folder nor a file; give a folder or a zip`);
}

/** Reads the pack if it is there, and otherwise makes it. */
async function openSource(
  name: string,
  stamps: string[],
  source: () => Promise<Source>,
  options: PictureOptions,
): Promise<Pictures> {
  const { resolution, cache, signal } = options;
  const crop = parseCrop(options.crop ?? "center");
  const to: Preparation = { resolution, crop, resize: options.resize ?? "area" };
  const hash = await packHash([JSON.stringify(to), ...stamps]);
  const path = packPath(cache, { name, resolution, hash });
  const packed = await readPack(path, hash, signal);
  if (packed) return { ...packed, name };
  const opened = await source();
  const { pixels, broken } = await prepareAll(opened, to, signal, options.onProgress);
  const count = opened.names.length - broken.length;
  if (count === 0) throw noneUsable(options.data ?? name, broken);
  const pictures = { name, count, resolution, pixels, hash, broken };
  await writePack(path, pictures);
  return pictures;
}

/**
 * Opens a data set: decodes, crops and resizes every picture once, and keeps the result as a pack in
 * the cache, from which the next call with the same pictures and options reads it.
 *
 * @param options Which pictures, and what is made of them.
 * @returns The data set, in the order of the pictures' names.
 * @throws {DataError} If the path does not exist, is no zip, or holds no usable picture.
 * @throws {RangeError} If the resolution or the crop is malformed.
 */
export async function openPictures(options: PictureOptions): Promise<Pictures> {
  const { data, resolution, cache, signal } = options;
  if (!Number.isInteger(resolution) || resolution < 1 || resolution > 4096) {
    throw new RangeError(`data: got resolution ${resolution}, expected 1 to 4096 pixels`);
  }
  parseCrop(options.crop ?? "center");
  if (data === undefined) {
    const emoji = async () => await openFolder(await fetchEmoji(cache, signal), signal);
    return await openSource("emoji", [EMOJI], emoji, options);
  }
  const source = await openPath(data, signal);
  try {
    if (source.names.length === 0) {
      throw new DataError(
        `data: ${data} holds no picture; expected files that end in .jpg, .jpeg or .png`,
      );
    }
    return await openSource(source.name, source.stamps, () => Promise.resolve(source), options);
  } finally {
    await source.close();
  }
}
