import { crc32, inflateRawSync } from "node:zlib";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from "@zip.js/zip.js";
import type { ReadAt, ZipEntry } from "./zip_directory.ts";

const LOCAL = 0x04034b50, LOCAL_SIZE = 30, DEFLATE64 = 9;
const MOST_BYTES = 2 ** 30;
const METHODS: Readonly<Record<number, string>> = {
  12: "bzip2",
  14: "LZMA",
  93: "Zstandard",
  95: "XZ",
  98: "PPMd",
  99: "AES encryption",
};

/** By zip.js, from a zip of this one entry: of an archive of many entries it needs 7 KB for each. */
async function inflate64(data: Uint8Array, { crc, size }: ZipEntry): Promise<Uint8Array> {
  const local = new DataView(new ArrayBuffer(LOCAL_SIZE + 1));
  const central = new DataView(new ArrayBuffer(46 + 1));
  const end = new DataView(new ArrayBuffer(22));
  // The fields that a local header and an entry of the directory share, and a name of one letter.
  for (const [view, at] of [[local, 4], [central, 6]] as const) {
    view.setUint16(at, 21, true);
    view.setUint16(at + 4, DEFLATE64, true);
    view.setUint32(at + 10, crc, true);
    view.setUint32(at + 14, data.length, true);
    view.setUint32(at + 18, size, true);
    view.setUint16(at + 22, 1, true);
    view.setUint8(view.byteLength - 1, 0x61);
  }
  local.setUint32(0, LOCAL, true);
  central.setUint32(0, 0x02014b50, true);
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, 1, true);
  end.setUint16(10, 1, true);
  end.setUint32(12, central.byteLength, true);
  end.setUint32(16, local.byteLength + data.length, true);
  const zip = new Blob([local, data as Uint8Array<ArrayBuffer>, central, end]);
  const reader = new ZipReader(new Uint8ArrayReader(await zip.bytes()), { useWebWorkers: false });
  try {
    const [entry] = await reader.getEntries();
    if (entry.directory) throw new Error("damaged in the zip");
    return await entry.getData(new Uint8ArrayWriter());
  } finally {
    await reader.close();
  }
}

async function unpack(data: Uint8Array<ArrayBuffer>, entry: ZipEntry): Promise<Uint8Array> {
  if (entry.flags & 1) throw new Error("it is encrypted: unpack the zip and give the folder");
  if (entry.method === 0) return data;
  if (entry.method === DEFLATE64) return await inflate64(data, entry);
  if (entry.method !== 8) {
    const method = METHODS[entry.method] ?? `method ${entry.method}`;
    throw new Error(`compressed by ${method}: unpack the zip and give the folder`);
  }
  // One more than it should have, so that an entry that states too little is noticed.
  return inflateRawSync(data, { maxOutputLength: entry.size + 1 });
}

/**
 * Where the content of an entry begins.
 *
 * @param read Reads the file.
 * @param entry The entry.
 * @returns The place in the file.
 * @throws {Error} If the entry is not where the directory says.
 */
export function dataOffset(read: ReadAt, { offset }: ZipEntry): number {
  const header = read(offset, LOCAL_SIZE), view = new DataView(header.buffer);
  if (view.getUint32(0, true) !== LOCAL) throw new Error("damaged in the zip: no local header");
  return offset + LOCAL_SIZE + view.getUint16(26, true) + view.getUint16(28, true);
}

/**
 * Reads the content of one entry of a zip.
 *
 * @param read Reads the file.
 * @param entry The entry.
 * @returns The content.
 * @throws {Error} If it is damaged, encrypted or of an unknown kind of compression.
 */
export async function readEntry(read: ReadAt, entry: ZipEntry): Promise<Uint8Array> {
  if (Math.max(entry.size, entry.compressedSize) > MOST_BYTES) {
    throw new Error(`it has ${entry.size} bytes, more than an image is given`);
  }
  const start = dataOffset(read, entry);
  let content: Uint8Array;
  try {
    content = await unpack(read(start, entry.compressedSize), entry);
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    // zlib's own words have a code.
    throw code === undefined ? error : new Error(`damaged in the zip: ${message}`);
  }
  if (content.length !== entry.size || crc32(content) !== entry.crc) {
    throw new Error("damaged in the zip: its checksum does not match");
  }
  return content;
}
