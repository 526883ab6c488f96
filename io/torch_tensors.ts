/**
 * The tensors of a file of `torch.save`: views of storages.
 *
 * @module
 */
import { type Dtype, type Elements, WIDEN } from "./dtypes.ts";
import type { Entry } from "./safetensors.ts";
import type { Stored } from "./torch_zip.ts";

/** What the elements of a storage class are; halves are widened. */
interface StorageKind {
  readonly dtype: Dtype;
  /** Bytes an element. */
  readonly width: number;
  readonly read: (bytes: ArrayBuffer) => Elements;
}

/** By the names that pickles have for them. */
export const STORAGES: Readonly<Record<string, StorageKind>> = {
  DoubleStorage: { dtype: "F64", width: 8, read: (b) => new Float64Array(b) },
  FloatStorage: { dtype: "F32", width: 4, read: (b) => new Float32Array(b) },
  HalfStorage: { dtype: "F32", width: 2, read: WIDEN.F16 },
  BFloat16Storage: { dtype: "F32", width: 2, read: WIDEN.BF16 },
  LongStorage: { dtype: "I64", width: 8, read: (b) => new BigInt64Array(b) },
  IntStorage: { dtype: "I32", width: 4, read: (b) => new Int32Array(b) },
  ShortStorage: { dtype: "I16", width: 2, read: (b) => new Int16Array(b) },
  CharStorage: { dtype: "I8", width: 1, read: (b) => new Int8Array(b) },
  ByteStorage: { dtype: "U8", width: 1, read: (b) => new Uint8Array(b) },
  BoolStorage: { dtype: "BOOL", width: 1, read: (b) => new Uint8Array(b) },
};

/** Elements somewhere in the file. */
export interface StoredElements {
  readonly kind: string;
  readonly key: string;
}

/** A tensor whose elements are not read yet. */
export class StoredTensor {
  constructor(
    readonly stored: StoredElements,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

const MOST_AXES = 64; // as in PyTorch

/**
 * Reads tensors, each storage once, and of it no more than they need.
 *
 * @param most Bytes of all of them together; views that are equal count once.
 * @throws {TypeError} If one is not within its storage, or there is more.
 */
export async function readTensors(
  tensors: Map<string, StoredTensor>,
  storages: ReadonlyMap<string, Stored>,
  most: number,
): Promise<Map<string, Entry>> {
  const spans = new Map<string, { from: number; to: number; names: string[] }>();
  const views = new Set<string>();
  let total = 0;
  for (const [name, tensor] of tensors) {
    const { from, to, size } = spanOf(tensor, storages, name), { key } = tensor.stored;
    const span = spans.get(key) ?? { from: Infinity, to: 0, names: [] };
    span.names.push(name);
    spans.set(
      key,
      size === 0 ? span : { ...span, from: Math.min(from, span.from), to: Math.max(to, span.to) },
    );
    if (!views.has(viewOf(tensor))) total += size * STORAGES[tensor.stored.kind].width;
    views.add(viewOf(tensor));
  }
  if (total > most) throw new TypeError("its tensors together are far larger than the file");
  const found = new Map<string, Entry>();
  for (const [key, { from, to, names }] of spans) {
    const bytes = from < to ? await storages.get(key)!.read(from, to) : new Uint8Array(0);
    const made = new Map<string, Entry>();
    for (const name of names) {
      const tensor = tensors.get(name)!, view = viewOf(tensor);
      const entry = made.get(view) ?? entryOf(tensor, bytes, from);
      made.set(view, entry);
      found.set(name, entry);
    }
  }
  return new Map([...tensors.keys()].map((name) => [name, found.get(name)!]));
}

function viewOf({ stored: { key, kind }, offset, shape, strides }: StoredTensor): string {
  return JSON.stringify([key, kind, offset, shape, strides]);
}

/** The bytes of its storage that a tensor lies in, and the number of its elements. */
function spanOf(
  { stored, offset, shape, strides }: StoredTensor,
  storages: ReadonlyMap<string, Stored>,
  name: string,
): { from: number; to: number; size: number } {
  const { width } = STORAGES[stored.kind], bytes = storages.get(stored.key)?.size;
  if (bytes === undefined) throw new TypeError(`the elements of ${name} are missing`);
  if (bytes % width) throw new TypeError(`the elements of ${name} are cut short`);
  const size = shape.reduce((n, s) => n * s, 1), all = bytes / width;
  // Without its axes of 0, an empty tensor is a size that someone meant.
  const meant = shape.reduce((n, s) => n * Math.max(1, s), 1);
  if (
    shape.length !== strides.length || shape.length > MOST_AXES || meant > 2 ** 30 && size === 0
  ) {
    throw new TypeError(`${name} has an impossible shape, [${shape}]`);
  }
  const last = shape.reduce((end, s, i) => end + (s - 1) * strides[i], offset);
  // Strides of 0 could make much of little.
  if (size > all || (size > 0 && last >= all)) {
    throw new TypeError(`${name} reaches beyond its elements`);
  }
  return { from: offset * width, to: (last + 1) * width, size };
}

/** A tensor of the bytes of its storage from `from` on. */
function entryOf(
  { stored: { kind }, offset, shape, strides }: StoredTensor,
  bytes: Uint8Array<ArrayBuffer>,
  from: number,
): Entry {
  const { dtype, width, read } = STORAGES[kind], size = shape.reduce((n, s) => n * s, 1);
  if (size === 0) return { dtype, shape, data: read(new ArrayBuffer(0)) };
  const dense = shape.reduceRight(
    (step, s, i) => s === 1 || strides[i] === step ? step * s : NaN,
    1,
  );
  const last = shape.reduce((end, s, i) => end + (s - 1) * strides[i], 0);
  const begin = offset * width - from, found = bytes.subarray(begin, begin + (last + 1) * width);
  const own = found.length === found.buffer.byteLength;
  const packed = dense !== size
    ? gathered(elements(found, width), size, shape, strides)
    : own
    ? found
    : found.slice();
  return { dtype, shape, data: read(packed.buffer) };
}

type Words =
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>;

/** Bytes as elements of a width, copied only where they do not lie on multiples of it. */
function elements(bytes: Uint8Array<ArrayBuffer>, width: number): Words {
  const { buffer, byteOffset, length } = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const Kind = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }[width]!;
  return new Kind(buffer, byteOffset, length / width);
}

/** Elements in row-major order from an array of any strides. */
function gathered(
  all: Words,
  size: number,
  shape: readonly number[],
  strides: readonly number[],
): Words {
  const out = new (all.constructor as new (n: number) => Words)(size);
  let at = 0;
  const fill = (axis: number, from: number) => {
    const step = strides[axis];
    for (let i = 0, place = from; i < shape[axis]; i++, place += step) {
      if (axis < shape.length - 1) fill(axis + 1, place);
      else out[at++] = all[place];
    }
  };
  fill(0, 0);
  return out;
}
