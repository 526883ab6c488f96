/// <reference lib="deno.worker" />
import { type Preparation, prepare } from "./prepare.ts";

/** One picture to prepare; `id` comes back with the answer. */
export interface Request {
  id: number;
  bytes: Uint8Array<ArrayBuffer>;
  to: Preparation;
}

/** Its pixels, or why there are none. */
export type Answer = { id: number; pixels: Uint8Array } | { id: number; reason: string };

// Imported for its types, this file runs in no worker and must not listen.
if ("DedicatedWorkerGlobalScope" in globalThis) {
  self.onmessage = ({ data: { id, bytes, to } }: MessageEvent<Request>) => {
    try {
      const pixels = prepare(bytes, to);
      self.postMessage({ id, pixels } satisfies Answer, [pixels.buffer]);
    } catch (error) {
      self.postMessage({ id, reason: (error as Error).message } satisfies Answer);
    }
  };
  self.postMessage("ready");
}
