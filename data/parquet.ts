/**
 * Reads images in Parquet, as Hugging Face's `datasets` writes them: a column of structs with the
 * encoded image in `bytes` and its file's name in `path`, and a column of class numbers.
 *
 * @module
 */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { type FileMetaData, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import type { Bytes } from "./bytes.ts";
import { exactly } from "./bytes.ts";
import { DataError } from "./errors.ts";
import { type Labels, labelsOf, numbered } from "./labels.ts";
import type { Listing } from "./source.ts";

const MOST_PAGE = 2 ** 31; // bytes of a page, decompressed
const MOST_FOOTER = 2 ** 28;
const KEPT = 2; // row groups: readers ask for rows in order, some ahead

/** Beside uncompressed and Snappy, which hyparquet reads itself. */
const compressors = Object.fromEntries(
  Object.entries({
    GZIP: gunzipSync,
    ZSTD: zstdDecompressSync,
    BROTLI: brotliDecompressSync,
  }).map(([name, decompress]) => [
    name,
    (page: Uint8Array, size: number) => {
      if (size > MOST_PAGE) throw new Error(`it has a page of ${size} bytes`);
      return new Uint8Array(decompress(page, { maxOutputLength: size + 1 }));
    },
  ]),
);

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

/** What a cell of the image column holds. */
function imageIn(cell: unknown): Uint8Array {
  const struct = (cell instanceof Uint8Array ? { bytes: cell } : cell ?? {}) as {
    bytes?: unknown;
    path?: unknown;
  };
  if (struct.bytes instanceof Uint8Array) return struct.bytes.slice();
  throw new Error(
    typeof struct.path === "string" ? `it is only a path, ${struct.path}` : "it is empty",
  );
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

/**
 * Lists a Parquet file.
 *
 * @param bytes The file.
 * @param path Its path, for messages.
 * @returns The images, in the order of the rows.
 * @throws {Error} If it is cut short or damaged, or has no column of images.
 */
export async function listParquet(bytes: Bytes, path: string): Promise<Listing> {
  const size = bytes.size!, tail = await exactly(bytes, Math.max(0, size - 8), Math.min(size, 8));
  if (new TextDecoder().decode(tail.subarray(4)) !== "PAR1") {
    throw new Error(`its end at byte ${size} is not that of a Parquet file`);
  }
  const footer = new DataView(tail.buffer).getUint32(0, true);
  if (footer > Math.min(MOST_FOOTER, size)) throw new Error(`its footer has ${footer} bytes`);
  const file = {
    byteLength: size,
    slice: async (from: number, to = size) => (await exactly(bytes, from, to - from)).buffer,
  };
  const metadata = await sound(() => parquetMetadataAsync(file));
  const columns = await sound(() => columnsOf(metadata, path));
  const starts = [0];
  for (const { num_rows } of metadata.row_groups) starts.push(starts.at(-1)! + Number(num_rows));
  const count = starts.pop()!;
  if (count > size) throw new Error(`it declares ${count} rows in ${size} bytes`);
  const read = async (column: string, rowStart: number, rowEnd: number) => {
    // By default hyparquet decodes bytes as UTF-8.
    const options = { file, metadata, columns: [column], rowStart, rowEnd, compressors };
    const rows = await sound(() => parquetReadObjects({ ...options, utf8: false }));
    return rows.map((row) => row[column] as unknown);
  };
  const kept = new Map<number, Promise<unknown[]>>();
  const group = (number: number): Promise<unknown[]> => {
    let rows = kept.get(number);
    if (rows) return rows;
    rows = read(columns.image, starts[number], starts[number + 1] ?? count);
    rows.catch(() => {}); // each of its images tells
    kept.set(number, rows);
    for (const old of kept.keys()) if (kept.size > KEPT) kept.delete(old);
    return rows;
  };
  return {
    names: Array.from({ length: count }, (_, i) => `row ${i}`),
    labels: columns.label === undefined
      ? undefined
      : labelsIn(await read(columns.label, 0, count), columns.names),
    read: async (i) => {
      let number = 0, end = starts.length;
      while (end - number > 1) {
        const middle = (number + end) >> 1;
        if (starts[middle] <= i) number = middle;
        else end = middle;
      }
      return imageIn((await group(number))[i - starts[number]]);
    },
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
