import { crc32 } from "node:zlib";
import { type FileEntry, Uint8ArrayReader, ZipReader } from "@zip.js/zip.js";

/** Elements that a file stores. */
export interface Stored {
  /** In bytes. */
  readonly size: number;
  /** Reads bytes `from` to `to` of them. */
  readonly read: (from: number, to: number) => Promise<Uint8Array<ArrayBuffer>>;
}

/** A file of `torch.save`, of which no elements are read yet. */
export interface OpenedTorch {
  readonly value: unknown;
  /** By the keys that the value's tensors have. */
  readonly storages: ReadonlyMap<string, Stored>;
}

const LOCAL = 0x04034b50, HEADER = 30; // of a file in a zip: its mark, and its size without names
const MOST_PROGRAM = 2 ** 26; // bytes of data.pkl: it holds names and shapes

/**
 * Opens a zip of `torch.save`.
 *
 * @param unpickled The value of its pickle.
 * @throws {TypeError} If it is none.
 */
export async function openTorchZip(
  bytes: Uint8Array<ArrayBuffer>,
  unpickled: (program: Uint8Array) => unknown,
): Promise<OpenedTorch> {
  const zip = new ZipReader(new Uint8ArrayReader(bytes), { useWebWorkers: false });
  const files = new Map<string, Stored>();
  for await (const entry of zip.getEntriesGenerator()) {
    if (entry.directory) continue;
    const read = async (from: number, to: number) =>
      stored(bytes, entry)?.subarray(from, to) ?? await part(entry, from, to);
    files.set(entry.filename.replace(/^[^/]*\//, ""), { size: entry.uncompressedSize, read });
  }
  const program = files.get("data.pkl");
  if (!program) throw new TypeError("the zip has no data.pkl");
  if (program.size > MOST_PROGRAM) throw new TypeError(`its data.pkl has ${program.size} bytes`);
  const value = unpickled(await program.read(0, program.size));
  const storages = [...files].filter(([name]) => name.startsWith("data/"))
    .map(([name, stored]) => [name.slice("data/".length), stored] as const);
  return { value, storages: new Map(storages) };
}

/** The bytes of a file that is not compressed, as torch.save leaves all, in place; their sum is right. */
function stored(
  zip: Uint8Array<ArrayBuffer>,
  { filename, offset, compressionMethod, encrypted, uncompressedSize, signature }: FileEntry,
): Uint8Array<ArrayBuffer> | undefined {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.length);
  if (compressionMethod !== 0 || encrypted || offset + HEADER > zip.length) return undefined;
  if (view.getUint32(offset, true) !== LOCAL) return undefined;
  const lengths = view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  const start = offset + HEADER + lengths, found = zip.subarray(start, start + uncompressedSize);
  if (found.length < uncompressedSize) return undefined;
  if (crc32(found) !== signature) throw new TypeError(`${filename} is damaged (Invalid CRC32)`);
  return found;
}

/** Reads a part of a file, and checks the sum of all of it. */
async function part(entry: FileEntry, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
  const found = new Uint8Array(to - from);
  let at = 0;
  const sink = new WritableStream<Uint8Array>({
    write(chunk) {
      if (at < to && at + chunk.length > from) {
        const wanted = chunk.subarray(Math.max(0, from - at), Math.max(0, to - at));
        found.set(wanted, Math.max(0, at - from));
      }
      at += chunk.length;
    },
  });
  try {
    await entry.getData(sink, { checkSignature: true });
  } catch (error) {
    throw new TypeError(`${entry.filename} is damaged (${(error as Error).message})`);
  }
  if (at < to) throw new TypeError(`${entry.filename} ends early`);
  return found;
}
