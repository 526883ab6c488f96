import { arrayHeader, type NumpyHeader, wholeNumbersOf } from "../io/npy.ts";
import type { Bytes } from "./bytes.ts";
import { exactly } from "./bytes.ts";
import { DataError } from "./errors.ts";
import { type Labels, numbered } from "./labels.ts";
import type { Listing } from "./source.ts";
import { listStack, type Stack } from "./stack.ts";
import {
  entryAt,
  type ReadAt,
  readDirectory,
  walkDirectory,
  type ZipEntry,
} from "./zip_directory.ts";
import { dataOffset, readEntry } from "./zip_entry.ts";

const HEADER = 2 ** 12; // bytes that hold any array's header of a few axes
const MOST_IN_MEMORY = 2 ** 30;

type Layout = Omit<Stack, "start" | "labels" | "notes">;

/** How an array's shape is meant: [N, H, W], [N, H, W, C] or [N, C, H, W] with 1 or 3 channels. */
function layoutOf({ type, shape: [count, ...rest] }: NumpyHeader): Layout | undefined {
  if (!/^[|<>=]?u1$/.test(type) || rest.some((size) => size < 1)) return undefined;
  const stride = rest.reduce((n, size) => n * size, 1), common = { count, stride };
  const [a, b, c] = rest;
  if (rest.length === 2) return { ...common, height: a, width: b, channels: 1, planar: false };
  if (rest.length !== 3) return undefined;
  if (c === 1 || c === 3) return { ...common, height: a, width: b, channels: c, planar: false };
  if (a === 1 || a === 3) return { ...common, height: b, width: c, channels: a, planar: true };
  return undefined;
}

function refusal(name: string, { type, shape }: NumpyHeader): DataError {
  return new DataError(
    `data: ${name} is an array of ${type} [${shape.join(", ")}], expected uint8 (|u1) images of ` +
      "shape [N, H, W], [N, H, W, C] or [N, C, H, W] with 1 or 3 channels: convert it with NumPy",
  );
}

/** The elements with the last axis varying fastest, where it is the first that does. */
function inC(elements: Uint8Array, shape: readonly number[]): Uint8Array {
  const result = new Uint8Array(elements.length);
  const [N, ...rest] = shape, size = rest.reduce((n, s) => n * s, 1);
  for (let place = 0; place < size; place++) {
    // `place` within one image, as the file and as the result count it.
    let left = place, step = size, at = 0;
    const indices = rest.map((s) => {
      const index = left % s;
      left = (left - index) / s;
      return index;
    });
    for (const [axis, s] of rest.entries()) {
      step /= s;
      at += indices[axis] * step;
    }
    for (let n = 0; n < N; n++) result[n * size + at] = elements[place * N + n];
  }
  return result;
}

function inMemory(elements: Uint8Array): Bytes {
  return {
    size: elements.length,
    upTo: (offset, length) =>
      Promise.resolve(elements.slice(offset, offset + length) as Uint8Array<ArrayBuffer>),
    close() {},
  };
}

/** Lists the array that begins at `at`. */
async function listArray(name: string, bytes: Bytes, at: number, labels?: Labels) {
  const found = arrayHeader(name, await bytes.upTo(at, HEADER)), layout = layoutOf(found);
  if (!layout) throw refusal(name, found);
  const stack = { ...layout, labels }, start = at + found.start;
  if (!found.fortran) return listStack(bytes, { ...stack, start });
  if (found.size > MOST_IN_MEMORY) {
    throw new DataError(
      `data: ${name} has ${found.size} bytes in Fortran's order: write it anew with ` +
        "numpy.ascontiguousarray",
    );
  }
  const elements = await exactly(bytes, start, found.size);
  return listStack(inMemory(inC(elements, found.shape)), { ...stack, start: 0 });
}

/**
 * Lists a `.npy` file of images.
 *
 * @param bytes The file.
 * @param path Its path, for messages.
 * @returns The images.
 * @throws {DataError} If it holds something else.
 */
export async function listNpy(bytes: Bytes, path: string): Promise<Listing> {
  return await listArray(path, bytes, 0);
}

/** A member of an archive. */
interface Member extends ZipEntry {
  name: string;
}

/** The bytes of a member: in place where they are stored, in memory where they are compressed. */
async function bytesOf(read: ReadAt, bytes: Bytes, member: Member): Promise<[Bytes, number]> {
  if (member.method === 0) return [bytes, dataOffset(read, member)];
  if (member.size > MOST_IN_MEMORY) {
    throw new DataError(
      `data: ${member.name} has ${member.size} bytes and is compressed: write it anew with ` +
        "numpy.savez, or as .npy",
    );
  }
  return [inMemory(await readEntry(read, member)), 0];
}

async function numbersIn(read: ReadAt, member: Member | undefined, count: number) {
  if (!member || member.size > HEADER + 8 * count) return undefined;
  const numbers = wholeNumbersOf(member.name, await readEntry(read, member));
  return numbers?.length === count ? numbered(numbers) : undefined;
}

/**
 * Lists a `.npz` file of images: `arr_0`, or else the first array that can be images. Classes are in
 * `arr_1`, as guided-diffusion has them, or in `labels` or `y`.
 *
 * @param bytes The file.
 * @param path Its path, for messages.
 * @param read Reads the file at once.
 * @returns The images.
 * @throws {DataError} If it holds something else.
 */
export async function listNpz(bytes: Bytes, path: string, read: ReadAt): Promise<Listing> {
  const directory = readDirectory(read, bytes.size!), members: Member[] = [];
  walkDirectory(directory, (name, at) => {
    members.push({ name: name.replace(/\.npy$/, ""), ...entryAt(directory, at) });
  });
  members.sort((a, b) => Number(b.name === "arr_0") - Number(a.name === "arr_0"));
  const others: string[] = [];
  for (const member of members) {
    if (members.length > 1 && member.size <= 128) continue; // a scalar
    const [inside, at] = await bytesOf(read, bytes, member);
    const name = `${path}, ${member.name}`;
    let found: NumpyHeader;
    try {
      found = arrayHeader(name, await inside.upTo(at, HEADER));
    } catch {
      others.push(member.name);
      continue;
    }
    if (!layoutOf(found)) {
      others.push(`${member.name} of ${found.type} [${found.shape.join(", ")}]`);
      continue;
    }
    const of = members.find(({ name }) => /^(arr_1|labels?|y)$/.test(name));
    return await listArray(name, inside, at, await numbersIn(read, of, found.shape[0]));
  }
  throw new DataError(
    `data: ${path} holds no array of images (${others.join(", ") || "it is empty"}), expected ` +
      "uint8 of shape [N, H, W], [N, H, W, C] or [N, C, H, W]: arr_0 is looked at first",
  );
}
