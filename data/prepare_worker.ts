/// <reference lib="deno.worker" />
import { type Preparation, prepare, type Prepared } from "./prepare.ts";

/** One image to prepare; `id` comes back with the answer. */
export interface Request {
  id: number;
  bytes: Uint8Array<ArrayBuffer>;
  to: Preparation;
}

/** What was made of it, or why there is nothing. */
export type Answer = { id: number; prepared: Prepared } | { id: number; reason: string };

// Imported for its types, this file runs in no worker and must not listen.
if ("DedicatedWorkerGlobalScope" in globalThis) {
  self.onmessage = ({ data: { id, bytes, to } }: MessageEvent<Request>) => {
    try {
      const prepared = prepare(bytes, to);
      self.postMessage({ id, prepared } satisfies Answer, [prepared.pixels.buffer]);
    } catch (error) {
      self.postMessage({ id, reason: (error as Error).message } satisfies Answer);
    }
  };
  self.postMessage("ready");
}
