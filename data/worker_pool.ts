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
  return new Pool(workers);
}

/** What is to be prepared, or is on its way. */
interface Job extends PromiseWithResolvers<Outcome[]> {
  request: Request;
}

// One in work and one on its way: a worker that is slow, or has large images, keeps no more waiting.
const EACH = 2;
const MOST_LANES = 4 * MOST_WORKERS; // large images are in memory as long

class Pool implements WorkerPool {
  // Results wait for their turn; a worker that is ahead of another goes on meanwhile.
  readonly lanes: number;
  #workers: Worker[];
  #jobs: Job[] = [];
  #sent = new Map<Worker, Map<number, Job>>();
  #id = 0;

  constructor(workers: Worker[]) {
    this.#workers = workers;
    this.lanes = Math.min(8 * workers.length, MOST_LANES);
    for (const worker of workers) {
      this.#sent.set(worker, new Map());
      worker.onmessage = ({ data: { id, outcomes } }: MessageEvent<Answer>) => {
        const sent = this.#sent.get(worker)!;
        sent.get(id)?.resolve(outcomes);
        sent.delete(id);
        this.#send();
      };
      worker.onerror = (event) => {
        event.preventDefault();
        this.#fail(event.message);
      };
    }
  }

  prepare(images: Uint8Array<ArrayBuffer>[], to: Preparation): Promise<Outcome[]> {
    const job = { ...Promise.withResolvers<Outcome[]>(), request: { id: ++this.#id, images, to } };
    this.#jobs.push(job);
    this.#send();
    return job.promise;
  }

  /** Gives what waits to those that have least to do. */
  #send(): void {
    for (let load = 0; load < EACH; load++) {
      for (const worker of this.#workers) {
        const sent = this.#sent.get(worker)!;
        if (sent.size > load || this.#jobs.length === 0) continue;
        const job = this.#jobs.shift()!, { images, id } = job.request;
        sent.set(id, job);
        worker.postMessage(job.request, images.map(({ buffer }) => buffer));
      }
    }
  }

  #fail(message: string): void {
    const sent = [...this.#sent.values()].flatMap((jobs) => [...jobs.values()]);
    for (const { reject } of [...sent, ...this.#jobs]) reject(new DataError(`data: ${message}`));
    this.#jobs = [];
    for (const jobs of this.#sent.values()) jobs.clear();
  }

  close(): void {
    for (const worker of this.#workers) worker.terminate();
  }
}
