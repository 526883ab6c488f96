/** Damaged files, drawn: bytes and JSON changed in a few places, and checksums made right again. */
import { crc32 } from "node:zlib";
import fc from "fast-check";

/** Pixels beyond which damaged images are refused. */
export const FEW_PIXELS = 1e5;

/** A change of bytes; places are shares of the length, so that they suit any file. */
interface Change {
  readonly how: "bit" | "byte" | "number" | "remove" | "repeat" | "insert" | "cut" | "zeros";
  readonly place: number;
  readonly value: number;
  readonly width: 1 | 2 | 4 | 8;
  readonly little: boolean;
}

const HOW = ["bit", "byte", "number", "remove", "repeat", "insert", "cut", "zeros"] as const;

/** Sizes, counts and offsets at which arithmetic goes wrong. */
const NUMBERS = [0, 1, 2, 7, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2 ** 24, 2 ** 31 - 1];
NUMBERS.push(2 ** 31, 2 ** 32 - 1, 2 ** 32 - 8, 2 ** 32, 2 ** 40, 2 ** 53, -1, -2, -4096);

const share = fc.nat(2 ** 30).map((n) => n / 2 ** 30);

/** One to six changes; half of the places near the beginning, where headers are. */
export const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.record({
    how: fc.constantFrom(...HOW),
    place: fc.oneof(share, share.map((x) => x ** 4)),
    value: fc.oneof(fc.constantFrom(...NUMBERS), fc.nat(2 ** 31 - 1)),
    width: fc.constantFrom(1, 2, 4, 8),
    little: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6, size: "max" },
);

/** The bytes with these changes. */
export function changed(
  original: Uint8Array,
  changes: readonly Change[],
): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(original);
  for (const { how, place, value, width, little } of changes) {
    const at = Math.floor(place * bytes.length), some = 1 + Math.abs(value) % 64;
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
    if (how === "bit" && after.length) after[0] ^= 1 << (Math.abs(value) % 8);
    else if (how === "byte" && after.length) after[0] = value;
    else if (how === "zeros") after.fill(0, 0, some);
    else if (how === "cut") bytes = bytes.slice(0, at);
    else if (how === "remove") bytes = joined(before, after.subarray(some));
    else if (how === "repeat") bytes = joined(before, after.subarray(0, some), after);
    else if (how === "insert") bytes = joined(before, new Uint8Array(some).fill(value), after);
    else if (how === "number" && after.length >= width) {
      const written = new DataView(new ArrayBuffer(8));
      written.setBigInt64(0, BigInt(value), little);
      const from = little ? 0 : 8 - width;
      after.set(new Uint8Array(written.buffer, from, width));
    }
  }
  return bytes;
}

/** Makes the CRC of every chunk of a PNG right. */
export function withPngSums(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer);
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length) break;
    view.setUint32(end, crc32(bytes.subarray(at + 4, end)));
    at = end + 4;
  }
  return bytes;
}

/** Makes the checksum of every header of a tar right. */
export function withTarSums(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    const header = bytes.subarray(at, at + 512);
    if (new TextDecoder().decode(header.subarray(257, 262)) !== "ustar") continue;
    header.fill(0x20, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  }
  return bytes;
}

/** Values that stand where others are expected. */
const anyValue = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, "", "x", [], {}, [null], { a: 1 }),
  fc.constantFrom<unknown>(...NUMBERS, 0.5, -1e300, 1e300, 1e-300, "1", "constructor", "\u001b[2J"),
  fc.string({ maxLength: 5 }),
);

/** A JSON record with some fields replaced, left out or added, also in records within it. */
export function changedRecord(record: Readonly<Record<string, unknown>>): fc.Arbitrary<unknown> {
  const names = Object.keys(record);
  const field = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...names) },
    fc.constantFrom("__proto__", "constructor", "toString", "other"),
  );
  const change = fc.tuple(field, fc.oneof(anyValue, fc.constant(LEFT_OUT)));
  const whole = fc.array(change, { minLength: 1, maxLength: 4, size: "max" }).map((changes) => {
    const copy: Record<string, unknown> = { ...record };
    for (const [name, value] of changes) {
      if (value === LEFT_OUT) delete copy[name];
      else Object.defineProperty(copy, name, { value, enumerable: true, configurable: true });
    }
    return copy;
  });
  return fc.oneof({ weight: 10, arbitrary: whole }, anyValue);
}

const LEFT_OUT = Symbol("left out");
