/**
 * Statistics in NumPy's `.npz`, as pytorch-fid keeps them: arrays `mu` and `sigma`. Ours add `n`, the
 * number of pictures, and `about`, a JSON text; others overlook both.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @module
 */
import {
  type FileEntry,
  Uint8ArrayReader,
  Uint8ArrayWriter,
  ZipReader,
  ZipWriter,
} from "@zip.js/zip.js";
import { replaceFile } from "../data/replace_file.ts";
import { EvalError } from "./errors.ts";
import type { Statistics } from "./statistics.ts";

/** What a file holds. */
export interface StatisticsFile {
  /** Mean and covariance, and how many pictures they are of, where the file tells. */
  readonly statistics: Statistics;
  /** What the file says of how they were made; empty in files of other programs. */
  readonly about: Readonly<Record<string, unknown>>;
}

interface NumpyArray {
  readonly shape: number[];
  readonly data: Float64Array | Uint8Array;
}

/** How elements are stored, and how they are read: as numbers, or as the bytes they are. */
const TYPES: Readonly<Record<string, (bytes: ArrayBuffer) => Float64Array | Uint8Array>> = {
  "<f8": (bytes) => new Float64Array(bytes),
  "<f4": (bytes) => Float64Array.from(new Float32Array(bytes)),
  "<i8": (bytes) => Float64Array.from(new BigInt64Array(bytes), Number),
  "|u1": (bytes) => new Uint8Array(bytes),
};

/**
 * Writes statistics, whole or not at all.
 *
 * @param path Ends in `.npz`.
 */
export async function saveStatistics(
  path: string,
  { statistics: { count, mean, covariance }, about }: StatisticsFile,
): Promise<void> {
  const d = mean.length, zip = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  const put = async (name: string, type: string, shape: number[], data: ArrayBufferView) => {
    const bytes = encodeArray(type, shape, data);
    // The same file for the same statistics: no dates but the oldest that a zip can tell.
    const lastModDate = new Date(1980, 0, 1);
    await zip.add(`${name}.npy`, new Uint8ArrayReader(bytes), { level: 0, lastModDate });
  };
  await put("mu", "<f8", [d], mean);
  await put("sigma", "<f8", [d, d], covariance.data);
  if (count !== undefined) await put("n", "<i8", [], BigInt64Array.of(BigInt(count)));
  const text = new TextEncoder().encode(JSON.stringify(about));
  await put("about", "|u1", [text.length], text);
  await replaceFile(path, await zip.close());
}

function encodeArray(type: string, shape: number[], data: ArrayBufferView) {
  const sizes = shape.map((size) => `${size},`).join(" ");
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // The data begin at a multiple of 64 bytes, and the header ends with a line feed.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + length + data.byteLength);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, length & 255, length >> 8]);
  bytes.set(new TextEncoder().encode(text.padEnd(length - 1) + "\n"), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + length);
  return bytes;
}

/**
 * Reads statistics.
 *
 * @throws {EvalError} If the file does not exist or holds none.
 */
export async function loadStatistics(path: string): Promise<StatisticsFile> {
  let bytes;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : (error as Error).message;
    throw new EvalError(`eval: cannot read ${path}: ${why}`, { cause: error });
  }
  try {
    const arrays = await readArrays(bytes);
    const mu = arrays.get("mu"), sigma = arrays.get("sigma"), n = arrays.get("n");
    if (!mu || !sigma) {
      throw new TypeError(`it holds ${[...arrays.keys()].join(", ") || "nothing"}`);
    }
    const d = mu.data.length, mean = Float64Array.from(mu.data);
    if (mu.shape.length !== 1 || `${sigma.shape}` !== `${[d, d]}`) {
      throw new TypeError(`mu is [${mu.shape}], sigma is [${sigma.shape}]`);
    }
    const covariance = { rows: d, columns: d, data: Float64Array.from(sigma.data) };
    if (!mean.every(Number.isFinite) || !covariance.data.every(Number.isFinite)) {
      throw new TypeError("a number in it is not finite");
    }
    const about = arrays.get("about");
    return {
      statistics: { count: n ? Number(n.data[0]) : undefined, mean, covariance },
      about: about ? JSON.parse(new TextDecoder().decode(Uint8Array.from(about.data))) : {},
    };
  } catch (error) {
    throw new EvalError(
      `eval: ${path} does not hold statistics, the arrays mu [d] and sigma [d, d] as pytorch-fid ` +
        `writes them: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

async function readArrays(bytes: Uint8Array<ArrayBuffer>): Promise<Map<string, NumpyArray>> {
  const zip = new ZipReader(new Uint8ArrayReader(bytes), {
    useWebWorkers: false,
    checkSignature: true,
  });
  const arrays = new Map<string, NumpyArray>();
  for await (const entry of zip.getEntriesGenerator()) {
    const name = /^(mu|sigma|n|about)\.npy$/.exec(entry.filename)?.[1];
    if (name) {
      arrays.set(
        name,
        decodeArray(name, await (entry as FileEntry).getData(new Uint8ArrayWriter())),
      );
    }
  }
  return arrays;
}

function decodeArray(name: string, bytes: Uint8Array): NumpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || bytes[0] !== 0x93) throw new TypeError(`${name} is no array of NumPy`);
  const old = bytes[6] === 1, start = old ? 10 : 12;
  const length = old ? view.getUint16(8, true) : view.getUint32(8, true);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const type = /'descr': *'([^']+)'/.exec(header)?.[1] ?? "of records";
  const shape = /'shape': *\(([^)]*)\)/.exec(header)?.[1].split(",").filter((s) => s.trim())
    .map(Number);
  if (!Object.hasOwn(TYPES, type) || !shape?.every(Number.isSafeInteger)) {
    throw new TypeError(`${name} is ${type}, expected ${Object.keys(TYPES).join(" or ")}`);
  }
  const width = type === "<f4" ? 4 : type === "|u1" ? 1 : 8;
  const size = width * shape.reduce((n, s) => n * s, 1);
  const body = bytes.slice(start + length);
  if (body.length !== size) {
    throw new TypeError(`${name} has ${body.length} bytes, expected ${size}`);
  }
  // Fortran's order makes no difference to what has one axis or is symmetric.
  return { shape, data: TYPES[type](body.buffer) };
}
