/**
 * A worker for libraries that untrusted files may keep busy without end, or make fill the memory.
 *
 * @module
 */
import { Worker } from "node:worker_threads";
import { DataError } from "./errors.ts";

// Of silence. Where the machine is busy elsewhere, or a disk is slow, a second counts less.
const MOST_SECONDS = 5, LEAST_SHARE = 0.25;
// MB; Deno stops a worker that needs more, which mostly shows as silence.
const MOST_HEAP = 512;

/**
 * What a worker sends: a sign of life (and how many seconds more than usual its next one may take),
 * an answer, or why there is none.
 */
export type Message<Answer> =
  | { alive: true; seconds?: number }
  | { answer: Answer }
  | { refused: string; isTold: boolean };

/** A question that is not answered yet. */
interface Open<Answer> extends PromiseWithResolvers<Answer> {
  /** What it is about, for a message. */
  about: string;
}

/** What the types of Deno 2.9.6 do not tell of a worker. */
interface Timed {
  /** Microseconds of processor time, of no other thread. */
  cpuUsage(): Promise<{ readonly user: number; readonly system: number }>;
}

/** Seconds of processor time that a worker has used; 0 if that cannot be told, as of one that has ended. */
async function processorSeconds(worker: Worker): Promise<number> {
  try {
    const { user, system } = await (worker as unknown as Timed).cpuUsage();
    return (user + system) / 1e6;
  } catch {
    return 0;
  }
}

/**
 * Asks a worker, which answers in turn. It is started when there is a question, and ended with a
 * sentence when it shows no sign of life for some seconds, or needs too much memory. Deno 2.9.6 lets
 * a loop of an ended worker compute on, on a core (denoland/deno#35657): what may loop without end is better
 * refused before.
 */
export class WatchedWorker<Request, Answer> {
  #file: URL;
  #seconds: number;
  #worker: Worker | undefined;
  #open: Open<Answer>[] = [];
  #watch: ReturnType<typeof setInterval> | undefined;
  #silent = 0;
  #used: number | undefined;

  /** `file` is the module that runs in the worker; it answers by {@linkcode Message}. */
  constructor(file: URL, seconds: number = MOST_SECONDS) {
    this.#file = file;
    this.#seconds = seconds;
  }

  /** Whether the module is there: in the output of `deno bundle`, one file, it is not. */
  async isAvailable(): Promise<boolean> {
    const file = this.#file;
    return file.protocol !== "file:" || await Deno.stat(file).then(() => true, () => false);
  }

  /**
   * Asks.
   *
   * @param request What is sent.
   * @param about What it is about: `data.parquet: row group 3`.
   * @returns The answer.
   * @throws {DataError} If the worker says so, had to be ended, or failed.
   */
  ask(request: Request, about: string): Promise<Answer> {
    const worker = this.#worker ??= this.#start();
    const open = { ...Promise.withResolvers<Answer>(), about };
    this.#open.push(open);
    worker.postMessage(request);
    this.#watch ??= setInterval(() => void this.#tick(worker), 1000);
    return open.promise;
  }

  #start(): Worker {
    const worker = new Worker(this.#file, {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP },
    });
    worker.unref(); // questions keep the process alive, by `#watch`
    worker.on("message", (message: Message<Answer>) => {
      if (worker === this.#worker) this.#take(message);
    });
    worker.on("error", (error: Error) => {
      if (worker === this.#worker) this.#fail(`could not be read (${error.message})`);
    });
    return worker;
  }

  #take(message: Message<Answer>): void {
    this.#silent = 0;
    if ("alive" in message) {
      this.#silent -= message.seconds ?? 0;
      return;
    }
    const { resolve, reject } = this.#open.shift()!;
    if ("answer" in message) resolve(message.answer);
    else reject(message.isTold ? new DataError(message.refused) : new Error(message.refused));
    if (this.#open.length === 0) this.#rest();
  }

  /** Counts a second by its processor time: a worker that is starved, or waits for a disk, has more. */
  async #tick(worker: Worker): Promise<void> {
    const used = await processorSeconds(worker);
    if (worker !== this.#worker || this.#watch === undefined) return;
    this.#silent += Math.min(Math.max(used - (this.#used ?? used), LEAST_SHARE), 1);
    this.#used = used;
    if (this.#silent < this.#seconds) return;
    this.#fail(`could not be read within ${this.#seconds} s`);
  }

  /** Ends the worker; all that was asked has failed. */
  #fail(reason: string): void {
    const open = this.#open;
    this.#open = [];
    this.close();
    for (const { reject } of open) {
      reject(new DataError(`data: ${open[0].about} ${reason}: the file is damaged; copy it again`));
    }
  }

  #rest(): void {
    clearInterval(this.#watch);
    this.#watch = this.#used = undefined;
    this.#silent = 0;
  }

  /** Ends the worker; the next question starts another one. */
  close(): void {
    this.#rest();
    void this.#worker?.terminate();
    this.#worker = undefined;
    const open = this.#open;
    this.#open = [];
    for (const { reject } of open) reject(new DataError("data: the reading was stopped"));
  }
}
