/**
 * Reads images in Parquet, as Hugging Face's `datasets` writes them: a column of structs with the
 * encoded image in `bytes` and its file's name in `path`, and a column of class numbers.
 *
 * @module
 */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  snappyUncompress,
} from "hyparquet";
import type { Bytes } from "./bytes.ts";
import { exactly } from "./bytes.ts";
import { DataError } from "./errors.ts";
import { type Labels, labelsOf, numbered } from "./labels.ts";
import { checkGroups, checkPages } from "./parquet_pages.ts";

const MOST_PAGE = 2 ** 31; // bytes of a page, decompressed
const MOST_FOOTER = 2 ** 28;

/** All kinds of compression; `onPage` is told the bytes of a page before it is decompressed. */
function decompressors(onPage: (size: number) => void): Compressors {
  const watched = (decompress: (page: Uint8Array, size: number) => Uint8Array) =>
  (
    page: Uint8Array,
    size: number,
  ) => {
    onPage(page.length);
    if (size > MOST_PAGE) throw new Error(`it has a page of ${size} bytes`);
    return decompress(page, size);
  };
  const byZlib = (
    decompress: (page: Uint8Array, options: { maxOutputLength: number }) => Uint8Array,
  ) => watched((page, size) => new Uint8Array(decompress(page, { maxOutputLength: size + 1 })));
  return {
    SNAPPY: watched((page, size) => {
      const whole = new Uint8Array(size);
      snappyUncompress(page, whole);
      return whole;
    }),
    GZIP: byZlib(gunzipSync),
    ZSTD: byZlib(zstdDecompressSync),
    BROTLI: byZlib(brotliDecompressSync),
  };
}

/** Which columns are read. */
interface Columns {
  /** Its values are bytes, or structs that have them as `bytes`. */
  image: string;
  label: string | undefined;
  /** Of the classes. */
  names: string[] | undefined;
}

/** What `datasets` says of a column. */
interface Feature {
  _type?: string;
  names?: string[];
}

function featuresOf(metadata: FileMetaData): Record<string, Feature> {
  try {
    const text = metadata.key_value_metadata?.find(({ key }) => key === "huggingface")?.value;
    return JSON.parse(text ?? "{}").info?.features ?? {};
  } catch {
    return {};
  }
}

/** Finds the columns; in a schema, each element is followed by its children. */
function columnsOf(metadata: FileMetaData, path: string): Columns {
  const features = featuresOf(metadata), images: string[] = [], others: string[] = [];
  const { schema } = metadata, top: string[] = [];
  const skip = (at: number): number => {
    let next = at + 1;
    for (let i = 0; i < (schema[at].num_children ?? 0); i++) next = skip(next);
    return next;
  };
  for (let at = 1; at < schema.length;) {
    const { name, type, converted_type: converted, num_children: children = 0 } = schema[at];
    const next = skip(at), within = schema.slice(at + 1, next);
    const isImage = children === 0
      ? type === "BYTE_ARRAY" && converted !== "UTF8"
      : within.some((child) => child.name === "bytes" && child.type === "BYTE_ARRAY");
    if (isImage) images.push(name);
    else others.push(`${name} (${type ?? "struct"})`);
    top.push(name);
    at = next;
  }
  const image = images.find((name) => features[name]?._type === "Image") ??
    images.find((name) => /^(image|img)$/i.test(name)) ?? images[0];
  if (image === undefined) {
    throw new DataError(
      `data: ${path} has no column of images: got ${others.join(", ") || "none"}, ` +
        "expected encoded images as Hugging Face's datasets stores them",
    );
  }
  const label = top.find((name) => features[name]?._type === "ClassLabel") ??
    top.find((name) => /^(fine_)?labels?$/i.test(name));
  return { image, label, names: label === undefined ? undefined : features[label]?.names };
}

/** The images of a row group, one after another. */
export interface RowGroup {
  /** All their bytes. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Where each one ends; it begins where the one before it ends. */
  ends: Float64Array<ArrayBuffer>;
  /** Why there is nothing, by the place of a row in the group. */
  missing: Map<number, string>;
}

/** A Parquet file of images. */
export interface ParquetFile {
  /** Row groups by their first rows. */
  starts: number[];
  /** Number of rows. */
  count: number;
  /** Reads the classes of the images, where there are some. */
  labels(): Promise<Labels | undefined>;
  /** Reads a row group. */
  group(number: number): Promise<RowGroup>;
}

/** What a cell of the image column holds, or why it is nothing. */
function imageIn(cell: unknown): Uint8Array | string {
  const struct = (cell instanceof Uint8Array ? { bytes: cell } : cell ?? {}) as {
    bytes?: unknown;
    path?: unknown;
  };
  if (struct.bytes instanceof Uint8Array) return struct.bytes;
  return typeof struct.path === "string" ? `it is only a path, ${struct.path}` : "it is empty";
}

/** Copies images, which are views that hold whole pages, to where they need no more than their own. */
function together(cells: unknown[]): RowGroup {
  const images = cells.map(imageIn), missing = new Map<number, string>();
  const ends = new Float64Array(images.length);
  let end = 0;
  images.forEach((image, i) => {
    if (typeof image === "string") missing.set(i, image);
    else end += image.length;
    ends[i] = end;
  });
  const bytes = new Uint8Array(end);
  images.forEach((image, i) => {
    if (typeof image !== "string") bytes.set(image, ends[i] - image.length);
  });
  return { bytes, ends, missing };
}

/** What `read` gives; where it meets what it did not expect, the file is not as Parquet has it. */
async function sound<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { message } = error as Error;
    const isTold = !(error instanceof TypeError || error instanceof RangeError) &&
      !message.startsWith("parquet"); // as hyparquet begins, of what lies deep within
    if (isTold) throw error;
    throw new Error("its schema and its pages do not fit together", { cause: error });
  }
}

/** The footer. */
async function metadataOf(file: AsyncBuffer): Promise<FileMetaData> {
  const size = file.byteLength, tail = await file.slice(Math.max(0, size - 8));
  if (new TextDecoder().decode(tail.slice(4)) !== "PAR1") {
    throw new Error(`its end at byte ${size} is not that of a Parquet file`);
  }
  const footer = new DataView(tail).getUint32(0, true);
  if (footer > Math.min(MOST_FOOTER, size)) throw new Error(`its footer has ${footer} bytes`);
  return await sound(async () => {
    const metadata = await parquetMetadataAsync(file);
    checkGroups(metadata);
    return metadata;
  });
}

/**
 * Opens a Parquet file.
 *
 * @param bytes The file.
 * @param path Its path, for messages.
 * @param onPage Told of each page before it is decompressed: its number of bytes.
 * @returns What it holds, in the order of the rows.
 * @throws {Error} If it is cut short or damaged, or has no column of images.
 */
export async function openParquet(
  bytes: Bytes,
  path: string,
  onPage: (size: number) => void,
): Promise<ParquetFile> {
  const size = bytes.size!;
  const file = {
    byteLength: size,
    slice: async (from: number, to = size) => (await exactly(bytes, from, to - from)).buffer,
  };
  const metadata = await metadataOf(file);
  const columns = await sound(() => columnsOf(metadata, path)), { image, label, names } = columns;
  const starts = [0];
  for (const { num_rows } of metadata.row_groups) starts.push(starts.at(-1)! + Number(num_rows));
  const count = starts.pop()!;
  if (count > size) throw new Error(`it declares ${count} rows in ${size} bytes`);
  const compressors = decompressors(onPage);
  const columnChunks = { // all that is read after the footer
    byteLength: size,
    slice: async (from: number, to = size) => {
      const chunk = await file.slice(from, to);
      checkPages(chunk, from, size);
      return chunk;
    },
  };
  const read = async (column: string, rowStart: number, rowEnd: number) => {
    const options = { metadata, columns: [column], rowStart, rowEnd, compressors };
    const rows = await sound(() =>
      // By default hyparquet decodes bytes as UTF-8.
      parquetReadObjects({ ...options, file: columnChunks, utf8: false })
    );
    return rows.map((row) => row[column] as unknown);
  };
  const group = (column: string, number: number) =>
    read(column, starts[number], starts[number + 1] ?? count);
  return {
    starts,
    count,
    labels: async () => {
      if (label === undefined) return undefined;
      const cells: unknown[] = [];
      for (const number of starts.keys()) cells.push(...await group(label, number));
      return labelsIn(cells, names);
    },
    group: async (number) => together(await group(image, number)),
  };
}

function labelsIn(cells: unknown[], names: string[] | undefined): Labels | undefined {
  const isNumber = cells.every((cell) => typeof cell === "bigint" || typeof cell === "number");
  if (isNumber) return numbered(cells.map(Number), names);
  return labelsOf(
    cells.map((cell) =>
      cell instanceof Uint8Array
        ? new TextDecoder().decode(cell)
        : cell === null || cell === undefined
        ? undefined
        : String(cell)
    ),
  );
}
