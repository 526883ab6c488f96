/// <reference types="@webgpu/types" />
/**
 * Opens GPU devices.
 *
 * WebGPU has no list of adapters; it can be asked for a fast one, a frugal one and a software one.
 * The distinct answers to these three requests are the list that a user chooses from.
 *
 * @module
 */
import type { Apart, Compilation, Helper } from "./ahead.ts";
import { broadcasts } from "./broadcast.ts";
import { GpuError } from "./errors.ts";
import { currentGpu, Gpu, gpu } from "./gpu.ts";
import { directed } from "./kernel.ts";
import { runsLongLoops } from "./long_loop.ts";
import { passes, type SelfTest } from "./self_check.ts";
import { readsTextures } from "./wide_vectors.ts";

/** Properties of a device. */
export interface DeviceInfo {
  /** As the driver calls it, e.g. `llvmpipe (LLVM 15.0.6, 256 bits)`. */
  readonly name: string;
  /** Its maker, as the driver says; may be empty. */
  readonly vendor: string;
  /** Its kind of chip, as the driver says; may be empty. */
  readonly architecture: string;
  /** True where the shaders run on the processor (lavapipe, SwiftShader, WARP). */
  readonly software: boolean;
  /** SIMD lanes of a software device; 0 for a GPU. */
  readonly lanes: number;
  /** True where shaders read storage textures correctly and faster than buffers. */
  readonly fastTextures: boolean;
  /** True where shaders read buffers so slowly that copying them to textures first pays. */
  readonly slowBuffers: boolean;
  /** True where a workgroup of `lanes` is one subgroup, whose lanes can share what they loaded. */
  readonly sharing: boolean;
  /** Names of WebGPU's optional features that it has. */
  readonly features: readonly string[];
  /** WebGPU's limits: bytes, texels or counts. */
  readonly limits: Readonly<Record<string, number>>;
}

/** The parts of an adapter that {@linkcode describe} reads. */
type Described = Pick<GPUAdapter, "info" | "features" | "limits">;

const SHARING = "subgroups";
/** SwiftShader has 4, for which the rules of plans were not measured. */
const LEAST_LANES = 8;
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

/** Where devices come from. */
export interface Engine {
  /** For messages; two engines of one name are one. */
  readonly name: string;
  /** Whether it requires `enable subgroups;`, which is standard and which Deno refuses. */
  readonly enablesSubgroups: boolean;
  /** The device to open if the caller names none: an index or a part of a name. */
  readonly choice?: string | undefined;
  /** Whether to print shaders, and to catch errors at the submit that made them. */
  readonly debug?: boolean;
  /** WebGPU's entry point, where there is one. */
  start(): Promise<GPU | undefined>;
  /** What to do if no device was found. */
  help(): string;
  /** Starts a thread that compiles for a device; undefined where that gains nothing. */
  helper?(g: Gpu): Promise<Helper | undefined>;
  /** Begins to compile some kernels in another process, where that makes them faster. */
  compileApart?(g: Gpu, kernels: readonly Compilation[]): Promise<Apart | undefined>;
}

/** How a GPU is opened. */
export interface OpenOptions {
  /** Where it comes from. */
  readonly engine: Engine;
  /** An index or a part of a device's name; by default the engine's choice, else the fastest. */
  readonly choice?: string | undefined;
}

/** The available adapters without duplicates, best first. */
async function adaptersOf(engine: Engine): Promise<{ root?: GPU; adapters: GPUAdapter[] }> {
  const other = currentGpu()?.engine.name ?? engine.name;
  if (other !== engine.name) {
    throw new GpuError(
      `${engine.name} cannot be used beside ${other} in one process: use one of them, or two processes`,
    );
  }
  const found = new Map<string, GPUAdapter>(), root = await engine.start();
  if (!root) return { adapters: [] };
  for (
    const options of [
      { powerPreference: "high-performance" },
      { powerPreference: "low-power" },
      { forceFallbackAdapter: true },
    ] as GPURequestAdapterOptions[]
  ) {
    const adapter = await root.requestAdapter(options).catch(() => null);
    if (adapter && !found.has(nameOf(adapter.info))) found.set(nameOf(adapter.info), adapter);
  }
  return { root, adapters: [...found.values()] };
}

function nameOf({ description, device, vendor, architecture }: GPUAdapterInfo): string {
  // Browsers leave the description empty.
  return description || device || [vendor, architecture].filter(Boolean).join(" ") ||
    "unnamed device";
}

/** A device's properties, as its adapter reports them. */
export function describe({ info, features, limits }: Described): DeviceInfo {
  const name = nameOf(info), { vendor, architecture } = info;
  const software = info.isFallbackAdapter ||
    /llvmpipe|lavapipe|swiftshader|software|basic render|warp/i.test(`${name} ${architecture}`);
  return {
    name,
    vendor,
    architecture,
    software,
    lanes: software ? Math.max(LEAST_LANES, info.subgroupMaxSize ?? 0) : 0,
    fastTextures: software,
    slowBuffers: false,
    sharing: false,
    features: [...features].sort(),
    limits: Object.fromEntries(LIMITS.map((limit) => [limit, Number(limits[limit])])),
  };
}

/** The devices that `--device` can choose from, in the order of their indices. */
export async function listDevices({ engine }: OpenOptions): Promise<DeviceInfo[]> {
  return (await adaptersOf(engine)).adapters.map(describe);
}

/**
 * Opens a GPU and makes it the current one, unless the current one already fits.
 *
 * @throws {GpuError} If there is no device, none fits, or the driver refuses.
 */
export async function openGpu({ engine, choice = engine.choice }: OpenOptions): Promise<Gpu> {
  const asked = () => {
    const open = currentGpu(), fits = choice === undefined || choice === open?.choice;
    return open?.engine.name === engine.name && fits && !open.isLost ? open : undefined;
  };
  const open = asked();
  if (open) return open;
  const made = await newGpu({ engine, choice });
  const meanwhile = asked();
  if (meanwhile) made.device.destroy();
  else made.makeCurrent();
  return meanwhile ?? made;
}

/**
 * Opens a GPU beside those that are open; it is not made the current one.
 *
 * @throws {GpuError} If there is no device, none fits, or the driver refuses.
 */
export async function newGpu({ engine, choice = engine.choice }: OpenOptions): Promise<Gpu> {
  const { root, adapters } = await adaptersOf(engine);
  if (!root || adapters.length === 0) {
    throw new GpuError(`No GPU and no software device was found: ${engine.help()}`);
  }
  const names = adapters.map(({ info }) => nameOf(info));
  const at = !choice
    ? 0
    : /^\d+$/.test(choice)
    ? Number(choice)
    : names.findIndex((name) => name.toLowerCase().includes(choice.toLowerCase()));
  const adapter = adapters[at];
  if (!adapter) {
    const all = names.map((name, i) => `${i}: ${name}`).join("; ");
    throw new GpuError(`No device fits --device ${choice}: there is ${all}`);
  }
  let info = describe(adapter);
  const device = await request(adapter, info);
  const check = (test: SelfTest) => passes(device, { ...test, code: directed(test.code, engine) });
  if (info.lanes > LEAST_LANES) info = { ...info, fastTextures: await check(readsTextures()) };
  else if (info.software) info = { ...info, slowBuffers: !await check(runsLongLoops()) };
  if (device.features.has(SHARING)) {
    const sharing = await check(broadcasts(info.lanes));
    if (sharing) info = { ...info, sharing, features: [...info.features, SHARING].sort() };
  }
  return new Gpu(device, { info, engine, root, choice });
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

/** Properties of the current GPU's device. */
export function deviceInfo(): DeviceInfo {
  return gpu().info;
}

/** Properties that a GPU does not share with a software device. */
export const AS_GPU: Partial<DeviceInfo> = {
  software: false,
  lanes: 0,
  fastTextures: false,
  slowBuffers: false,
  sharing: false,
};
