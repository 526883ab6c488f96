/**
 * Dawn, Chromium's WebGPU, from the npm package `webgpu`, which the user installs.
 *
 * @module
 */
import type { Engine } from "../device.ts";
import { GpuError } from "../errors.ts";
import { help, wishes } from "./deno.ts";

/**
 * Dawn's WebGPU. It cannot be used in a process that has used Deno's own.
 *
 * @param flags Its options, e.g. `backend=vulkan`.
 */
export function dawn(flags: readonly string[] = []): Engine {
  return {
    ...wishes,
    name: "Dawn",
    enablesSubgroups: true,
    async start() {
      const { create, globals } = await load();
      // Node.js has none of WebGPU's constants, Deno has the same.
      if (!("GPUBufferUsage" in globalThis)) Object.assign(globalThis, globals);
      return create([...flags]) as unknown as GPU;
    },
    help,
  };
}

async function load() {
  try {
    return await import("webgpu");
  } catch (error) {
    throw new GpuError(
      `Dawn is missing (${(error as Error).message}): install the npm package webgpu`,
    );
  }
}
