import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { constants, createGunzip, type Gunzip, gunzipSync } from "node:zlib";

/** A file, or what a gzip file holds, read at any place. */
export interface Bytes {
  /** Size in bytes, where it is known without reading all. */
  readonly size?: number;
  /**
   * Reads `length` bytes from `offset` on, fewer at the end.
   *
   * @throws {Error} If the end is before the offset.
   */
  upTo(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Closes what is open. */
  close(): void;
}

/**
 * Reads a part of a file.
 *
 * @param bytes The file.
 * @param offset Where the part begins.
 * @param length Its size in bytes.
 * @returns The part.
 * @throws {Error} If the file ends before.
 */
export async function exactly(
  bytes: Bytes,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = bytes;
  if (offset < 0 || length < 0) {
    throw new Error(`it declares ${length} bytes from byte ${offset} on`);
  }
  // Before memory is taken for a size that is only declared.
  if (size !== undefined && offset + length > size) throw endsEarly(size, offset + length);
  const part = await bytes.upTo(offset, length);
  if (part.length < length) throw endsEarly(offset + part.length, offset + length);
  return part;
}

function endsEarly(end: number, expected: number): Error {
  return new Error(`it ends at byte ${end}, expected at least ${expected}`);
}

/**
 * Opens a file.
 *
 * @param path The file.
 * @returns Its bytes.
 */
export function openBytes(path: string): Bytes {
  const file = Deno.openSync(path), { size } = file.statSync();
  return {
    size,
    // Seeking and reading in one go: no other read of the same file can come between.
    upTo: (offset, length) => {
      if (offset > size) return Promise.reject(endsEarly(size, offset));
      const part = new Uint8Array(Math.min(length, size - offset));
      file.seekSync(offset, Deno.SeekMode.Start);
      let done = 0;
      while (done < part.length) {
        const read = file.readSync(part.subarray(done));
        if (read === null) break;
        done += read;
      }
      return Promise.resolve(part.subarray(0, done));
    },
    close: () => file.close(),
  };
}

/**
 * What a gzip file holds. It is decompressed on the way from one read to the next, and from its start
 * again for a read that goes back; nothing is kept but the part that is being read.
 */
class Unzipped implements Bytes {
  #path: string;
  #stream: Gunzip | undefined;
  #chunks: AsyncIterator<Uint8Array> | undefined;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Where the current chunk begins. */
  #at = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  upTo(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const part = this.#turn.then(() => this.#read(offset, length));
    this.#turn = part.catch(() => {});
    return part;
  }

  async #read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.#chunks || offset < this.#at) this.#restart();
    const parts: Uint8Array[] = [];
    let done = 0;
    while (true) {
      const from = offset + done - this.#at;
      if (from < this.#chunk.length) {
        // A copy: node's buffers share memory with their slices.
        const part = new Uint8Array(this.#chunk.subarray(from, from + length - done));
        parts.push(part);
        done += part.length;
      }
      if (done === length) break;
      const end = this.#at + this.#chunk.length;
      const next = await this.#chunks!.next();
      if (next.done) {
        if (end < offset) throw endsEarly(end, offset);
        break;
      }
      this.#at = end;
      this.#chunk = next.value;
    }
    if (parts.length === 1) return parts[0] as Uint8Array<ArrayBuffer>;
    const whole = new Uint8Array(done);
    for (let i = 0, at = 0; i < parts.length; at += parts[i++].length) whole.set(parts[i], at);
    return whole;
  }

  #restart(): void {
    this.close();
    this.#stream = createGunzip({ chunkSize: 1 << 18 });
    pipeline(createReadStream(this.#path), this.#stream, () => {}); // the iterator throws
    this.#chunks = this.#stream[Symbol.asyncIterator]();
    this.#chunk = new Uint8Array(0);
    this.#at = 0;
  }

  close(): void {
    this.#stream?.destroy();
  }
}

/**
 * Opens a gzip file, of one member or of several.
 *
 * @param path The file.
 * @returns What it holds.
 */
export function openGunzip(path: string): Bytes {
  return new Unzipped(path);
}

/**
 * What can be had of a gzip file that is cut short, kept in memory.
 *
 * @param path The file.
 * @param most Bytes that it may hold.
 * @returns What it holds up to the place where it ends.
 * @throws {Error} If it is damaged otherwise, or holds more.
 */
export function openCutGunzip(path: string, most: number): Bytes {
  const whole = gunzipSync(Deno.readFileSync(path), {
    finishFlush: constants.Z_SYNC_FLUSH,
    maxOutputLength: most,
  });
  return {
    size: whole.length,
    upTo: (offset, length) =>
      offset > whole.length
        ? Promise.reject(endsEarly(whole.length, offset))
        : Promise.resolve(new Uint8Array(whole.subarray(offset, offset + length))),
    close: () => {},
  };
}
