/**
 * Deno's devices, and settings from environment variables.
 *
 * @module
 */
import {
  type DeviceInfo,
  type Engine,
  listDevices as list,
  openGpu as open,
  type OpenOptions,
} from "../device.ts";
import type { Gpu } from "../gpu.ts";
import { compileApart } from "./apart.ts";
import { helper } from "./helper.ts";
import { chooseVectors } from "./vectors.ts";

const BACKEND = "DENO_WEBGPU_BACKEND";

/** What a user wants of a device: `GAN_DEVICE` chooses, `GPU_DEBUG` shows what is done. */
export const wishes = {
  get choice(): string | undefined {
    return Deno.env.get("GAN_DEVICE") || undefined;
  },
  get debug(): boolean {
    return Boolean(Deno.env.get("GPU_DEBUG"));
  },
};

/** What to do where there is no device. */
export function help(): string {
  const named = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].find((name) => Deno.env.get(name));
  return (named ? `the variable ${named} names a driver that has none; unset it, or ` : "") +
    "on Linux install a Vulkan driver (Debian: apt install mesa-vulkan-drivers) or run ./gan, " +
    "which does it; `gan doctor` tells what is there";
}

/** Deno's WebGPU. */
export const deno: Engine = {
  name: "Deno's WebGPU",
  enablesSubgroups: false,
  get choice() {
    return wishes.choice;
  },
  get debug() {
    return wishes.debug;
  },
  async start() {
    // Deno reads these at the first request; a compiled binary has no task that could set them. The
    // backend of each system, without OpenGL: with that loaded, some runs abort at exit.
    if (!Deno.env.get(BACKEND)) Deno.env.set(BACKEND, "vulkan,metal,dx12");
    await chooseVectors();
    return navigator.gpu;
  },
  help,
  helper,
  compileApart,
};

/** Opens a GPU of Deno's, unless another engine is named, and makes it the current one. */
export function openGpu(options: Partial<OpenOptions> = {}): Promise<Gpu> {
  return open({ engine: deno, ...options });
}

/** The devices that `choice` can name, in the order of their indices. */
export function listDevices(options: Partial<OpenOptions> = {}): Promise<DeviceInfo[]> {
  return list({ engine: deno, ...options });
}
