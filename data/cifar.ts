import { dirname, join } from "@std/path";
import { DataError } from "./errors.ts";
import { type Callable, unpickle } from "../io/pickle.ts";
import type { Bytes } from "./bytes.ts";
import { exactly } from "./bytes.ts";
import { numbered } from "./labels.ts";
import type { Listing } from "./source.ts";
import { listStack, type Stack } from "./stack.ts";

const PIXELS = 32 * 32 * 3; // planes of red, green and blue
const MOST = 2 ** 30;

const layout = { height: 32, width: 32, channels: 3, planar: true } as const;

/**
 * The bytes of labels before each image of the binary version.
 *
 * @param head The first bytes of the file.
 * @param size The file's size.
 * @returns 1 for CIFAR-10, 2 for CIFAR-100, undefined if it is neither.
 */
export function labelBytes(head: Uint8Array, size: number): 1 | 2 | undefined {
  if (size > 0 && size % (PIXELS + 1) === 0 && head[0] < 10) return 1;
  if (size > 0 && size % (PIXELS + 2) === 0 && head[0] < 20 && head[1] < 100) return 2;
  return undefined;
}

/** The lines of a file beside another; undefined if there is none. */
async function linesBeside(path: string, name: string): Promise<string[] | undefined> {
  try {
    const text = await Deno.readTextFile(join(dirname(path), name));
    return text.split(/\r?\n/).filter((line) => line.trim());
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Lists a batch of the binary version of CIFAR-10 or CIFAR-100.
 *
 * @param bytes The file.
 * @param path Its path; the names of the classes are in a file beside it.
 * @returns The images; classes of CIFAR-100 are the fine ones.
 * @throws {Error} If a label is none of CIFAR's.
 */
export async function listCifarBinary(bytes: Bytes, path: string): Promise<Listing> {
  const before = labelBytes(await bytes.upTo(0, 2), bytes.size!)!, stride = before + PIXELS;
  const count = bytes.size! / stride, numbers: number[] = [], classes = before === 1 ? 10 : 100;
  for (let i = 0; i < count; i++) {
    const number = (await exactly(bytes, i * stride, before))[before - 1];
    if (number >= classes) {
      throw new Error(`byte ${i * stride} is the label ${number}, expected less than ${classes}`);
    }
    numbers.push(number);
  }
  const names = await linesBeside(path, before === 1 ? "batches.meta.txt" : "fine_label_names.txt");
  const labels = numbered(numbers, names);
  return listStack(bytes, { ...layout, count, start: before, stride, labels });
}

/** An array of NumPy within a pickle. */
class PickledArray {
  shape: readonly number[] = [];
  data: Uint8Array = new Uint8Array(0);
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  return typeof value === "string"
    ? Uint8Array.from(value, (character) => character.charCodeAt(0))
    : undefined;
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value);
}

/** The array of uint8 with these attributes. */
function arrayOf(shape: unknown, type: unknown, fortran: unknown, data: unknown): PickledArray {
  const bytes = bytesOf(data);
  if (!Array.isArray(shape) || type !== "u1" || fortran !== false || !bytes) {
    throw new TypeError("its array is not of bytes in C order");
  }
  return Object.assign(new PickledArray(), { shape, data: bytes });
}

const names = new Map<string, Callable>([
  ["numpy ndarray", () => new PickledArray()],
  ["numpy dtype", textOf],
  ["_codecs encode", bytesOf],
  ...["numpy.core", "numpy._core"].flatMap((core): [string, Callable][] => [
    [`${core}.multiarray _reconstruct`, () => new PickledArray()],
    [
      `${core}.numeric _frombuffer`,
      (data, type, shape, order) => arrayOf(shape, type, order !== "C", data),
    ],
  ]),
]);

/** What to say of a pickle that holds something else. */
function noBatch(path: string, why: string): DataError {
  return new DataError(
    `data: ${path} is a Python pickle, but no batch of CIFAR (${why}): write its images as files, ` +
      "or as uint8 with numpy.save, and give that",
  );
}

/** Reads a dictionary of Python, whose keys may be bytes; undefined if it is another object. */
function unpickled(bytes: Uint8Array): Map<string, unknown> | undefined {
  const { value } = unpickle(bytes, 0, {
    names,
    persistent: () => {
      throw new TypeError("it refers to something outside of it");
    },
    build: (object, state) => {
      if (!(object instanceof PickledArray) || !Array.isArray(state)) return object;
      const [, shape, type, fortran, data] = state;
      return Object.assign(object, arrayOf(shape, type, fortran, data));
    },
  });
  if (!(value instanceof Map)) return undefined;
  return new Map([...value].map(([key, part]) => [textOf(key), part]));
}

async function classesBeside(path: string): Promise<string[] | undefined> {
  for (const [file, key] of [["batches.meta", "label_names"], ["meta", "fine_label_names"]]) {
    const bytes = await Deno.readFile(join(dirname(path), file)).catch(() => undefined);
    const found = bytes && unpickled(bytes)?.get(key);
    if (Array.isArray(found)) return found.map(textOf);
  }
  return undefined;
}

/**
 * Lists a batch of the Python version of CIFAR-10 or CIFAR-100. Nothing in the pickle is called.
 *
 * @param bytes The file.
 * @param path Its path; the names of the classes are in a file beside it.
 * @returns The images; classes of CIFAR-100 are the fine ones.
 * @throws {DataError} If it holds something else.
 * @throws {Error} If it is cut short.
 */
export async function listCifarPython(bytes: Bytes, path: string): Promise<Listing> {
  if (bytes.size! > MOST) throw new Error(`it is a pickle of ${bytes.size} bytes`);
  const whole = await exactly(bytes, 0, bytes.size!), batch = unpickled(whole);
  if (!batch) throw noBatch(path, "it is no dictionary");
  const data = batch.get("data"), numbers = batch.get("fine_labels") ?? batch.get("labels");
  if (!(data instanceof PickledArray) || data.shape[1] !== PIXELS) {
    throw noBatch(path, "it has no array of 32 x 32 images under the key data");
  }
  const [count] = data.shape;
  const stack: Stack = { ...layout, count, start: 0, stride: PIXELS };
  if (Array.isArray(numbers) && numbers.length === count) {
    stack.labels = numbered(numbers as number[], await classesBeside(path));
  }
  const { data: pixels } = data, size = pixels.length;
  return listStack({
    size,
    upTo: (offset, length) => Promise.resolve(pixels.slice(offset, offset + length)),
    close() {},
  }, stack);
}
