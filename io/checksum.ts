/**
 * The checksum of safetensors files that this program writes: the first text of their metadata, over all
 * bytes of the file but its own digits.
 *
 * Whoever writes such a file anew puts its header together otherwise: then there is nothing to check.
 *
 * @module
 */
import { crc32 } from "node:zlib";

const START = '{"__metadata__":{"checksum":"crc32:', DIGITS = "00000000";
const AT = 8 + START.length, END = AT + DIGITS.length;

/** The JSON of a header, with room for the checksum. */
export function headerText(
  arrays: Readonly<Record<string, unknown>>,
  { checksum: _, ...metadata }: Readonly<Record<string, string>>,
): string {
  const rest = (record: object) => {
    const text = JSON.stringify(record).slice(1);
    return text === "}" ? text : `,${text}`;
  };
  return `${START}${DIGITS}"${rest(metadata)}${rest(arrays)}`;
}

/** Writes the checksum into a file whose header is of {@linkcode headerText}. */
export function seal(file: Uint8Array): void {
  file.set(new TextEncoder().encode(digitsOf(file)), AT);
}

/** Whether a file has a checksum, and it is not that of its bytes. */
export function isDamaged(file: Uint8Array): boolean {
  const digits = digitsIn(file);
  return digits !== undefined && digits !== digitsOf(file);
}

/** Whether a file has a checksum, and it is that of its bytes. */
export function isSound(file: Uint8Array): boolean {
  return digitsIn(file) === digitsOf(file);
}

function digitsIn(file: Uint8Array): string | undefined {
  const text = new TextDecoder("latin1").decode(file.subarray(8, END));
  return text.startsWith(START) ? text.slice(START.length) : undefined;
}

function digitsOf(file: Uint8Array): string {
  const before = crc32(DIGITS, crc32(file.subarray(0, AT)));
  return crc32(file.subarray(END), before).toString(16).padStart(DIGITS.length, "0");
}
