/**
 * Decoding on several cores: a GPU takes images faster than one core decodes them.
 *
 * @module
 */
import { decodeAsPillow, type Pillowed } from "./as_pillow.ts";
import type { Answer, Request } from "./decode_worker.ts";

// Starting workers takes as long as decoding some hundred small images.
const FEW = 400;
const MOST_WORKERS = 8;

/** Decodes images, as `decodeAsPillow`. */
export interface DecodePool {
  /** How many images keep every core busy. */
  readonly lanes: number;
  /** Takes the bytes away. */
  decode(bytes: Uint8Array): Promise<Pillowed>;
  /** Ends the workers. */
  close(): void;
}

const ownThread: DecodePool = {
  lanes: 1,
  decode: async (bytes) => await decodeAsPillow(bytes),
  close: () => {},
};

/** Whether the worker's file is there: in the output of `deno bundle`, one file, it is not. */
async function isAvailable(file: URL): Promise<boolean> {
  return file.protocol !== "file:" || await Deno.stat(file).then(() => true, () => false);
}

function start(file: URL): Promise<Worker | undefined> {
  const worker = new Worker(file, { type: "module" });
  return new Promise((resolve) => {
    worker.onmessage = () => resolve(worker);
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      resolve(undefined);
    };
  });
}

/** Workers for `images` images; this thread where there are few, or workers cannot be started. */
export async function openDecodePool(images: number): Promise<DecodePool> {
  const count = Math.min(navigator.hardwareConcurrency, MOST_WORKERS);
  const file = new URL("./decode_worker.ts", import.meta.url);
  if (images <= FEW || count < 2 || !await isAvailable(file)) return ownThread;
  const started = await Promise.all(Array.from({ length: count }, () => start(file)));
  const workers = started.filter((worker) => worker !== undefined);
  const close = () => workers.forEach((worker) => worker.terminate());
  if (workers.length < count) {
    close();
    return ownThread;
  }
  const waiting = new Map<number, PromiseWithResolvers<Pillowed>>();
  for (const worker of workers) {
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const promise = waiting.get(data.id)!;
      waiting.delete(data.id);
      if ("image" in data) promise.resolve(data.image);
      else promise.reject(new Error(data.reason));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      for (const promise of waiting.values()) promise.reject(new Error(event.message));
      waiting.clear();
    };
  }
  let id = 0;
  return {
    // Two each: one in work, one on its way.
    lanes: count * 2,
    decode(bytes) {
      const promise = Promise.withResolvers<Pillowed>(), own = Uint8Array.from(bytes);
      waiting.set(++id, promise);
      workers[id % count].postMessage({ id, bytes: own } satisfies Request, [own.buffer]);
      return promise.promise;
    },
    close,
  };
}
