/**
 * The safetensors file format: arrays by name, readable by PyTorch, JAX and the rest.
 *
 * A file is the length of a JSON header (8 bytes, little endian), the header, and the arrays' bytes
 * without a hole. Bytes are taken as they lie in memory: all machines that Deno runs on are little
 * endian.
 *
 * @see https://github.com/huggingface/safetensors#format
 * @module
 */
import { headerText, isDamaged, seal } from "./checksum.ts";
import { ARRAYS, type Dtype, type Elements, isDtype, WIDEN, widthOf } from "./dtypes.ts";
import { CheckpointError, DamagedError } from "./errors.ts";
import { nonFiniteIn } from "./non_finite.ts";
import { writeAtomically } from "./write_atomically.ts";

/** One array of a file. */
export interface Entry {
  /** Type of the elements. */
  readonly dtype: Dtype;
  /** Sizes along the axes. */
  readonly shape: readonly number[];
  /** Row-major elements in the typed array of `dtype`; `BOOL` is a byte each, 0 or 1. */
  readonly data: Elements;
}

/** What a file holds. */
export interface Contents {
  /** Arrays by name. */
  readonly entries: Map<string, Entry>;
  /** Texts by name. */
  readonly metadata: Record<string, string>;
}

interface Place {
  name: string;
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

/** The reference implementation refuses a longer header. */
const HEADER_LIMIT = 100_000_000;

function product(shape: readonly number[]): number {
  return shape.reduce((n, size) => n * size, 1);
}

/**
 * The bytes of a file that holds `entries`.
 *
 * Wide types come first, so that each array starts at a multiple of its element's width.
 *
 * @param entries Arrays by name.
 * @param metadata Texts to keep beside them.
 * @returns The whole file.
 * @throws {CheckpointError} If an entry's data does not fit its shape or dtype.
 */
export function encodeSafetensors(
  entries: ReadonlyMap<string, Entry>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = Object.create(null);
  const ordered = [...entries].sort(([, a], [, b]) =>
    b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT
  );
  let end = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    checkEntry(name, dtype, shape, data);
    const begin = end;
    end += data.byteLength;
    header[name] = { dtype, shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(headerText(header, metadata));
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(start + end);
  file.fill(0x20, 8 + json.length, start);
  file.set(json, 8);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
  let at = start;
  for (const [, { data }] of ordered) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  seal(file);
  return file;
}

function checkEntry(
  name: string,
  dtype: Dtype,
  shape: readonly number[],
  data: Elements,
): void {
  const fault = (what: string) => new CheckpointError(`safetensors: cannot write ${name}: ${what}`);
  if (name === "__metadata__") throw fault("the name is reserved for texts");
  if (!isDtype(dtype)) throw fault(`unknown dtype ${dtype}`);
  if (!(data instanceof ARRAYS[dtype])) {
    throw fault(`${dtype} goes in ${ARRAYS[dtype].name}, got ${data.constructor.name}`);
  }
  if (product(shape) !== data.length) {
    throw fault(`got ${data.length} elements, expected shape [${shape}]`);
  }
}

/**
 * Reads the bytes of a file, and believes none of it unchecked.
 *
 * @param bytes The whole file.
 * @param where What to call the file in an error.
 * @returns Arrays by name, in the order in which they lie in the file, and the texts beside them.
 *   `F16` and `BF16` come as `F32`.
 * @throws {DamagedError} If it is not a whole and sound safetensors file.
 * @throws {CheckpointError} If it is damaged so that it holds NaN or infinity, which may be meant.
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): Contents {
  const { header, body } = splitHeader(bytes, where);
  const metadata = metadataIn(header, where), { __metadata__: _, ...rest } = header;
  const places = Object.entries(rest).map(([name, value]) => readPlace(name, value, where));
  places.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of places) {
    if (begin !== at) {
      const what = begin < at ? "overlaps the array before it" : "leaves a hole before it";
      throw refusal(where, `${name} ${what}: it begins at ${begin}, expected ${at}`);
    }
    at = end;
  }
  if (at !== body.length) {
    const what = at > body.length ? "it is cut short" : "it has bytes that belong to no array";
    throw refusal(where, `${what}: got ${body.length} bytes of data, expected ${at}`);
  }
  const entries = new Map(places.map((place) => [place.name, readEntry(place, body)]));
  if (isDamaged(bytes)) {
    const bad = nonFiniteIn(entries);
    if (bad) throw new CheckpointError(`${where}: ${bad}, and ${MISMATCH}; use another file`);
    throw refusal(where, MISMATCH);
  }
  return { entries, metadata };
}

const MISMATCH = "its checksum does not match: the file was damaged, or changed by another program";

function refusal(where: string, what: string): DamagedError {
  return new DamagedError(`safetensors: cannot read ${where}: ${what}; use another file`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function splitHeader(
  bytes: Uint8Array,
  where: string,
): { header: Record<string, unknown>; body: Uint8Array } {
  if (bytes.length < 8) throw refusal(where, `it is cut short: it has ${bytes.length} bytes`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > HEADER_LIMIT) {
    throw refusal(where, `it is no safetensors file: its header would be ${length} bytes long`);
  }
  if (8 + length > bytes.length) {
    const got = bytes.length - 8;
    throw refusal(where, `it is cut short: got ${got} bytes of header, expected ${length}`);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length));
    const header: unknown = JSON.parse(text);
    if (!isRecord(header)) throw new TypeError("it is not a record");
    return { header, body: bytes.subarray(8 + length) };
  } catch (error) {
    throw refusal(where, `its header is not JSON (${(error as Error).message})`);
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function readPlace(name: string, value: unknown, where: string): Place {
  const { dtype, shape, data_offsets: offsets } = isRecord(value) ? value : {};
  if (typeof dtype !== "string" || widthOf(dtype) === undefined) {
    throw refusal(where, `${name} has the unknown dtype ${JSON.stringify(dtype)}`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw refusal(where, `${name} has the shape ${JSON.stringify(shape)}, expected sizes`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw refusal(where, `${name} has data_offsets ${JSON.stringify(offsets)}, expected two`);
  }
  const [begin, end] = offsets as [number, number];
  const expected = product(shape) * widthOf(dtype)!;
  if (end - begin !== expected) {
    const got = `got ${end - begin} bytes, expected ${expected} for ${dtype} [${shape}]`;
    throw refusal(where, `${name} does not fit its shape: ${got}`);
  }
  return { name, dtype, shape, begin, end };
}

/** Copies, since a file's arrays need not be aligned. */
function readEntry({ dtype, shape, begin, end }: Place, body: Uint8Array): Entry {
  const { buffer } = Uint8Array.from(body.subarray(begin, end));
  if (isDtype(dtype)) return { dtype, shape, data: new ARRAYS[dtype](buffer) };
  return { dtype: "F32", shape, data: WIDEN[dtype](buffer) };
}

/**
 * Writes a file whole or not at all.
 *
 * @param path Where to.
 * @param entries Arrays by name.
 * @param metadata Texts to keep beside them.
 * @throws {CheckpointError} If the file cannot be written; what was there before is then still
 *   there.
 */
export async function saveSafetensors(
  path: string,
  entries: ReadonlyMap<string, Entry>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const bytes = encodeSafetensors(entries, metadata);
  try {
    await writeAtomically(path, bytes);
  } catch (error) {
    throw new CheckpointError(
      `checkpoint: cannot write ${path} (${bytes.length} bytes): ` +
        (error as Error).message.replace(`${path}: `, ""),
      { cause: error },
    );
  }
}

/**
 * Reads the texts of a file, and none of its arrays.
 *
 * @param path Where from.
 * @throws {CheckpointError} If there is no such file, or its header is not a sound one.
 */
export async function loadMetadata(path: string): Promise<Record<string, string>> {
  using file = await reading(path, () => Deno.open(path));
  const start = new Uint8Array(8), length = await reading(path, () => file.read(start));
  const size = length === 8 ? Number(new DataView(start.buffer).getBigUint64(0, true)) : 0;
  const head = new Uint8Array(8 + Math.min(size, HEADER_LIMIT, (await file.stat()).size));
  head.set(start);
  let at = 8;
  while (at < head.length) {
    const got = await reading(path, () => file.read(head.subarray(at)));
    if (got === null) break;
    at += got;
  }
  return metadataIn(splitHeader(head.subarray(0, length === 8 ? at : 0), path).header, path);
}

/** The texts of a header, without the checksum. */
function metadataIn(
  { __metadata__: metadata = {} }: Record<string, unknown>,
  where: string,
): Record<string, string> {
  if (!isRecord(metadata) || Object.values(metadata).some((text) => typeof text !== "string")) {
    throw refusal(where, "its __metadata__ is not a record of texts");
  }
  const { checksum: _, ...texts } = metadata;
  return texts as Record<string, string>;
}

async function reading<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : (error as Error).message;
    throw new CheckpointError(`checkpoint: cannot read ${path}: ${why}`, { cause: error });
  }
}

/**
 * Reads a file.
 *
 * @param path Where from.
 * @returns As {@linkcode decodeSafetensors}.
 * @throws {CheckpointError} If there is no such file, or it is not a whole and sound one.
 */
export async function loadSafetensors(path: string): Promise<Contents> {
  const bytes = await reading(path, () => Deno.readFile(path));
  return decodeSafetensors(bytes, path);
}
