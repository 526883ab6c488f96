/**
 * Compiles the kernels of a step before it runs, on all cores.
 *
 * Mesa's software device compiles a kernel at its first dispatch, on one thread a device. So helpers, which
 * are workers with devices of their own, compile a part of the kernels: the main device then finds their
 * machine code in Mesa's cache on disk.
 *
 * @module
 */
import { type Bound, resourceOf } from "./bind.ts";
import { type Gpu, gpu, SLOT } from "./gpu.ts";
import { hasPipeline, type Kernel, pipelineOf } from "./kernel.ts";
import { Texture } from "./memory.ts";
import { now, rehearsed, writeParams } from "./record.ts";

/** A pipeline that a step needs. */
export interface Compilation {
  /** Its code. */
  readonly kernel: Kernel;
  /** Values of its `override` declarations. */
  readonly constants: Readonly<Record<string, number>>;
  /** Numbers of its first dispatch: Mesa puts some of them into the machine code where that makes it short. */
  readonly params: Readonly<Record<string, number>>;
  /**
   * Width, height and layers, two at most, of its textures. Mesa compiles anew where a side is a power of
   * two and was none, or where there are several layers instead of one.
   */
  readonly sizes: Readonly<Record<string, number[]>>;
}

/** Kernels that are compiled in another process. */
export interface Apart {
  /** Those that are not on disk yet. */
  readonly kernels: ReadonlySet<Compilation>;
  /** Resolves when their machine code is. */
  readonly done: Promise<void>;
}

/** Compiles on another thread. */
export interface Helper {
  /** Resolves when the machine code is on disk. */
  compile(one: Compilation): Promise<void>;
  /** Ends it. */
  close(): void;
}

const SLOW_MS = 80; // a kernel whose machine code is on disk takes 10 to 20
const MOST_HELPERS = 8;

/**
 * Compiles what `step` needs and has not been compiled yet, for a software device. `step` is only rehearsed.
 *
 * @param report Called with the number of kernels that are compiled, and of all.
 */
export async function compileAhead(
  step: () => void,
  report: (done: number, of: number) => void = () => {},
): Promise<void> {
  const g = gpu();
  if (!g.info.software) return;
  const all = missing(g, step),
    apart = await g.engine.compileApart?.(g, all).catch(() => undefined);
  // What another process cannot compile, the device itself can.
  const compiled = apart?.done.catch(() => {});
  let done = 0;
  const compile = (one: Compilation) => {
    dispatchNone(g, one);
    report(++done, all.length);
  };
  await compileHere(g, all.filter((one) => !apart?.kernels.has(one)), compile);
  await compiled;
  await inTurn(apart?.kernels ?? [], compile);
  await g.check();
}

/** Compiles by this process, with the help of other threads where the driver has to compile at all. */
async function compileHere(
  g: Gpu,
  open: Compilation[],
  compile: (one: Compilation) => void,
): Promise<void> {
  const longest = open.shift();
  if (!longest) return;
  if (await isSlow(g, () => compile(longest))) {
    await Promise.all(
      startHelpers(g, open.length).map(async (starting) => {
        const helper = await starting;
        for (let one = helper && open.shift(); one; one = open.shift()) {
          // What a helper cannot compile, the device itself can.
          await helper!.compile(one).catch(() => {});
          compile(one);
        }
        helper?.close();
      }),
    );
  }
  await inTurn(open, compile);
}

async function inTurn(some: Iterable<Compilation>, compile: (one: Compilation) => void) {
  for (const one of some) {
    compile(one);
    await new Promise((resume) => setTimeout(resume)); // others go on
  }
}

function startHelpers(g: Gpu, kernels: number): Promise<Helper | undefined>[] {
  const length = Math.min(navigator.hardwareConcurrency, MOST_HELPERS, kernels >> 2);
  return Array.from({ length }, async () => await g.engine.helper?.(g).catch(() => undefined));
}

/**
 * Whether the driver has to compile what `body` dispatches. It is the only wait here: until a wait ends, Deno
 * does nothing else.
 */
async function isSlow({ device: { queue } }: Gpu, body: () => void): Promise<boolean> {
  body();
  const begin = performance.now();
  await queue.onSubmittedWorkDone();
  return performance.now() - begin > SLOW_MS;
}

/** What a step needs and has not been compiled yet, the longest texts first. */
function missing(g: Gpu, step: () => void): Compilation[] {
  const found = new Map<Kernel, Map<string, Compilation>>();
  rehearsed(step, (kernel, constants, given, bound) => {
    const key = Object.entries(constants).join(";"), some = found.get(kernel) ?? new Map();
    found.set(kernel, some);
    if (some.has(key)) return;
    const params = Object.fromEntries(kernel.params.map(({ name }) => [name, now(given[name])]));
    some.set(key, { kernel, constants, params, sizes: sizesOf(bound) });
  });
  return [...found.values()].flatMap((some) => [...some.values()])
    .filter(({ kernel, constants }) => !hasPipeline(g, kernel, constants))
    .sort((a, b) => b.kernel.code.length - a.kernel.code.length);
}

function sizesOf(bound: Bound): Compilation["sizes"] {
  return Object.fromEntries(
    Object.entries(bound).flatMap(([name, given]) => {
      const resource = resourceOf(given);
      if (!(resource instanceof Texture)) return [];
      const { width, height, depthOrArrayLayers: layers } = resource.texture;
      return [[name, [width, height, Math.min(2, layers)]]];
    }),
  );
}

/** Dispatches no workgroup: the driver compiles when it comes to that. */
export function dispatchNone(g: Gpu, one: Compilation): void {
  const made = pipelineOf(g, one.kernel, one.constants);
  dispatchEmpty(g.device, made, { ...one, slot: slotOf(one) });
}

/** The bytes of the parameters of a kernel's dispatch. */
export function slotOf({ kernel, params }: Compilation): number[] {
  const slot = new DataView(new ArrayBuffer(SLOT));
  writeParams({ params: slot }, kernel, params, 0);
  return [...new Uint8Array(slot.buffer)];
}

/** What an empty dispatch needs to know of a kernel. */
export type Emptied = Pick<Compilation, "kernel" | "sizes"> & { readonly slot: readonly number[] };

/**
 * Dispatches no workgroup of a pipeline. It refers to nothing outside of itself: gpu/engines/narrow.ts
 * sends its text to another process.
 */
export function dispatchEmpty(
  device: GPUDevice,
  { pipeline, layout }: {
    readonly pipeline: GPUComputePipeline;
    readonly layout: GPUBindGroupLayout;
  },
  { kernel, sizes, slot }: Emptied,
): void {
  const made: (GPUBuffer | GPUTexture)[] = [];
  const entries = kernel.bindings.map(
    ({ name, index: binding, layout: { buffer, storageTexture } }) => {
      if (storageTexture) {
        const { STORAGE_BINDING: usage } = GPUTextureUsage, { format } = storageTexture;
        const texture = device.createTexture({ size: sizes[name], format, usage });
        made.push(texture);
        return { binding, resource: texture.createView({ dimension: "2d-array" }) };
      }
      const isUniform = buffer!.type === "uniform", { UNIFORM, COPY_DST, STORAGE } = GPUBufferUsage;
      const usage = isUniform ? UNIFORM | COPY_DST : STORAGE;
      const bound = device.createBuffer({ size: slot.length, usage });
      made.push(bound);
      if (isUniform) device.queue.writeBuffer(bound, 0, new Uint8Array(slot));
      return { binding, resource: { buffer: bound } };
    },
  );
  const encoder = device.createCommandEncoder(), pass = encoder.beginComputePass();
  const group = device.createBindGroup({ layout, entries });
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group, kernel.params.length ? [0] : []);
  pass.dispatchWorkgroups(0, 0, 0);
  pass.end();
  device.queue.submit([encoder.finish()]);
  for (const one of made) one.destroy();
}
