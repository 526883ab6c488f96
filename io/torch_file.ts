/**
 * Reads the files of `torch.save` that hold tensors by name: the zips of today and the older ones.
 *
 * @module
 */
import { CheckpointError } from "./errors.ts";
import { type Callable, Unknown, unpickle } from "./pickle.ts";
import type { Contents } from "./safetensors.ts";
import { readTensors, STORAGES, type StoredElements, StoredTensor } from "./torch_tensors.ts";
import { type OpenedTorch, openTorchZip, type Stored } from "./torch_zip.ts";

/** The first number in an older file. */
const MAGIC = 0x1950a86a20f9469cfc6cn;

/** A class of storages, as a pickle names it. */
class StorageClass {
  constructor(readonly name: string) {}
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

function refuseSparse(): never {
  throw new TypeError("it holds a sparse tensor: save it by torch.save after .to_dense()");
}

/** The only names that mean something; what else a file holds beside tensors is passed over. */
const NAMES = new Map<string, Callable>([
  ["collections OrderedDict", () => new Map()],
  ["torch._utils _rebuild_tensor_v2", rebuildTensor],
  ["torch._utils _rebuild_parameter", (tensor) => tensor],
  ["torch._utils _rebuild_sparse_tensor", refuseSparse],
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
  const { storage, unknown } = (kind ?? {}) as { storage?: unknown; unknown?: string };
  if (unknown) throw new TypeError(`it stores numbers as ${unknown}: save them as float32`);
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
 * Reads a file's tensors by name. Records in records give names with dots between; what is put before
 * all names by training programs is taken off: see {@linkcode unwrapped}.
 *
 * @param bytes The whole file.
 * @param where The file's name, for messages.
 * @returns The tensors; `prefix` among the texts is what was taken off.
 * @throws {CheckpointError} If it is damaged, or does anything but hold tensors.
 */
export async function decodeTorch(
  bytes: Uint8Array<ArrayBuffer>,
  where: string,
): Promise<Contents> {
  try {
    const { value, storages } = isZip(bytes)
      ? await openTorchZip(bytes, unpickled)
      : openLegacy(bytes);
    const { prefix, tensors } = unwrapped(tensorsIn(value));
    if (value instanceof Unknown) {
      throw new TypeError(
        `it is an object of the class ${value.name}, not its tensors: in Python, save its ` +
          "state_dict() by torch.save, and give that file",
      );
    }
    if (tensors.size === 0) throw new TypeError("it holds no tensor");
    const entries = await readTensors(tensors, storages, 16 * bytes.length + 2 ** 20);
    return { entries, metadata: prefix ? { prefix } : {} };
  } catch (error) {
    throw new CheckpointError(
      `checkpoint: ${where} is not a file of tensors by torch.save: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** What is no tensor is passed over; a tensor that is made in another way must not be. */
const passes = (name: string) => !name.includes("._rebuild_");

function unpickled(program: Uint8Array): unknown {
  return unpickle(program, 0, { names: NAMES, persistent, passes }).value;
}

function openLegacy(bytes: Uint8Array<ArrayBuffer>): OpenedTorch {
  let at = 0;
  const next = () => {
    const { value, end } = unpickle(bytes, at, { names: NAMES, persistent: noting, passes });
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
  const found = new Map<string, Stored>();
  for (const key of keys) {
    const kind = kinds.get(key);
    if (kind === undefined) throw new TypeError(`nothing refers to its storage ${key}`);
    if (at + 8 > bytes.length) throw new TypeError("it ends early");
    const size = Number(view.getBigInt64(at, true)) * STORAGES[kind].width;
    at += 8;
    if (!(size >= 0 && at + size <= bytes.length)) throw new TypeError("it ends early");
    const start = at;
    found.set(key, {
      size,
      read: (from, to) => Promise.resolve(bytes.subarray(start + from, start + to)),
    });
    at += size;
  }
  return { value, storages: found };
}

const DEEPEST = 64; // of records within records; PyTorch's own are less than ten

/** All tensors of a pickle by name. A record that is there twice is looked through once. */
function tensorsIn(root: unknown): Map<string, StoredTensor> {
  const found = new Map<string, StoredTensor>(),
    seen = new Set<unknown>(),
    within = new Set<unknown>();
  const visit = (value: unknown, path: string) => {
    if (value instanceof StoredTensor) found.set(path, value);
    if (!(value instanceof Map)) return;
    if (within.has(value)) throw new TypeError(`its record ${path} holds itself`);
    if (seen.has(value)) return;
    if (within.size === DEEPEST) throw new TypeError(`its records are more than ${DEEPEST} deep`);
    seen.add(value);
    within.add(value);
    for (const [key, part] of value) {
      if (typeof key === "object" && key !== null) continue; // no name of a tensor
      visit(part, path ? `${path}.${key}` : String(key));
    }
    within.delete(value);
  };
  visit(root, "");
  return found;
}

/** What training programs put before the names of a network's tensors. */
const WRAPPERS = ["state_dict", "model_state_dict", "g_ema", "G_ema", "model", "module"];

/**
 * Takes off what stands before the names of a network: the record of a checkpoint that holds it, beside
 * which an optimiser's may lie, and the `module.` of `DataParallel`.
 */
function unwrapped(tensors: Map<string, StoredTensor>) {
  let prefix = "", rest = [...tensors];
  while (true) {
    const wrapper = WRAPPERS.map((name) => `${name}.`).find((wrapper) =>
      rest.some(([name]) => name.startsWith(wrapper)) &&
      rest.every(([name]) => name.startsWith(wrapper) || /^(optim|ema|scheduler)/i.test(name))
    );
    if (wrapper === undefined) return { prefix, tensors: new Map(rest) };
    prefix += wrapper;
    rest = rest.filter(([name]) => name.startsWith(wrapper))
      .map(([name, tensor]) => [name.slice(wrapper.length), tensor]);
  }
}
