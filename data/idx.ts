import type { Bytes } from "./bytes.ts";
import { exactly, openBytes, openGunzip } from "./bytes.ts";
import { DataError } from "./errors.ts";
import { type Labels, numbered } from "./labels.ts";
import type { Listing } from "./source.ts";
import { listStack } from "./stack.ts";

const BYTE = 8; // the type of unsigned bytes
const MOST = 2 ** 31;

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

/** The labels in the file that belongs to one of images, by its name; undefined if there is none. */
async function labelsBeside(path: string, count: number): Promise<Labels | undefined> {
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
      return numbered(await exactly(bytes, start, count));
    } finally {
      bytes.close();
    }
  }
  return undefined;
}

/**
 * Lists a file in MNIST's format; labels are taken from the file beside it.
 *
 * @param bytes The file.
 * @param path Its path.
 * @returns The images.
 * @throws {Error} If it is cut short.
 */
export async function listIdx(bytes: Bytes, path: string): Promise<Listing> {
  const { shape: [count, ...shape], start } = await headerOf(bytes);
  const [height, width, channels = 1] = shape;
  if (shape.length < 2 || shape.length > 3 || (channels !== 1 && channels !== 3)) {
    throw new DataError(
      `data: ${path} has the shape ${[count, ...shape].join(" x ")}: ` +
        (shape.length === 0 ? "give the file of the images" : "expected N x H x W"),
    );
  }
  const stride = height * width * channels;
  if (stride > 0) await exactly(bytes, start + count * stride - 1, 1);
  const labels = await labelsBeside(path, count);
  return listStack(bytes, {
    ...{ count, height, width, channels, planar: false, start, stride, labels },
  });
}
