/// <reference lib="deno.worker" />
/**
 * Compiles kernels on a device of its own: Mesa keeps the machine code on disk, for all devices.
 *
 * @module
 */
import { type Compilation, dispatchNone } from "../ahead.ts";
import { newGpu } from "../device.ts";
import { deno } from "./deno.ts";

const g = await newGpu({ engine: deno, choice: self.name });

self.onmessage = async ({ data }: MessageEvent<Compilation>) => {
  dispatchNone(g, data);
  await g.device.queue.onSubmittedWorkDone();
  self.postMessage("compiled");
};
self.postMessage("ready");
