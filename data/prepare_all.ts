import { DataError } from "./errors.ts";
import { type Preparation, prepare } from "./prepare.ts";
import type { Broken } from "./pack.ts";
import type { Source } from "./source.ts";
import { openWorkerPool, type WorkerPool } from "./worker_pool.ts";

// Starting workers takes as long as decoding some hundred small pictures.
const FEW = 400;
const REPORT_EVERY = 64;
const YIELD_AFTER_MS = 20;

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

/** What to say where every picture of `where` is left out. */
export function noneUsable(where: string, broken: readonly Broken[]): DataError {
  const [{ name, reason }] = broken;
  return new DataError(
    `data: none of the ${broken.length} pictures in ${where} can be used (first: ${name}: ${reason}); ` +
      `check the copy of the data, and --crop`,
  );
}

/**
 * Prepares every picture of a source. The result is the same whatever the number of cores.
 *
 * @param source Where the pictures come from.
 * @param to What is made of each.
 * @param signal Stops the work.
 * @param onProgress Told now and then how many are done.
 * @returns The pixels of the good ones in order, `[good, R, R, 3]`, and the others with the reason.
 * @throws {DataError} If a worker fails.
 */
export async function prepareAll(
  source: Source,
  to: Preparation,
  signal?: AbortSignal,
  onProgress?: (done: number, total: number) => void,
): Promise<{ pixels: Uint8Array; broken: Broken[] }> {
  const total = source.names.length;
  const stride = to.resolution ** 2 * 3;
  const pixels = new Uint8Array(total * stride);
  const reasons = new Map<number, string>();
  const pool = (total > FEW ? await openWorkerPool() : undefined) ?? ownThread();
  let next = 0;
  let done = 0;

  async function one(index: number): Promise<void> {
    try {
      const bytes = await source.read(index) as Uint8Array<ArrayBuffer>;
      pixels.set(await pool.prepare(bytes, to), index * stride);
    } catch (error) {
      if (error instanceof DataError) throw error;
      reasons.set(index, (error as Error).message);
    }
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
    if (reasons.has(index)) continue;
    if (good < index) pixels.copyWithin(good * stride, index * stride, (index + 1) * stride);
    good += 1;
  }
  const broken = [...reasons].sort(([a], [b]) => a - b)
    .map(([index, reason]) => ({ name: source.names[index], reason }));
  return { pixels: pixels.subarray(0, good * stride), broken };
}

/**
 * Prepares pictures one after another in their order, some of them ahead of the caller, on all cores.
 *
 * @param source Where the pictures come from.
 * @param indices Which of them.
 * @param to What is made of each.
 * @param broken Takes those that could not be used, with the reason; they are passed over.
 * @param signal Stops the work.
 * @returns The pixels of each, `[R, R, 3]`.
 * @throws {DataError} If none can be used, or a worker fails.
 */
export async function* prepareInOrder(
  source: Source,
  indices: readonly number[],
  to: Preparation,
  broken: Broken[],
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const pool = (indices.length > FEW ? await openWorkerPool() : undefined) ?? ownThread();
  const ahead = pool.lanes > 1 ? 4 * pool.lanes : 1, before = broken.length;
  const started: Promise<Uint8Array | Broken>[] = [];
  async function one(index: number) {
    const name = source.names[index];
    try {
      const bytes = await source.read(index) as Uint8Array<ArrayBuffer>;
      return await pool.prepare(bytes, to);
    } catch (error) {
      if (error instanceof DataError) throw error;
      return { name, reason: (error as Error).message };
    }
  }
  try {
    for (let next = 0; next < indices.length || started.length;) {
      signal?.throwIfAborted();
      while (next < indices.length && started.length < ahead) {
        const promise = one(indices[next++]);
        promise.catch(() => {}); // it is thrown when its turn comes
        started.push(promise);
      }
      const made = await started.shift()!;
      if (made instanceof Uint8Array) yield made;
      else broken.push(made);
    }
  } finally {
    pool.close();
  }
  if (indices.length > 0 && broken.length - before === indices.length) {
    throw noneUsable(source.name, broken);
  }
}
