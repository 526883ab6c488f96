import { cropRectangle } from "./crop.ts";
import { DataError } from "./errors.ts";
import { upright } from "./exif.ts";
import { Findings } from "./findings.ts";
import { readHeader } from "./header.ts";
import { printable } from "./listing.ts";
import type { Broken } from "./pack.ts";
import { outside, type Preparation, prepare, type Prepared } from "./prepare.ts";
import type { Source } from "./source.ts";
import { openWorkerPool, type WorkerPool } from "./worker_pool.ts";

// Starting workers takes as long as decoding some hundred small images.
const FEW = 400;
const REPORT_EVERY = 64;
const YIELD_AFTER_MS = 20;
const SAMPLED = 32;

/** The same interface on this thread, which looks at the event loop now and then. */
function ownThread(): WorkerPool {
  let yielded = performance.now();
  return {
    lanes: 1,
    async prepare(bytes, to) {
      if (performance.now() - yielded > YIELD_AFTER_MS) {
        await new Promise((resume) => setTimeout(resume));
        yielded = performance.now();
      }
      return prepare(bytes, to);
    },
    close() {},
  };
}

/** What to say where every image of `where` is left out. */
export function noneUsable(where: string, broken: readonly Broken[]): DataError {
  const [{ name, reason }] = broken;
  return new DataError(
    `data: none of the ${broken.length} images in ${where} can be used (first: ${name}: ${reason}); ` +
      `check the copy of the data, and --crop`,
  );
}

/** Prepares one image of a source; the answer is the reason where it cannot be used. */
async function prepareOne(
  source: Source,
  index: number,
  to: Preparation,
  pool: WorkerPool,
): Promise<Prepared | Broken> {
  try {
    return await pool.prepare(await source.read(index) as Uint8Array<ArrayBuffer>, to);
  } catch (error) {
    if (error instanceof DataError) throw error;
    const reason = printable((error as Error).message);
    return { name: printable(source.names[index]), reason };
  }
}

/** Fails if a crop lies outside all of some images from first to last, before any is decoded. */
async function assertSomeFit(
  source: Source,
  indices: ArrayLike<number>,
  { crop }: Preparation,
): Promise<void> {
  if (typeof crop === "string") return;
  const count = Math.min(SAMPLED, indices.length);
  let first: string | undefined;
  for (let i = 0; i < count; i++) {
    const index = indices[Math.floor(i * indices.length / count)];
    try {
      const { orientation, width: W, height: H } = readHeader(await source.read(index));
      const { width, height } = upright(orientation, W, H);
      if (cropRectangle(crop, width, height)) return;
      first ??= `${printable(source.names[index])}: ${outside(crop, width, height)}`;
    } catch {
      // It will be named when its turn comes.
    }
  }
  if (first === undefined) return;
  throw new DataError(
    `data: none of ${count} images looked at first in ${source.name} can be used ` +
      `(first: ${first}); check --crop`,
  );
}

/** What became of a whole source. */
export interface PreparedAll {
  /** The pixels of the good ones in order, `[good, R, R, 3]`. */
  pixels: Uint8Array;
  /** Whether each one is good. */
  good: boolean[];
  /** The others, with the reason. */
  broken: Broken[];
  /** Lines for the user. */
  notes: string[];
}

/**
 * Prepares every image of a source. The result is the same whatever the number of cores.
 *
 * @param source Where the images come from.
 * @param to What is made of each.
 * @param signal Stops the work.
 * @param onProgress Told now and then how many are done.
 * @returns The pixels, and what is to be told.
 * @throws {DataError} If a worker fails, or the crop fits none of the first images.
 */
export async function prepareAll(
  source: Source,
  to: Preparation,
  signal?: AbortSignal,
  onProgress?: (done: number, total: number) => void,
): Promise<PreparedAll> {
  const total = source.names.length;
  const stride = to.resolution ** 2 * 3;
  await assertSomeFit(source, Uint32Array.from({ length: total }, (_, i) => i), to);
  const pixels = new Uint8Array(total * stride);
  const broken = new Map<number, Broken>(), findings = new Findings(to.resolution);
  const pool = (total > FEW ? await openWorkerPool() : undefined) ?? ownThread();
  let next = 0;
  let done = 0;

  async function one(index: number): Promise<void> {
    const made = await prepareOne(source, index, to, pool);
    if ("pixels" in made) {
      pixels.set(made.pixels, index * stride);
      findings.add(made);
    } else broken.set(index, made);
    done += 1;
    if (done % REPORT_EVERY === 0 || done === total) onProgress?.(done, total);
  }

  async function lane(): Promise<void> {
    while (next < total) {
      signal?.throwIfAborted();
      await one(next++);
    }
  }

  try {
    await Promise.all(Array.from({ length: pool.lanes }, lane));
  } finally {
    pool.close();
  }
  let good = 0;
  for (let index = 0; index < total; index++) {
    if (broken.has(index)) continue;
    if (good < index) pixels.copyWithin(good * stride, index * stride, (index + 1) * stride);
    good += 1;
  }
  return {
    pixels: pixels.subarray(0, good * stride),
    good: Array.from({ length: total }, (_, i) => !broken.has(i)),
    broken: [...broken].sort(([a], [b]) => a - b).map(([, one]) => one),
    notes: findings.notes(),
  };
}

/**
 * Prepares images one after another in their order, some of them ahead of the caller, on all cores.
 *
 * @param source Where the images come from.
 * @param indices Which of them.
 * @param to What is made of each.
 * @param broken Takes those that could not be used, with the reason; they are passed over.
 * @param signal Stops the work.
 * @param findings Takes note of those that are used.
 * @returns The pixels of each, `[R, R, 3]`.
 * @throws {DataError} If none can be used, or a worker fails.
 */
export async function* prepareInOrder(
  source: Source,
  indices: readonly number[],
  to: Preparation,
  broken: Broken[],
  signal?: AbortSignal,
  findings?: Findings,
): AsyncGenerator<Uint8Array> {
  await assertSomeFit(source, indices, to);
  const pool = (indices.length > FEW ? await openWorkerPool() : undefined) ?? ownThread();
  const ahead = pool.lanes > 1 ? 4 * pool.lanes : 1, before = broken.length;
  const started: Promise<Prepared | Broken>[] = [];
  try {
    for (let next = 0; next < indices.length || started.length;) {
      signal?.throwIfAborted();
      while (next < indices.length && started.length < ahead) {
        const promise = prepareOne(source, indices[next++], to, pool);
        promise.catch(() => {}); // it is thrown when its turn comes
        started.push(promise);
      }
      const made = await started.shift()!;
      if ("pixels" in made) {
        findings?.add(made);
        yield made.pixels;
      } else broken.push(made);
    }
  } finally {
    pool.close();
  }
  if (indices.length > 0 && broken.length - before === indices.length) {
    throw noneUsable(source.name, broken);
  }
}
