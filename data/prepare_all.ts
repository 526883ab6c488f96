import { cropRectangle } from "./crop.ts";
import { DataError } from "./errors.ts";
import { upright } from "./exif.ts";
import { Findings } from "./findings.ts";
import { readHeader } from "./header.ts";
import { printable } from "./listing.ts";
import type { Broken } from "./pack.ts";
import { type Outcome, outcomeOf, outside, type Preparation, type Prepared } from "./prepare.ts";
import type { Source } from "./source.ts";
import { openWorkerPool, type WorkerPool } from "./worker_pool.ts";

// Starting workers takes as long as decoding some hundred small images.
const FEW = 400;
const REPORT_EVERY = 64;
const YIELD_AFTER_MS = 20;
const SAMPLED = 32;
// What goes to a worker at once: a message takes as long as decoding a small image.
const BATCH = 1 << 20, MOST_AT_ONCE = 32; // bytes, images

/** The same interface on this thread, which looks at the event loop now and then. */
function ownThread(): WorkerPool {
  let yielded = performance.now();
  return {
    lanes: 1,
    async prepare(images, to) {
      const outcomes: Outcome[] = [];
      for (const bytes of images) {
        if (performance.now() - yielded > YIELD_AFTER_MS) {
          await new Promise((resume) => setTimeout(resume));
          yielded = performance.now();
        }
        outcomes.push(outcomeOf(bytes, to));
      }
      return outcomes;
    },
    close() {},
  };
}

/** What to say where every image of `where` is left out, or all that were looked at of so many. */
export function noneUsable(where: string, broken: readonly Broken[], count = 0): DataError {
  const [{ name, reason }] = broken, first = count > broken.length ? "first " : "";
  return new DataError(
    `data: none of the ${first}${broken.length} images in ${where} can be used (first: ${name}: ${reason}); ` +
      `check the copy of the data, and --crop`,
  );
}

/** How many images go to a worker at once: many small ones, few large ones. */
class BatchSize {
  #most: number;
  /** As known so far. */
  count = 1;

  constructor(resolution: number) {
    this.#most = Math.min(MOST_AT_ONCE, Math.max(1, Math.floor(BATCH / (3 * resolution ** 2))));
  }

  /** Takes note of encoded images. */
  seen(images: readonly Uint8Array[]): void {
    const bytes = images.reduce((sum, { length }) => sum + length, 1);
    const fitting = Math.floor(BATCH * images.length / bytes);
    this.count = Math.min(this.#most, Math.max(1, fitting));
  }
}

/** What the system says where not the image is to blame: files or memory are exhausted, or the data vanished. */
const EXHAUSTED = ["EMFILE", "ENFILE", "ENOMEM", "ENOENT"];

/** Prepares some images of a source; instead of one that cannot be used there is the reason. */
async function prepareSome(
  source: Source,
  indices: readonly number[],
  to: Preparation,
  pool: WorkerPool,
  size: BatchSize,
): Promise<(Prepared | Broken)[]> {
  const read = await Promise.all(indices.map(async (index) => {
    try {
      return await source.read(index) as Uint8Array<ArrayBuffer>;
    } catch (error) {
      const { code = "" } = error as { code?: string };
      if (error instanceof DataError || EXHAUSTED.includes(code)) throw error;
      return { reason: (error as Error).message };
    }
  }));
  const images = read.filter((one) => one instanceof Uint8Array);
  size.seen(images);
  const outcomes = images.length > 0 ? await pool.prepare(images, to) : [];
  return read.map((one, i) => {
    const outcome = one instanceof Uint8Array ? outcomes.shift()! : one;
    if ("pixels" in outcome) return outcome;
    return { name: printable(source.names[indices[i]]), reason: printable(outcome.reason) };
  });
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

/** An image whose turn has come. */
interface Turn {
  /** Its place among those that were asked for. */
  readonly at: number;
  readonly made: Prepared | Broken;
}

/** Prepares images on all cores, some of them ahead of the caller, who has them in their order. */
async function* inTurn(
  source: Source,
  indices: ArrayLike<number>,
  to: Preparation,
  signal?: AbortSignal,
): AsyncGenerator<Turn> {
  await assertSomeFit(source, indices, to);
  const pool = (indices.length > FEW ? await openWorkerPool() : undefined) ?? ownThread();
  const size = new BatchSize(to.resolution), started: Promise<(Prepared | Broken)[]>[] = [];
  try {
    for (let next = 0, at = 0; at < indices.length;) {
      while (next < indices.length && started.length < pool.lanes) {
        const last = Math.min(indices.length, next + size.count);
        const some = Array.from({ length: last - next }, (_, i) => indices[next + i]);
        const promise = prepareSome(source, some, to, pool, size);
        promise.catch(() => {}); // it is thrown when its turn comes
        started.push(promise);
        next = last;
      }
      for (const made of await started.shift()!) {
        signal?.throwIfAborted();
        yield { at: at++, made };
      }
    }
  } finally {
    pool.close();
  }
}

/** What became of a whole source. */
export interface PreparedAll {
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
 * @param take Takes the pixels of the good ones in order, each `[R, R, C]`.
 * @param signal Stops the work.
 * @param onProgress Told now and then how many are done.
 * @returns What is to be told.
 * @throws {DataError} If a worker fails, or the crop fits none of the first images.
 */
export async function prepareAll(
  source: Source,
  to: Preparation,
  take: (pixels: Uint8Array) => void,
  signal?: AbortSignal,
  onProgress?: (done: number, total: number) => void,
): Promise<PreparedAll> {
  const total = source.names.length, good: boolean[] = [], broken: Broken[] = [];
  const findings = new Findings(to.resolution);
  const all = Uint32Array.from({ length: total }, (_, i) => i);
  for await (const { at, made } of inTurn(source, all, to, signal)) {
    good.push("pixels" in made);
    if ("pixels" in made) {
      findings.add(made);
      take(made.pixels);
    } else broken.push(made);
    const done = at + 1;
    if (done % REPORT_EVERY === 0 || done === total) onProgress?.(done, total);
  }
  return { good, broken, notes: findings.notes() };
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
 * @returns The pixels of each, `[R, R, C]`.
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
  const before = broken.length;
  for await (const { made } of inTurn(source, indices, to, signal)) {
    if ("pixels" in made) {
      findings?.add(made);
      yield made.pixels;
    } else broken.push(made);
  }
  if (indices.length > 0 && broken.length - before === indices.length) {
    throw noneUsable(source.name, broken);
  }
}
