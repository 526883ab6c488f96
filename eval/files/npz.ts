/**
 * Statistics in NumPy's `.npz`, as pytorch-fid keeps them: arrays `mu` and `sigma`. Ours add `n`, the
 * number of images, and `about`, a JSON text; others overlook both, and we what others add.
 *
 * @module
 */
import {
  type Entry,
  type FileEntry,
  Reader,
  Uint8ArrayReader,
  Uint8ArrayWriter,
  ZipReader,
  ZipWriter,
} from "@zip.js/zip.js";
import { replaceFile } from "../../io/replace_file.ts";
import { EvalError } from "../errors.ts";
import { decodeArray, encodeArray, floatsOf, integerOf, type NumpyArray } from "../../io/npy.ts";
import type { Statistics } from "../statistics.ts";

/** What a file holds. */
export interface StatisticsFile {
  /** Mean and covariance, and how many images they are of, where the file tells. */
  readonly statistics: Statistics;
  /** What the file says of how they were made; empty in files of other programs. */
  readonly about: Readonly<Record<string, unknown>>;
}

/** Members that are read, and how large they may be: what is larger under the last two names is foreign. */
const MEMBERS = { mu: 2 ** 30, sigma: 2 ** 30, n: 1024, about: 2 ** 20 } as const;
type Member = keyof typeof MEMBERS;

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
  const put = async (name: Member, type: string, shape: number[], data: ArrayBufferView) => {
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

/**
 * Reads statistics: of a file of many arrays only those.
 *
 * @throws {EvalError} If the file does not exist or holds none.
 */
export async function loadStatistics(path: string): Promise<StatisticsFile> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : (error as Error).message;
    throw new EvalError(`eval: cannot read ${path}: ${why}`, { cause: error });
  }
  using open = file;
  try {
    return statisticsIn(await readArrays(open));
  } catch (error) {
    throw new EvalError(
      `eval: ${path} does not hold statistics, the arrays mu [d] and sigma [d, d] as pytorch-fid ` +
        `writes them: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function statisticsIn(arrays: ReadonlyMap<Member, NumpyArray>): StatisticsFile {
  const mu = arrays.get("mu")!, sigma = arrays.get("sigma")!, n = arrays.get("n");
  const mean = floatsOf("mu", mu), data = floatsOf("sigma", sigma), d = mean.length;
  // As NumPy's atleast_1d and atleast_2d; some write mu as one row.
  const row = mu.shape.length <= 1 || mu.shape.length === 2 && mu.shape[0] === 1;
  if (!row || d === 0 || data.length !== d * d || d > 1 && `${sigma.shape}` !== `${[d, d]}`) {
    throw new TypeError(`mu is [${mu.shape}], sigma is [${sigma.shape}]`);
  }
  if (!mean.every(Number.isFinite) || !data.every(Number.isFinite)) {
    throw new TypeError("a number in it is not finite");
  }
  checkCovariance(data, d);
  const count = n && integerOf(n);
  if (count !== undefined && count < 1) {
    throw new TypeError(`n says that they are of ${count} images`);
  }
  const covariance = { rows: d, columns: d, data };
  return { statistics: { count, mean, covariance }, about: aboutIn(arrays.get("about")) };
}

/** Refuses what cannot be a covariance; rounding to float16 is no fault. */
function checkCovariance(sigma: Float64Array, d: number): void {
  let scale = 0;
  for (let i = 0; i < d; i++) scale = Math.max(scale, Math.abs(sigma[i * d + i]));
  for (let i = 0; i < d; i++) {
    const own = sigma[i * d + i];
    if (own < 0) throw new TypeError(`sigma[${i}, ${i}], a variance, is ${own}`);
    for (let j = 0; j < i; j++) {
      const a = sigma[i * d + j], b = sigma[j * d + i];
      if (Math.abs(a - b) > 1e-5 * scale) {
        throw new TypeError(
          `sigma is not symmetric: sigma[${i}, ${j}] is ${a}, sigma[${j}, ${i}] is ${b}`,
        );
      }
      if (Math.abs(a) > 1.01 * Math.sqrt(own * sigma[j * d + j]) + 1e-3 * scale) {
        throw new TypeError(`sigma[${i}, ${j}] is ${a}, more than its variances allow`);
      }
    }
  }
}

/** What our own files say; empty for a foreign array of that name. */
function aboutIn(array: NumpyArray | undefined): Record<string, unknown> {
  if (array?.type !== "|u1") return {};
  try {
    const about = JSON.parse(new TextDecoder().decode(array.bytes));
    return about && typeof about === "object" && !Array.isArray(about) ? about : {};
  } catch {
    return {};
  }
}

/** Reads pieces of an open file. */
class OpenFileReader extends Reader<Deno.FsFile> {
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    super(file);
    this.#file = file;
  }

  override async init(): Promise<void> {
    await super.init?.();
    this.size = (await this.#file.stat()).size;
  }

  override readUint8Array(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    for (let done = 0; done < length;) {
      const read = this.#file.readSync(bytes.subarray(done));
      if (read === null) throw new Error("the file ends early");
      done += read;
    }
    return Promise.resolve(bytes);
  }
}

async function readArrays(file: Deno.FsFile): Promise<Map<Member, NumpyArray>> {
  const zip = new ZipReader(new OpenFileReader(file), {
    useWebWorkers: false,
    checkSignature: true,
  });
  const found = new Map<string, Entry>();
  for await (const entry of zip.getEntriesGenerator()) {
    found.set(entry.filename.replace(/\.npy$/, ""), entry);
  }
  if (!found.has("mu") || !found.has("sigma")) {
    throw new TypeError(`it holds ${[...found.keys()].slice(0, 20).join(", ") || "nothing"}`);
  }
  const arrays = new Map<Member, NumpyArray>();
  for (const [name, limit] of Object.entries(MEMBERS) as [Member, number][]) {
    const entry = found.get(name), optional = name === "n" || name === "about";
    if (!entry) continue;
    if (entry.uncompressedSize > limit) {
      if (optional) continue;
      throw new TypeError(`${name} has ${entry.uncompressedSize} bytes, expected at most ${limit}`);
    }
    const bytes = await (entry as FileEntry).getData(new Uint8ArrayWriter());
    try {
      arrays.set(name, decodeArray(name, bytes));
    } catch (error) {
      if (!optional) throw error;
    }
  }
  return arrays;
}
