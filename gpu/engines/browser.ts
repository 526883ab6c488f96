/**
 * The device of a page.
 *
 * @module
 */
import { type Engine, openGpu as open } from "../device.ts";
import type { Gpu } from "../gpu.ts";

/** A browser's WebGPU. */
export const browser: Engine = {
  name: "the browser's WebGPU",
  enablesSubgroups: true,
  start: () => Promise.resolve(navigator.gpu),
  help: () =>
    "use a browser with WebGPU, over https or on localhost; chrome://gpu tells what Chromium has",
};

/** Opens the page's GPU and makes it the current one. */
export function openGpu(options: { readonly choice?: string } = {}): Promise<Gpu> {
  return open({ engine: browser, ...options });
}
