/// <reference types="@webgpu/types" />
/**
 * Opens the one GPU device of the process.
 *
 * WebGPU has no list of adapters; it can be asked for a fast one, a frugal one and a software one.
 * What those three answers have in common is taken together, so that a user can choose among them.
 *
 * @module
 */
import { broadcasts } from "./broadcast.ts";
import { GpuError } from "./errors.ts";
import { passes } from "./self_test.ts";
import { askForWideVectors, lanesOf, readsTextures } from "./wide_vectors.ts";

/** What a user wants to know about a device. */
export interface DeviceInfo {
  /** As the driver calls it, e.g. `llvmpipe (LLVM 15.0.6, 256 bits)`. */
  readonly name: string;
  /** Its maker, as the driver says; may be empty. */
  readonly vendor: string;
  /** Its kind of chip, as the driver says; may be empty. */
  readonly architecture: string;
  /** True where the shaders run on the processor (lavapipe, SwiftShader, WARP). */
  readonly software: boolean;
  /** Numbers that a software device computes at once; else 0. */
  readonly lanes: number;
  /** True where shaders read storage textures faster than buffers, and rightly. */
  readonly fastTextures: boolean;
  /** True where they read buffers so slowly that it pays to copy them to textures first. */
  readonly slowBuffers: boolean;
  /** True where a workgroup of `lanes` is one subgroup, whose lanes can share what they loaded. */
  readonly sharing: boolean;
  /** WebGPU's names of what it can do beyond the standard. */
  readonly features: readonly string[];
  /** WebGPU's limits: bytes, texels or counts. */
  readonly limits: Readonly<Record<string, number>>;
}

const SHARING = "subgroups";
const WANTED: GPUFeatureName[] = ["timestamp-query", "shader-f16"];
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxStorageTexturesPerShaderStage",
  "maxTextureDimension2D",
  "maxTextureArrayLayers",
  "maxComputeWorkgroupsPerDimension",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupStorageSize",
] as const;

const HELP = "on Linux install a Vulkan driver (Debian: apt install mesa-vulkan-drivers) " +
  "or run ./gan, which does it; `gan doctor` tells what is there";

let opened: { device: GPUDevice; info: DeviceInfo } | undefined;
let failure: string | undefined;
const pending: Promise<void>[] = [];

/** The adapters that can be had, best first, each once. */
async function adapters(): Promise<GPUAdapter[]> {
  // The backend of each system, without OpenGL: with that loaded, some runs abort at exit. Deno reads
  // this at the first request; a compiled binary has no task that could set it.
  if (!Deno.env.get("DENO_WEBGPU_BACKEND")) {
    Deno.env.set("DENO_WEBGPU_BACKEND", "vulkan,metal,dx12");
  }
  askForWideVectors();
  const found = new Map<string, GPUAdapter>();
  for (
    const options of [
      { powerPreference: "high-performance" },
      { powerPreference: "low-power" },
      { forceFallbackAdapter: true },
    ] as GPURequestAdapterOptions[]
  ) {
    const adapter = await navigator.gpu?.requestAdapter(options).catch(() => null);
    if (adapter && !found.has(nameOf(adapter))) found.set(nameOf(adapter), adapter);
  }
  return [...found.values()];
}

function nameOf({ info }: GPUAdapter): string {
  return info.description || info.device || info.vendor || "unnamed device";
}

function describe(adapter: GPUAdapter): DeviceInfo {
  const name = nameOf(adapter);
  const software = /llvmpipe|lavapipe|swiftshader|software|basic render|warp/i.test(name);
  return {
    name,
    vendor: adapter.info.vendor,
    architecture: adapter.info.architecture,
    software,
    lanes: software ? lanesOf(name) : 0,
    fastTextures: software,
    // With AVX-512 a number goes into a vector in one instruction, not by way of memory.
    slowBuffers: /llvmpipe/i.test(name) && lanesOf(name) <= 8,
    sharing: false,
    features: [...adapter.features].sort(),
    limits: Object.fromEntries(LIMITS.map((limit) => [limit, Number(adapter.limits[limit])])),
  };
}

/** The devices that `--device` can choose from, in the order of their indices. */
export async function listDevices(): Promise<DeviceInfo[]> {
  return (await adapters()).map(describe);
}

/**
 * Opens the GPU; does nothing if it is open.
 *
 * @param choice An index or a part of a device's name; by default the environment variable
 * `GAN_DEVICE`, else the fastest device.
 * @throws {GpuError} If there is no device, none fits, or the driver refuses.
 */
export async function openGpu(choice?: string): Promise<DeviceInfo> {
  if (opened) return opened.info;
  const wanted = choice ?? Deno.env.get("GAN_DEVICE");
  const all = await adapters();
  if (all.length === 0) {
    const named = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].find((name) => Deno.env.get(name));
    throw new GpuError(
      `No GPU and no software device was found: ${
        named ? `the variable ${named} names a driver that has none; unset it, or ` : ""
      }${HELP}`,
    );
  }
  const adapter = wanted === undefined || wanted === ""
    ? all[0]
    : all.find((a, i) =>
      /^\d+$/.test(wanted)
        ? i === Number(wanted)
        : nameOf(a).toLowerCase().includes(wanted.toLowerCase())
    );
  if (!adapter) {
    const names = all.map((a, i) => `${i}: ${nameOf(a)}`).join("; ");
    throw new GpuError(`No device fits --device ${wanted}: there is ${names}`);
  }
  let info = describe(adapter);
  const device = await request(adapter, info);
  device.lost.then(({ reason, message }) => {
    failure ??= `The GPU was lost (${message || reason}): the driver was reset or ran out of ` +
      `memory; start again with --resume, perhaps with a smaller --batch`;
  });
  device.addEventListener("uncapturederror", (event) => {
    const { error } = event as GPUUncapturedErrorEvent;
    failure ??= `The GPU refused a command: ${error.message}`;
    event.preventDefault();
  });
  if (info.lanes > 8) info = { ...info, fastTextures: await passes(device, readsTextures()) };
  if (device.features.has(SHARING)) {
    const sharing = await passes(device, broadcasts(info.lanes));
    if (sharing) info = { ...info, sharing, features: [...info.features, SHARING].sort() };
  }
  opened = { device, info };
  return info;
}

async function request(adapter: GPUAdapter, { software, name, limits }: DeviceInfo) {
  const listed = WANTED.filter((feature) => adapter.features.has(feature));
  const open = (requiredFeatures: GPUFeatureName[]) =>
    adapter.requestDevice({ requiredFeatures, requiredLimits: { ...limits } });
  try {
    // Deno does not list subgroups, but has them where it grants them.
    return await (software ? open([...listed, SHARING]).catch(() => open(listed)) : open(listed));
  } catch (error) {
    throw new GpuError(`${name} could not be opened: ${(error as Error).message}`);
  }
}

/** The open device, for this folder only. */
export function gpu(): GPUDevice {
  if (!opened) throw new GpuError("The GPU is not open: await openGpu() first");
  return opened.device;
}

/** What is known about the open device. */
export function deviceInfo(): DeviceInfo {
  if (!opened) throw new GpuError("The GPU is not open: await openGpu() first");
  return described ?? opened.info;
}

let described: DeviceInfo | undefined;

/**
 * Describes the open device as if it were another one, so that kernels are chosen as for that; they run
 * on this one. For tests and measurements.
 *
 * @param changes What is different there; undefined ends it.
 */
export function describeAs(changes: Partial<DeviceInfo> | undefined): void {
  described = undefined;
  if (changes) described = { ...deviceInfo(), ...changes };
}

/** What a GPU has in place of what a software device has. */
export const AS_GPU: Partial<DeviceInfo> = {
  software: false,
  lanes: 0,
  fastTextures: false,
  slowBuffers: false,
  sharing: false,
};

/**
 * Makes something on the device and notes what the driver says of it.
 *
 * Errors come later, by promise; {@linkcode checkGpu} throws them.
 *
 * @param explain Adds to the driver's message what helps to find its cause.
 */
export function creating<T>(
  what: string,
  create: () => T,
  explain = (message: string) => message,
): T {
  const device = gpu();
  device.pushErrorScope("out-of-memory");
  device.pushErrorScope("validation");
  const made = create();
  const invalid = device.popErrorScope(), full = device.popErrorScope();
  pending.push(
    invalid.then((error) => {
      if (error) {
        const message = explain(error.message.replace(/\s+/g, " ").trim());
        failure ??= `${capital(what)} cannot be had: ${message}`;
      }
    }),
    full.then((error) => {
      if (error) {
        failure ??= `The GPU has no memory left for ${what}: try a smaller --batch or a narrower ` +
          `net, or close other programs that use the GPU`;
      }
    }),
  );
  return made;
}

function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}

/** Throws what went wrong on the device since the last call, if anything did. */
export async function checkGpu(): Promise<void> {
  if (pending.length) await Promise.all(pending.splice(0));
  throwFailure();
}

/** Throws what is already known to have gone wrong. */
export function throwFailure(): void {
  if (failure === undefined) return;
  const message = failure;
  failure = undefined;
  throw new GpuError(message);
}
