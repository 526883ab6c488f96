/**
 * The element types of arrays in files, by the names that safetensors gives them.
 *
 * @module
 */

/** The typed array of each. */
export const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const satisfies Record<Dtype, unknown>;

/** The element types that are kept as they are. */
export type Dtype =
  | "F64"
  | "F32"
  | "I64"
  | "U64"
  | "I32"
  | "U32"
  | "I16"
  | "U16"
  | "I8"
  | "U8"
  | "BOOL";

/** The typed arrays that hold them. */
export type Elements =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** Half-width types are read, not written: they are widened to F32. */
export const WIDEN: Record<string, (bytes: ArrayBuffer) => Float32Array> = {
  F16: (bytes) => Float32Array.from(new Float16Array(bytes)),
  BF16: (bytes) =>
    new Float32Array(Uint32Array.from(new Uint16Array(bytes), (half) => half << 16).buffer),
};

/** True for a type that is kept as it is. */
export function isDtype(dtype: string): dtype is Dtype {
  return Object.hasOwn(ARRAYS, dtype);
}

/** Bytes of one element; undefined for a type that we do not know. */
export function widthOf(dtype: string): number | undefined {
  if (isDtype(dtype)) return ARRAYS[dtype].BYTES_PER_ELEMENT;
  return Object.hasOwn(WIDEN, dtype) ? 2 : undefined;
}
