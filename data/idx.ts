import { basename } from "@std/path";
import type { Bytes } from "./bytes.ts";
import { exactly, openBytes, openCutGunzip, openGunzip } from "./bytes.ts";
import { DataError } from "./errors.ts";
import { type Labels, numbered } from "./labels.ts";
import { printable } from "./listing.ts";
import type { Listing } from "./source.ts";
import { listStack } from "./stack.ts";

const BYTE = 8; // the type of unsigned bytes
const MOST = 2 ** 31;
const MOST_KEPT = 2 ** 30; // bytes of a file that is cut short

/** The sizes of an array of bytes in MNIST's format, and where its elements begin. */
async function headerOf(bytes: Bytes): Promise<{ shape: number[]; start: number }> {
  const [, , type, axes] = await exactly(bytes, 0, 4);
  if (type !== BYTE) throw new Error(`its type is ${type}, expected ${BYTE} (unsigned bytes)`);
  const view = new DataView((await exactly(bytes, 4, 4 * axes)).buffer);
  const shape = Array.from({ length: axes }, (_, i) => view.getUint32(4 * i));
  if (shape.reduce((n, size) => n * size, 1) > MOST) {
    throw new Error(`it declares ${shape.join(" x ")} bytes`);
  }
  return { shape, start: 4 + 4 * axes };
}

/**
 * The labels in the file that belongs to one of `count` images, by its name, the first `whole` of them;
 * undefined if there is none.
 */
async function labelsBeside(
  path: string,
  count: number,
  whole: number,
): Promise<Labels | undefined> {
  const beside = path.replace(/images([-.])idx3/, "labels$1idx1");
  if (beside === path) return undefined;
  for (const name of [beside, beside.replace(/\.gz$/, ""), `${beside}.gz`]) {
    let bytes: Bytes;
    try {
      const [first] = await Deno.readFile(name);
      bytes = first === 0x1f ? openGunzip(name) : openBytes(name);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw error;
    }
    try {
      const { shape, start } = await headerOf(bytes);
      if (shape.length !== 1 || shape[0] !== count) {
        throw new DataError(
          `data: ${name} has the shape ${shape.join(" x ")}, expected ${count} labels`,
        );
      }
      return numbered((await exactly(bytes, start, count)).subarray(0, whole));
    } finally {
      bytes.close();
    }
  }
  return undefined;
}

/** Lists a file; of one that `isCut` the images that are whole. */
async function listFrom(bytes: Bytes, path: string, isCut: boolean): Promise<Listing> {
  const { shape: [count, ...shape], start } = await headerOf(bytes);
  const [height, width, channels = 1] = shape;
  if (shape.length < 2 || shape.length > 3 || (channels !== 1 && channels !== 3)) {
    throw new DataError(
      `data: ${path} has the shape ${[count, ...shape].join(" x ")}: ` +
        (shape.length === 0 ? "give the file of the images" : "expected N x H x W"),
    );
  }
  const stride = height * width * channels;
  const whole = isCut ? Math.min(count, Math.floor((bytes.size! - start) / stride)) : count;
  if (isCut && whole < 1) throw new Error("it ends before its first image does");
  if (!isCut && stride > 0) await exactly(bytes, start + count * stride - 1, 1);
  const labels = await labelsBeside(path, count, whole);
  const notes = whole === count ? [] : [
    `${printable(basename(path))} is cut short: ${whole} of ${count} images are used; ` +
    "copy it again for the others",
  ];
  const sizes = { count: whole, height, width, channels, planar: false, start, stride } as const;
  return listStack(bytes, { ...sizes, labels, notes });
}

/**
 * Lists a file in MNIST's format; labels are taken from the file beside it. Of one that is compressed
 * and cut short the whole images are listed.
 *
 * @param bytes The file.
 * @param path Its path.
 * @returns The images.
 * @throws {Error} If it is cut short and not compressed, or has no whole image.
 */
export async function listIdx(bytes: Bytes, path: string): Promise<Listing> {
  try {
    return await listFrom(bytes, path, false);
  } catch (error) {
    if ((error as { code?: string }).code !== "Z_BUF_ERROR") throw error;
    return await listFrom(openCutGunzip(path, MOST_KEPT), path, true);
  }
}
