/// <reference lib="deno.worker" />
import { DataError } from "./errors.ts";
import { type Preparation, prepare } from "./prepare.ts";

/** One picture to prepare; `id` comes back with the answer. */
export interface Request {
  id: number;
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  to: Preparation;
}

/** Its pixels, or why there are none; `fatal` if the others need not be tried. */
export type Answer =
  | { id: number; pixels: Uint8Array }
  | { id: number; reason: string; fatal: boolean };

// Imported for its types, this file runs in no worker and must not listen.
if ("DedicatedWorkerGlobalScope" in globalThis) {
  self.onmessage = ({ data: { id, name, bytes, to } }: MessageEvent<Request>) => {
    try {
      const pixels = prepare(name, bytes, to);
      self.postMessage({ id, pixels } satisfies Answer, [pixels.buffer]);
    } catch (error) {
      const reason = (error as Error).message;
      self.postMessage({ id, reason, fatal: error instanceof DataError } satisfies Answer);
    }
  };
  self.postMessage("ready");
}
