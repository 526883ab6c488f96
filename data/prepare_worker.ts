/// <reference lib="deno.worker" />
import { type Outcome, outcomeOf, type Preparation, release } from "./prepare.ts";

/** Images to prepare; `id` comes back with the answer. */
export interface Request {
  id: number;
  images: Uint8Array<ArrayBuffer>[];
  to: Preparation;
}

/** What was made of them. */
export interface Answer {
  id: number;
  outcomes: Outcome[];
}

// Imported for its types, this file runs in no worker and must not listen.
if ("DedicatedWorkerGlobalScope" in globalThis) {
  self.onmessage = ({ data: { id, images, to } }: MessageEvent<Request>) => {
    const outcomes = images.map((bytes) => outcomeOf(bytes, to));
    images.forEach(release);
    const buffers = outcomes.flatMap((one) => "pixels" in one ? [one.pixels.buffer] : []);
    self.postMessage({ id, outcomes } satisfies Answer, buffers);
  };
  self.postMessage("ready");
}
