import { Buffer } from "node:buffer";

/** Reads `length` bytes of an open file from `offset` on. */
export type ReadAt = (offset: number, length: number) => Uint8Array<ArrayBuffer>;

/** The central directory of a zip. */
export interface ZipDirectory {
  /** The directory as stored: its entries one after another. */
  bytes: Uint8Array<ArrayBuffer>;
  /** What precedes the zip in its file; offsets are counted from there. */
  base: number;
}

/** What the central directory says of one entry. */
export interface ZipEntry {
  /** Bit 0: encrypted. */
  flags: number;
  /** 0 stored, 8 deflated. */
  method: number;
  /** CRC-32 of the content. */
  crc: number;
  /** Bytes in the file. */
  compressedSize: number;
  /** Bytes of the content. */
  size: number;
  /** Where its local header is. */
  offset: number;
}

const ENTRY = 0x02014b50, END = 0x06054b50, END64 = 0x06064b50, LOCATOR64 = 0x07064b50;
const ENTRY_SIZE = 46, END_SIZE = 22, LOCATOR64_SIZE = 20, END64_SIZE = 56, MOST_COMMENT = 0xffff;
const NOWHERE = 0xffffffff; // the value is in the entry's zip64 field
const MOST_BYTES = 2 ** 31;
const DAMAGED = "its directory is damaged";

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function number64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

/** Where the end record is in the file's tail: the last one whose comment fills the file. */
function findEnd(tail: DataView): number {
  let found = -1;
  for (let at = tail.byteLength - END_SIZE; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END) continue;
    if (at + END_SIZE + tail.getUint16(at + 20, true) === tail.byteLength) return at;
    if (found < 0) found = at;
  }
  return found;
}

/** The zip64 end record, if there is one, by its locator before the end record. */
function findEnd64(read: ReadAt, end: number): { at: number; view: DataView } | undefined {
  if (end < LOCATOR64_SIZE + END64_SIZE) return undefined;
  const locator = viewOf(read(end - LOCATOR64_SIZE, LOCATOR64_SIZE));
  if (locator.getUint32(0, true) !== LOCATOR64) return undefined;
  for (const at of [end - LOCATOR64_SIZE - END64_SIZE, number64(locator, 8)]) {
    if (at + END64_SIZE > end) continue;
    const view = viewOf(read(at, END64_SIZE));
    if (view.getUint32(0, true) === END64) return { at, view };
  }
  throw new Error("its zip64 end record is missing");
}

/**
 * Reads the central directory of a zip: that of zip64, too, and of one that follows other bytes.
 *
 * @param read Reads the file.
 * @param fileSize Its size in bytes.
 * @returns The directory.
 * @throws {Error} If there is none, or the file is one of several parts.
 */
export function readDirectory(read: ReadAt, fileSize: number): ZipDirectory {
  const tailSize = Math.min(fileSize, END_SIZE + MOST_COMMENT), tailAt = fileSize - tailSize;
  const tail = viewOf(read(tailAt, tailSize)), inTail = findEnd(tail);
  if (inTail < 0) throw new Error("its directory is missing");
  const end64 = findEnd64(read, tailAt + inTail);
  const [disk, size, offset, end] = end64
    ? [
      end64.view.getUint32(16, true),
      number64(end64.view, 40),
      number64(end64.view, 48),
      end64.at,
    ]
    : [
      tail.getUint16(inTail + 4, true),
      tail.getUint32(inTail + 12, true),
      tail.getUint32(inTail + 16, true),
      tailAt + inTail,
    ];
  if (disk !== 0) throw new Error("it is one of several parts");
  if (size > MOST_BYTES) throw new Error(`its directory has ${size} bytes`);
  if (size === 0) return { bytes: new Uint8Array(0), base: 0 };
  if (size < ENTRY_SIZE) throw new Error(DAMAGED);
  // Directly before the end record, whatever precedes the zip; else where it is said to be.
  for (const start of [end - size, offset]) {
    if (start < offset || start + size > end) continue;
    const bytes = read(start, size);
    if (viewOf(bytes).getUint32(0, true) === ENTRY) return { bytes, base: start - offset };
  }
  throw new Error("its directory is not where it should be");
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Names are UTF-8, whether marked as such or not, or else of an unknown code page. */
function decodeName(latin1: string): string {
  // deno-lint-ignore no-control-regex
  if (/^[\x00-\x7f]*$/.test(latin1)) return latin1;
  try {
    return utf8.decode(Buffer.from(latin1, "latin1"));
  } catch {
    return latin1;
  }
}

/** More entries than this do not fit into a directory of its size. */
export function mostEntries({ bytes }: ZipDirectory): number {
  return Math.ceil(bytes.length / ENTRY_SIZE);
}

/**
 * Walks a directory.
 *
 * @param directory The directory.
 * @param visit Told the name of each entry, as stored, and where it is in the directory.
 * @throws {Error} If it is damaged.
 */
export function walkDirectory(
  { bytes }: ZipDirectory,
  visit: (name: string, at: number) => void,
): void {
  const view = viewOf(bytes);
  const buffer = Buffer.from(bytes.buffer);
  for (let at = 0; at < bytes.length;) {
    if (at + ENTRY_SIZE > bytes.length || view.getUint32(at, true) !== ENTRY) {
      throw new Error(DAMAGED);
    }
    const nameEnd = at + ENTRY_SIZE + view.getUint16(at + 28, true);
    const next = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > bytes.length) throw new Error(DAMAGED);
    visit(decodeName(buffer.toString("latin1", at + ENTRY_SIZE, nameEnd)), at);
    at = next;
  }
}

/** The numbers of an entry's zip64 field, which has those that do not fit the entry; undefined without one. */
function zip64Field(view: DataView, at: number): DataView | undefined {
  const start = at + ENTRY_SIZE + view.getUint16(at + 28, true);
  const end = start + view.getUint16(at + 30, true);
  for (let field = start; field + 4 <= end; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 0x0001) continue;
    const size = Math.min(view.getUint16(field + 2, true), end - field - 4);
    return new DataView(view.buffer, view.byteOffset + field + 4, size);
  }
  return undefined;
}

/**
 * Reads one entry of a directory.
 *
 * @param directory The directory.
 * @param at Where the entry is in it.
 * @returns The entry.
 * @throws {Error} If it is damaged.
 */
export function entryAt({ bytes, base }: ZipDirectory, at: number): ZipEntry {
  const view = viewOf(bytes);
  let taken = 0; // bytes of the zip64 field
  const wide = (place: number): number => {
    const value = view.getUint32(at + place, true);
    const field = value === NOWHERE ? zip64Field(view, at) : undefined;
    if (!field) return value;
    if (taken + 8 > field.byteLength) throw new Error(DAMAGED);
    taken += 8;
    return number64(field, taken - 8);
  };
  // In the order in which the zip64 field has them.
  const size = wide(24), compressedSize = wide(20), offset = base + wide(42);
  return {
    flags: view.getUint16(at + 8, true),
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    compressedSize,
    size,
    offset,
  };
}
