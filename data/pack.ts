import { crc32 } from "node:zlib";
import { dirname } from "@std/path";
import type { Channels } from "./image.ts";
import type { Labels } from "./labels.ts";
import { replaceFile } from "../io/replace_file.ts";

// Raise when the same options would give other pixels than before.
const VERSION = 2;
// Raise when the header changes: packs are made again, but runs know their data by the hash.
const HEADER_VERSION = 4;
const CHUNK = 1 << 26;
const WRITTEN = 1 << 20; // bytes at once

/** An image that cannot be decoded, or is too small for the crop. */
export interface Broken {
  /** Its path in the data set. */
  name: string;
  /** What is wrong with it. */
  reason: string;
}

/** A data set in memory. */
export interface Dataset {
  /** Name of the folder or zip, or `emoji`. */
  name: string;
  /** Number of images. */
  count: number;
  /** Side R of each in pixels. */
  resolution: number;
  /** How many channels images have: 1 gray, 3 color, 4 with alpha; 3 if left out. */
  channels?: number;
  /** `[count, R, R, channels]`. */
  pixels: Uint8Array;
  /** SHA-256 of content (names, sizes, dates or checksums) and options. */
  hash: string;
  /** The classes of the images, where there are some. */
  labels?: Labels;
  /** Images that are left out. */
  broken: Broken[];
  /** Lines for the user on what was passed over and what is odd. */
  notes?: string[];
}

/**
 * A data set of images that are in memory already.
 *
 * @param pixels `[count, R, R, channels]`.
 * @param resolution Side R of each in pixels.
 * @param channels 1 for gray, 3 for red, green and blue, 4 with alpha.
 * @throws {RangeError} If the pixels are not those of whole images.
 */
export function datasetFrom(
  pixels: Uint8Array,
  resolution: number,
  name = "images",
  channels: 1 | 3 | 4 = 3,
): Dataset {
  const size = channels * resolution ** 2, count = pixels.length / size;
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(
      `datasetFrom: got ${pixels.length} bytes, expected a multiple of ${size}, ` +
        `${resolution} x ${resolution} x ${channels}`,
    );
  }
  const more = channels === 3 ? {} : { channels };
  return { name, count, resolution, ...more, pixels, hash: "", broken: [] };
}

/** A data set as it is packed. */
export interface Packed extends Dataset {
  notes: string[];
  /** Those of the notes that come from the source. */
  sourceNotes: string[];
}

/** What lies beside the pixels, in a file of the same name with `.json` at its end. */
interface Header extends Omit<Packed, "pixels" | "labels"> {
  version: number;
  /** Names of classes, and the number of each image's: 16 bits, little endian, in base 64. */
  labels?: { classes: readonly string[]; of: string };
  /** CRC-32 of the pixels. */
  crc: number;
}

/** A header and its SHA-256, so that one that was changed is noticed. */
interface Sealed {
  header: Header;
  seal: string;
}

function encodeNumbers(numbers: Uint16Array): string {
  const view = new DataView(new ArrayBuffer(2 * numbers.length));
  numbers.forEach((number, i) => view.setUint16(2 * i, number, true));
  return new Uint8Array(view.buffer).toBase64();
}

function decodeNumbers(text: string): Uint16Array {
  const view = new DataView(Uint8Array.fromBase64(text).buffer);
  return Uint16Array.from({ length: view.byteLength / 2 }, (_, i) => view.getUint16(2 * i, true));
}

async function sealOf(header: Header): Promise<string> {
  return await packHash([JSON.stringify(header)]);
}

/**
 * Hashes what determines a pack.
 *
 * @param lines Content and options, one line each.
 * @returns SHA-256 in hexadecimal.
 */
export async function packHash(lines: string[]): Promise<string> {
  const text = [`pack ${VERSION}`, ...lines].join("\n");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}

/**
 * Where a pack lies.
 *
 * @param cache The folder of packs.
 * @param of Name, side in pixels and hash of the images, and what a pixel has: color if left out.
 * @returns The path.
 */
export function packPath(
  cache: string,
  { name, resolution, hash, channels = "rgb" }:
    & Pick<Dataset, "name" | "resolution" | "hash">
    & { channels?: Channels | undefined },
): string {
  const plain = name.replace(/[^\p{L}\p{N}._-]+/gu, "_") || "images";
  return `${cache}/${plain}-${resolution}-${hash.slice(0, 12)}.${channels}8`;
}

/** Writes a pack, image by image, so that no more than a few are in memory. */
export class PackWriter {
  #path: string;
  #beside: string;
  #file: Deno.FsFile;
  #chunk: Uint8Array<ArrayBuffer> = new Uint8Array(WRITTEN);
  #filled = 0;
  #crc = 0;

  /**
   * Begins a pack; its folder is made if it is not there.
   *
   * @param path See {@linkcode packPath}.
   */
  constructor(path: string) {
    this.#path = path;
    this.#beside = `${path}.${crypto.randomUUID().slice(0, 8)}.part`;
    Deno.mkdirSync(dirname(path), { recursive: true });
    this.#file = Deno.openSync(this.#beside, { write: true, createNew: true });
  }

  /** Adds pixels. */
  add(pixels: Uint8Array): void {
    for (let done = 0; done < pixels.length;) {
      const part = pixels.subarray(done, done + this.#chunk.length - this.#filled);
      this.#chunk.set(part, this.#filled);
      this.#filled += part.length;
      done += part.length;
      if (this.#filled === this.#chunk.length) this.#flush();
    }
  }

  #flush(): void {
    const chunk = this.#chunk.subarray(0, this.#filled);
    this.#crc = crc32(chunk, this.#crc);
    for (let done = 0; done < chunk.length;) done += this.#file.writeSync(chunk.subarray(done));
    this.#filled = 0;
  }

  /** Puts the pixels in their place, then the header, whose being there says that they are complete. */
  async finish({ labels, ...rest }: Omit<Packed, "pixels">): Promise<void> {
    this.#flush();
    this.#file.close();
    await Deno.rename(this.#beside, this.#path);
    const header: Header = {
      ...{ version: HEADER_VERSION, crc: this.#crc, ...rest },
      ...(labels && { labels: { classes: labels.classes, of: encodeNumbers(labels.of) } }),
    };
    const sealed: Sealed = { header, seal: await sealOf(header) };
    const text = JSON.stringify(sealed, null, 1);
    await replaceFile(`${this.#path}.json`, new TextEncoder().encode(text));
  }

  /** Leaves nothing behind, unless it is finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#file.close();
    } catch {
      // It is closed already.
    }
    await Deno.remove(this.#beside).catch(() => {});
  }
}

async function readHeader(path: string, hash: string): Promise<Header | undefined> {
  try {
    const { header, seal } = JSON.parse(await Deno.readTextFile(`${path}.json`)) as Sealed;
    if (header?.version !== HEADER_VERSION || header.hash !== hash) return undefined;
    return seal === await sealOf(header) ? header : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    if (error instanceof TypeError) return undefined; // JSON, but no record
    throw error;
  }
}

/**
 * Reads a pack.
 *
 * @param path See {@linkcode packPath}.
 * @param hash The hash that it must have.
 * @param signal Stops the reading.
 * @returns The images, or undefined if there is no such pack, or it is incomplete or damaged.
 */
export async function readPack(
  path: string,
  hash: string,
  signal?: AbortSignal,
): Promise<Packed | undefined> {
  const header = await readHeader(path, hash);
  if (!header) return undefined;
  const { version: _, crc, labels, ...rest } = header;
  const size = rest.count * rest.resolution ** 2 * (rest.channels ?? 3);
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  using open = file;
  if ((await open.stat()).size !== size) return undefined;
  const pixels = new Uint8Array(size);
  let found = 0;
  for (let done = 0; done < size;) {
    signal?.throwIfAborted();
    const chunk = pixels.subarray(done, done + CHUNK), read = await open.read(chunk);
    if (read === null) return undefined;
    found = crc32(chunk.subarray(0, read), found);
    done += read;
  }
  if (found !== crc) return undefined;
  return {
    ...{ ...rest, pixels },
    ...(labels && { labels: { classes: labels.classes, of: decodeNumbers(labels.of) } }),
  };
}
