import { DataError } from "./errors.ts";
import type { Outcome, Preparation } from "./prepare.ts";
import type { Answer, Request } from "./prepare_worker.ts";

// Beyond this, reading the files is what takes the time.
const MOST_WORKERS = 8;

/** Prepares images on several cores. */
export interface WorkerPool {
  /** How many calls of `prepare` keep every worker busy. */
  lanes: number;
  /** As `outcomeOf` of `prepare.ts`, of several images; takes their bytes away. */
  prepare(images: Uint8Array<ArrayBuffer>[], to: Preparation): Promise<Outcome[]>;
  /** Ends the workers. */
  close(): void;
}

/** Whether the worker's file is there: in the output of `deno bundle`, one file, it is not. */
async function isAvailable(): Promise<boolean> {
  const file = new URL("./prepare_worker.ts", import.meta.url);
  return file.protocol !== "file:" || await Deno.stat(file).then(() => true, () => false);
}

/** Starts one worker; undefined if it does not run. */
function start(): Promise<Worker | undefined> {
  const worker = new Worker(new URL("./prepare_worker.ts", import.meta.url), { type: "module" });
  return new Promise((resolve) => {
    worker.onmessage = () => resolve(worker);
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      resolve(undefined);
    };
  });
}

/**
 * Starts a worker a core.
 *
 * @returns The pool; undefined where workers cannot be started, or where there is one core only.
 */
export async function openWorkerPool(): Promise<WorkerPool | undefined> {
  const count = Math.min(navigator.hardwareConcurrency, MOST_WORKERS);
  if (count < 2 || !await isAvailable()) return undefined;
  const started = await Promise.all(Array.from({ length: count }, start));
  const workers = started.filter((worker) => worker !== undefined);
  if (workers.length < count) {
    for (const worker of workers) worker.terminate();
    return undefined;
  }
  const waiting = new Map<number, PromiseWithResolvers<Outcome[]>>();
  function settle({ data: { id, outcomes } }: MessageEvent<Answer>): void {
    waiting.get(id)?.resolve(outcomes);
    waiting.delete(id);
  }
  function fail(event: ErrorEvent): void {
    event.preventDefault();
    for (const promise of waiting.values()) promise.reject(new DataError(`data: ${event.message}`));
    waiting.clear();
  }
  for (const worker of workers) {
    worker.onmessage = settle;
    worker.onerror = fail;
  }
  let id = 0;
  return {
    // Four each: one in work, the others on their way or waiting for their turn.
    lanes: count * 4,
    prepare(images, to) {
      const promise = Promise.withResolvers<Outcome[]>();
      waiting.set(++id, promise);
      const request: Request = { id, images, to };
      workers[id % count].postMessage(request, images.map(({ buffer }) => buffer));
      return promise.promise;
    },
    close() {
      for (const worker of workers) worker.terminate();
    },
  };
}
