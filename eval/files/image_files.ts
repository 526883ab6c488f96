/**
 * Images of a folder or a file as they are, for evaluation: chosen by a tool's rule, or all of them.
 *
 * @module
 */
import { join, resolve } from "@std/path";
import { type Crop, cropRectangle, parseCrop } from "../../data/crop.ts";
import { type Broken, packHash } from "../../data/pack.ts";
import { openPath } from "../../data/open.ts";
import { noneUsable } from "../../data/prepare_all.ts";
import { isImagePath, type Source } from "../../data/source.ts";
import type { Pillowed } from "./as_pillow.ts";
import type { FileRule } from "../conventions.ts";
import { openDecodePool } from "./decode_pool.ts";
import { EvalError, printable } from "../errors.ts";
import type { ImageSet } from "../extract.ts";
import { newSurvey, record, type Survey } from "../survey.ts";

/** Which images, and what of them. */
export interface ImageFilesOptions {
  /** Folder or file of images. */
  readonly path: string;
  /** `center`, `none` (the default) or `WxH+X+Y`. */
  readonly crop?: string;
  /** Only as many, spread evenly over the set. */
  readonly most?: number | undefined;
  /** The tool whose choice of files is meant. */
  readonly tool: string;
  readonly rule?: FileRule | undefined;
  /** Whether just the files that the rule names are read; else all, and the difference is told. */
  readonly strict: boolean;
}

/** Images in files. */
export interface ImageFiles extends ImageSet {
  readonly name: string;
  /** SHA-256 of names, sizes, dates or checksums, and of what is made of them. */
  readonly hash: string;
  /** Those that were passed over so far, and why. */
  readonly broken: Broken[];
  /** Of those that were read so far. */
  readonly survey: Survey;
  /** What was passed over, and how the choice of files differs from the tool's. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/**
 * Opens a folder or a file.
 *
 * @throws {DataError} If there is no such path, or no image.
 * @throws {EvalError} If the tool would read a file that this program cannot.
 * @throws {RangeError} If the crop is malformed.
 */
export async function openImageFiles(options: ImageFilesOptions): Promise<ImageFiles> {
  const { path, most, tool, rule, strict } = options, crop = parseCrop(options.crop ?? "none");
  const whole = await openPath(path);
  try {
    const folder = whole.kind === "folder";
    if (strict && !folder && whole.kind !== "zip") {
      throw new EvalError(
        `eval: ${tool} reads no ${whole.kind}: write the images of ${path} as files, ` +
          "or leave out --like",
      );
    }
    const listed = rule && folder
      ? listFolder(path, rule)
      : rule && whole.kind === "zip"
      ? whole.names.filter(inZip(rule))
      : undefined;
    const notes = listed ? difference(options, whole.names, listed, folder) : [];
    const source = listed && strict ? await chosenFrom(whole, path, listed, rule!) : whole;
    if (source.names.length === 0) throw nothingIn(options, whole.names.length);
    const n = source.names.length, count = Math.min(n, most ?? n), survey = newSurvey();
    const indices = Array.from({ length: count }, (_, i) => Math.floor(i * n / count));
    const broken: Broken[] = [];
    return {
      name: source.name,
      hash: await packHash([JSON.stringify(["as it is", crop, count]), ...source.stamps]),
      count,
      broken,
      survey,
      notes: [...whole.notes ?? [], ...notes],
      images: () => imagesOf(source, indices, crop, broken, survey),
      close: () => whole.close(),
    };
  } catch (error) {
    await whole.close();
    throw error;
  }
}

function nothingIn({ path, tool, strict }: ImageFilesOptions, others: number): EvalError {
  return new EvalError(
    strict && others > 0
      ? `eval: none of the ${others} images in ${path} is one that ${tool} would read: without --like all are read`
      : `eval: ${path} holds no image that can be read`,
  );
}

function inZip({ endings }: FileRule): (name: string) => boolean {
  const any = new RegExp(endings.source, "i");
  return (name) => any.test(name);
}

/** The files that a tool takes, by their paths below the folder. */
function listFolder(root: string, { endings, deep, hidden, followLinks }: FileRule): string[] {
  const found: string[] = [], folders = [""];
  for (let below = folders.pop(); below !== undefined; below = folders.pop()) {
    for (const { name, isDirectory } of Deno.readDirSync(join(root, below))) {
      if (name.startsWith(".") && !hidden) continue;
      if (isDirectory) {
        if (deep) folders.push(`${below}${name}/`);
      } else if (endings.test(name)) found.push(below + name);
    }
  }
  if (!followLinks) return found.sort();
  const real = new Map(found.map((name) => [name, realPath(join(root, name))]));
  return found.sort((a, b) => real.get(a)! < real.get(b)! ? -1 : 1);
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path; // a dangling link: it is named as broken when it is read
  }
}

/** Says which files a tool takes and we do not, and the other way round. */
function difference(
  { path, tool, rule, strict }: ImageFilesOptions,
  ours: readonly string[],
  theirs: readonly string[],
  folder: boolean,
): string[] {
  if (!folder && !rule!.zip) {
    if (!strict) return [];
    throw new EvalError(`eval: ${tool} reads no zip: unpack ${path} and give the folder`);
  }
  const taken = new Set(theirs), notes: string[] = [];
  const foreign = theirs.filter((name) =>
    !isImagePath(name.replace(/^.*\//, "").replace(/^\.+/, ""))
  );
  if (foreign.length) {
    const which = `${tool} also reads ${foreign.length} files of ${path} that this program ` +
      `cannot, first ${printable(foreign[0])}`;
    if (strict) throw new EvalError(`eval: ${which}: convert them to PNG, or take them out`);
    notes.push(`${which}: they are left out`);
  }
  const left = ours.filter((name) => !taken.has(name));
  if (left.length) {
    const how =
      `${left.length} of ${ours.length} images in ${path} (by their ending's case, or in ` +
      `subfolders; first ${left[0]})`;
    notes.push(
      strict ? `${tool} leaves out ${how}` : `${tool} would leave out ${how}: with --like they are`,
    );
  }
  return notes;
}

async function chosenFrom(
  whole: Source,
  path: string,
  names: string[],
  { followLinks }: FileRule,
): Promise<Source> {
  const known = new Map(whole.names.map((name, i) => [name, i]));
  const stamps = await Promise.all(names.map(async (name) => {
    const i = known.get(name);
    if (i !== undefined) return whole.stamps[i];
    const info = await Deno.stat(join(path, name)).catch(() => undefined);
    return `${name}\t${info?.size} ${info?.mtime?.getTime()}`;
  }));
  return {
    ...whole,
    names,
    stamps: [...stamps, `links ${followLinks}`],
    read: (i) => {
      const at = known.get(names[i]);
      return at === undefined ? Deno.readFile(resolve(path, names[i])) : whole.read(at);
    },
  };
}

async function* imagesOf(
  source: Source,
  indices: readonly number[],
  crop: Crop,
  broken: Broken[],
  survey: Survey,
): AsyncGenerator<Pillowed> {
  const before = broken.length, pool = await openDecodePool(indices.length);
  const ahead = pool.lanes > 1 ? 2 * pool.lanes : 1, started: Promise<Pillowed>[] = [];
  try {
    for (let n = 0, next = 0; n < indices.length; n++) {
      while (next < indices.length && started.length <= ahead) {
        const decoded = source.read(indices[next++]).then((bytes) => pool.decode(bytes));
        decoded.catch(() => {}); // it is thrown when its turn comes
        started.push(decoded);
      }
      let image: Pillowed;
      try {
        image = await started.shift()!;
        record(survey, image);
        image = cut(image, crop);
      } catch (error) {
        broken.push({ name: source.names[indices[n]], reason: (error as Error).message });
        continue;
      }
      yield image;
    }
  } finally {
    pool.close();
  }
  if (broken.length - before === indices.length) throw noneUsable(source.name, broken);
}

/** The part of an image that a crop means. */
function cut(image: Pillowed, crop: Crop): Pillowed {
  if (crop === "none") return image;
  const part = cropRectangle(crop, image.width, image.height);
  if (!part) throw new Error(`the crop lies outside of it: it is ${image.width} x ${image.height}`);
  const { x, y, width, height } = part, rgb = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * image.width + x) * 3;
    rgb.set(image.rgb.subarray(from, from + width * 3), row * width * 3);
  }
  return { ...image, width, height, rgb };
}
