/**
 * Arrays in NumPy's `.npy`.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @module
 */

/** An array as it is stored. */
export interface NumpyArray {
  /** NumPy's name of the type, such as `<f8`. */
  readonly type: string;
  readonly shape: readonly number[];
  /** The elements' bytes, in the order of the file. */
  readonly bytes: Uint8Array;
}

/** Encodes an array of little-endian or single-byte elements. */
export function encodeArray(
  type: string,
  shape: readonly number[],
  data: ArrayBufferView,
): Uint8Array<ArrayBuffer> {
  const sizes = shape.map((size) => `${size},`).join(" ");
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // The data begin at a multiple of 64 bytes, and the header ends with a line feed.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + length + data.byteLength);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, length & 255, length >> 8]);
  bytes.set(new TextEncoder().encode(text.padEnd(length - 1) + "\n"), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + length);
  return bytes;
}

/** What the header of an array says. */
export interface NumpyHeader {
  readonly type: string;
  readonly shape: readonly number[];
  /** Whether the first axis varies fastest. */
  readonly fortran: boolean;
  /** Where the elements begin. */
  readonly start: number;
  /** Their size in bytes. */
  readonly size: number;
}

/**
 * Reads the header of an array.
 *
 * @param name For messages.
 * @param bytes Begins with the header.
 * @throws {TypeError} If it is not an array of NumPy.
 */
export function arrayHeader(name: string, bytes: Uint8Array): NumpyHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || bytes[0] !== 0x93) {
    throw new TypeError(`${name} is not an array of NumPy`);
  }
  const old = bytes[6] === 1, from = old ? 10 : 12;
  const start = from + (old ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = new TextDecoder().decode(bytes.subarray(from, start));
  const type = /'descr': *'([^']+)'/.exec(header)?.[1] ?? "of records";
  const shape = /'shape': *\(([^)]*)\)/.exec(header)?.[1].split(",").filter((s) => s.trim())
    .map(Number);
  const width = Number(/\d+$/.exec(type)?.[0]) * (type[1] === "U" ? 4 : 1);
  if (!shape?.every((n) => Number.isSafeInteger(n) && n >= 0) || !(width > 0)) {
    throw new TypeError(`${name} is ${type}, expected an array of numbers`);
  }
  const fortran = /'fortran_order': *True/.test(header);
  return { type, shape, fortran, start, size: width * shape.reduce((n, s) => n * s, 1) };
}

/**
 * Takes an array apart.
 *
 * @param name For messages.
 * @throws {TypeError} If it is not an array of NumPy, or cut short.
 */
export function decodeArray(name: string, bytes: Uint8Array): NumpyArray {
  const { type, shape, start, size } = arrayHeader(name, bytes), body = bytes.subarray(start);
  if (body.length !== size) {
    throw new TypeError(`${name} has ${body.length} bytes, expected ${size}`);
  }
  return { type, shape, bytes: body };
}

/** Reads element `at` of a byte offset. */
type Read = (view: DataView, at: number, little: boolean) => number;

const FLOATS: Readonly<Record<string, Read>> = {
  f2: (view, at, little) => view.getFloat16(at, little),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
};

const INTEGERS: Readonly<Record<string, Read>> = {
  i1: (view, at) => view.getInt8(at),
  u1: (view, at) => view.getUint8(at),
  i2: (view, at, little) => view.getInt16(at, little),
  u2: (view, at, little) => view.getUint16(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
};

/**
 * The elements of an array of float16, float32 or float64, in either byte order.
 *
 * @param name For messages.
 * @throws {TypeError} If it is of another type.
 */
export function floatsOf(name: string, { type, bytes }: NumpyArray): Float64Array {
  const kind = type.slice(1), read = Object.hasOwn(FLOATS, kind) ? FLOATS[kind] : undefined;
  if (!read || !/^[<>]/.test(type)) {
    throw new TypeError(`${name} is ${type}, expected float16, float32 or float64`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = Number(kind[1]), little = type[0] === "<";
  return Float64Array.from(
    { length: bytes.length / width },
    (_, i) => read(view, i * width, little),
  );
}

/**
 * The elements of an array of integers; undefined if it is another.
 *
 * @param name For messages.
 * @throws {TypeError} If the bytes are not an array of NumPy, or cut short.
 */
export function wholeNumbersOf(name: string, array: Uint8Array): number[] | undefined {
  const { type, bytes } = decodeArray(name, array), kind = type.slice(1);
  const read = Object.hasOwn(INTEGERS, kind) ? INTEGERS[kind] : undefined;
  if (!read) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = Number(kind[1]);
  return Array.from(
    { length: bytes.length / width },
    (_, i) => read(view, i * width, type[0] !== ">"),
  );
}

/** The value of a single integer of any type; undefined if the array is something else. */
export function integerOf({ type, shape, bytes }: NumpyArray): number | undefined {
  const kind = type.slice(1), read = Object.hasOwn(INTEGERS, kind) ? INTEGERS[kind] : undefined;
  if (!read || shape.some((size) => size !== 1)) return undefined;
  return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, type[0] !== ">");
}
