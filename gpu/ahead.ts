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
  const open = missing(g, step), of = open.length;
  let done = 0;
  const compile = (one: Compilation) => {
    dispatchNone(g, one);
    report(++done, of);
  };
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
  for (const one of open) {
    compile(one);
    await new Promise((resume) => setTimeout(resume)); // others go on
  }
  await g.check();
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
  const { kernel, constants, params, sizes } = one;
  const { device } = g, { pipeline, layout } = pipelineOf(g, kernel, constants);
  const made: (GPUBuffer | GPUTexture)[] = [];
  const entries = kernel.bindings.map(
    ({ name, index: binding, layout: { buffer, storageTexture } }) => {
      if (storageTexture) {
        const { STORAGE_BINDING: usage } = GPUTextureUsage, { format } = storageTexture;
        const texture = device.createTexture({ size: sizes[name], format, usage });
        made.push(texture);
        return { binding, resource: texture.createView({ dimension: "2d-array" }) };
      }
      const usage = buffer!.type === "uniform"
        ? GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST
        : GPUBufferUsage.STORAGE;
      const bound = device.createBuffer({ size: SLOT, usage });
      made.push(bound);
      if (buffer!.type === "uniform") {
        const slot = new DataView(new ArrayBuffer(SLOT));
        writeParams({ params: slot }, kernel, params, 0);
        device.queue.writeBuffer(bound, 0, slot);
      }
      return { binding, resource: { buffer: bound } };
    },
  );
  const encoder = device.createCommandEncoder(), pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({ layout, entries }),
    kernel.params.length ? [0] : [],
  );
  pass.dispatchWorkgroups(0, 0, 0);
  pass.end();
  device.queue.submit([encoder.finish()]);
  for (const one of made) one.destroy();
}
