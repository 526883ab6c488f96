/**
 * Reads the files of `torch.save` that hold tensors by name: the zips of today and the older ones.
 *
 * @module
 */
import { type FileEntry, Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from "@zip.js/zip.js";
import type { Dtype, Elements } from "./dtypes.ts";
import { CheckpointError } from "./errors.ts";
import { type Callable, unpickle } from "./pickle.ts";
import type { Contents, Entry } from "./safetensors.ts";

/** The first number in an older file. */
const MAGIC = 0x1950a86a20f9469cfc6cn;

/** Storage classes, with what each element becomes; halves are widened. */
const STORAGES: Readonly<Record<string, { dtype: Dtype; read: (b: ArrayBuffer) => Elements }>> = {
  DoubleStorage: { dtype: "F64", read: (b) => new Float64Array(b) },
  FloatStorage: { dtype: "F32", read: (b) => new Float32Array(b) },
  HalfStorage: { dtype: "F32", read: (b) => Float32Array.from(new Float16Array(b)) },
  LongStorage: { dtype: "I64", read: (b) => new BigInt64Array(b) },
  IntStorage: { dtype: "I32", read: (b) => new Int32Array(b) },
  ByteStorage: { dtype: "U8", read: (b) => new Uint8Array(b) },
};
const WIDTHS: Readonly<Record<string, number>> = {
  DoubleStorage: 8,
  FloatStorage: 4,
  HalfStorage: 2,
  LongStorage: 8,
  IntStorage: 4,
  ByteStorage: 1,
};

/** A class of storages, as a pickle names it. */
class StorageClass {
  constructor(readonly name: string) {}
}

/** Elements somewhere in the file. */
interface StoredElements {
  readonly kind: string;
  readonly key: string;
}

/** A tensor whose elements are not read yet. */
class StoredTensor {
  constructor(
    readonly stored: StoredElements,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function rebuildTensor(...[stored, offset, shape, strides]: unknown[]): StoredTensor {
  const known = typeof stored === "object" && stored !== null && "kind" in stored;
  if (!known || !isNumbers([offset]) || !isNumbers(shape) || !isNumbers(strides)) {
    throw new TypeError("it holds a malformed tensor");
  }
  return new StoredTensor(stored as StoredElements, offset as number, shape, strides);
}

/** The only names that are allowed. */
const NAMES = new Map<string, Callable>([
  ["collections OrderedDict", () => new Map()],
  ["torch._utils _rebuild_tensor_v2", rebuildTensor],
  ["torch._utils _rebuild_parameter", (tensor) => tensor],
  ...Object.keys(STORAGES).map((name): [string, Callable] => [
    `torch ${name}`,
    // Never called: a class is named only as the kind of a storage.
    Object.assign(() => {
      throw new TypeError(`it calls ${name}`);
    }, { storage: new StorageClass(name) }),
  ]),
]);

function persistent(id: unknown): StoredElements {
  const [tag, kind, key] = Array.isArray(id) ? id : [];
  const { storage } = (kind ?? {}) as { storage?: unknown };
  if (tag !== "storage" || !(storage instanceof StorageClass) || typeof key !== "string") {
    throw new TypeError("it refers to something that is no storage");
  }
  return { kind: storage.name, key };
}

/** True if the bytes begin as a file of `torch.save` does. */
export function isTorch(bytes: Uint8Array): boolean {
  return isZip(bytes) || (bytes[0] === 0x80 && bytes[1] === 2 && bytes[2] === 0x8a);
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b;
}

/**
 * Reads a file's tensors by name. Records in records give names with dots between.
 *
 * @param bytes The whole file.
 * @param where The file's name, for messages.
 * @throws {CheckpointError} If it is damaged, or does anything but hold tensors.
 */
export async function decodeTorch(
  bytes: Uint8Array<ArrayBuffer>,
  where: string,
): Promise<Contents> {
  try {
    const { value, storages } = isZip(bytes) ? await openZip(bytes) : openLegacy(bytes);
    const entries = new Map<string, Entry>();
    for (const [name, tensor] of tensorsIn(value, "")) {
      entries.set(name, await entryOf(tensor, storages, name));
    }
    if (entries.size === 0) throw new TypeError("it holds no tensor");
    return { entries, metadata: {} };
  } catch (error) {
    throw new CheckpointError(
      `checkpoint: ${where} is not a file of tensors by torch.save: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** The bytes of a storage by its key. */
type Storages = (key: string) => Promise<Uint8Array> | Uint8Array | undefined;

interface Opened {
  readonly value: unknown;
  readonly storages: Storages;
}

async function openZip(bytes: Uint8Array<ArrayBuffer>): Promise<Opened> {
  const zip = new ZipReader(new Uint8ArrayReader(bytes), { useWebWorkers: false });
  const files = new Map<string, FileEntry>();
  for await (const entry of zip.getEntriesGenerator()) {
    if (!entry.directory) files.set(entry.filename.replace(/^[^/]*\//, ""), entry);
  }
  const program = files.get("data.pkl");
  if (!program) throw new TypeError("the zip has no data.pkl");
  const contents = (file: FileEntry) => file.getData(new Uint8ArrayWriter());
  const { value } = unpickle(await contents(program), 0, { names: NAMES, persistent });
  const storages: Storages = (key) => {
    const file = files.get(`data/${key}`);
    return file && contents(file);
  };
  return { value, storages };
}

function openLegacy(bytes: Uint8Array): Opened {
  let at = 0;
  const next = () => {
    const { value, end } = unpickle(bytes, at, { names: NAMES, persistent: noting });
    at = end;
    return value;
  };
  const kinds = new Map<string, string>();
  const noting = (id: unknown) => {
    const stored = persistent(id);
    kinds.set(stored.key, stored.kind);
    return stored;
  };
  if (next() !== MAGIC) throw new TypeError("its magic number is another");
  next(); // version of the protocol
  next(); // sizes of integers where it was written; all in use are little endian
  const value = next(), keys = next();
  if (!Array.isArray(keys)) throw new TypeError("its list of storages is malformed");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Map<string, Uint8Array>();
  for (const key of keys) {
    const kind = kinds.get(key);
    if (kind === undefined) throw new TypeError(`nothing refers to its storage ${key}`);
    if (at + 8 > bytes.length) throw new TypeError("it ends early");
    const size = Number(view.getBigInt64(at, true)) * WIDTHS[kind];
    at += 8;
    if (!(size >= 0 && at + size <= bytes.length)) throw new TypeError("it ends early");
    found.set(key, bytes.subarray(at, at + size));
    at += size;
  }
  return { value, storages: (key) => found.get(key) };
}

function* tensorsIn(value: unknown, path: string): Generator<[string, StoredTensor]> {
  if (value instanceof StoredTensor) yield [path, value];
  else if (value instanceof Map) {
    for (const [key, part] of value) yield* tensorsIn(part, path ? `${path}.${key}` : String(key));
  }
}

async function entryOf(
  { stored, offset, shape, strides }: StoredTensor,
  storages: Storages,
  name: string,
): Promise<Entry> {
  const bytes = await storages(stored.key);
  if (!bytes) throw new TypeError(`the elements of ${name} are missing`);
  const { dtype, read } = STORAGES[stored.kind], width = WIDTHS[stored.kind];
  if (bytes.length % width) throw new TypeError(`the elements of ${name} are cut short`);
  const size = shape.reduce((n, s) => n * s, 1);
  const last = shape.reduce((end, s, i) => end + (s - 1) * strides[i], offset);
  // Strides of 0 could make much of little.
  if (
    shape.length !== strides.length || size > bytes.length / width ||
    (size > 0 && last >= bytes.length / width)
  ) {
    throw new TypeError(`${name} reaches beyond its elements`);
  }
  const dense = shape.reduceRight(
    (step, s, i) => s === 1 || strides[i] === step ? step * s : NaN,
    1,
  );
  if (dense === size) {
    const from = offset * width;
    return { dtype, shape, data: read(bytes.slice(from, from + size * width).buffer) };
  }
  return { dtype, shape, data: gathered(read(bytes.slice().buffer), offset, shape, strides) };
}

/** Elements in row-major order from an array of any strides. */
function gathered(
  all: Elements,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Elements {
  let places = [offset];
  for (const [axis, size] of shape.entries()) {
    places = places.flatMap((p) => Array.from({ length: size }, (_, i) => p + i * strides[axis]));
  }
  const out = all.slice(0, places.length);
  places.forEach((place, i) => out[i] = all[place]);
  return out;
}
