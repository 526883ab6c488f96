/**
 * The command stream: many dispatches in one pass, one submit, one upload of parameters.
 *
 * Everything here is synchronous but {@linkcode submitted}, {@linkcode idle} and {@linkcode profile}.
 *
 * @module
 */
import { checkGpu, creating, gpu, throwFailure } from "./device.ts";
import { forgetGroups, type Kernel, type Pipeline, pipelineOf } from "./kernel.ts";
import { assertBindable, counters, drain, handleOf, type Resource, Storage } from "./memory.ts";
import { Stopwatch, type Timing } from "./stopwatch.ts";

/** What can be bound: a resource, or something that has one (a tensor). */
export type Bindable = Resource | { readonly storage: Resource };

/** A value, or a function that gives the one of this time, where steps are played again. */
export type Live<T> = T | (() => T);

/** The value of now. */
export function now<T extends number | ArrayBufferView>(value: Live<T>): T {
  return typeof value === "function" ? value() : value;
}

/** One thing that a step does. */
export interface Command {
  /** What it has in common with that of another recording of the step. */
  readonly what: readonly unknown[];
  /** What it reads and writes. */
  readonly on: readonly (GPUBuffer | GPUTexture)[];
  readonly play: () => void;
}

/** What a step does, in order. */
export type Tape = Command[];

/** Workgroups along x, y and z. */
export type Grid = readonly [number, number, number];

const SLOT = 256; // bytes a dispatch's parameters may take; WebGPU's alignment of dynamic offsets
const SLOTS = 2048; // dispatches in one submit
const MAX_GROUPS = 65_535; // along one dimension
const DEBUG = Boolean(Deno.env.get("GPU_DEBUG")); // errors are caught at the submit that made them

let encoder: GPUCommandEncoder | undefined;
let pass: GPUComputePassEncoder | undefined;
let inPlace: GPUComputePipeline | undefined; // in the pass
let slots = 0;
let uniform: GPUBuffer | undefined;
const values = new DataView(new ArrayBuffer(SLOT * SLOTS)), bytes = new Uint8Array(values.buffer);
const offsets = new Uint32Array(1); // of a dispatch's parameters
let stopwatch: Stopwatch | undefined;
let tape: Tape | undefined;

/** Runs `body`, and notes what it does. */
export function taped(body: () => void): Tape {
  if (tape) throw new Error("taped: a step within a step");
  const made: Tape = tape = [];
  try {
    body();
  } finally {
    tape = undefined;
  }
  return made;
}

/** Does something on the host, now and each time that the step is played again. */
export function effect(body: () => void): void {
  body();
  tape?.push({ what: ["effect"], on: [], play: body });
}

/** A grid of at least `groups` workgroups in all, folded over x and y where one dimension ends. */
export function folded(groups: number, z = 1): Grid {
  if (groups <= MAX_GROUPS) return [Math.max(1, groups), 1, z];
  const y = Math.ceil(groups / MAX_GROUPS);
  return [Math.ceil(groups / y), y, z];
}

/** Records one dispatch of what is bound as it is; `run` (gpu/run.ts) is what kernels are run by. */
export function record(
  k: Kernel,
  bound: Readonly<Record<string, Bindable>>,
  params: Readonly<Record<string, Live<number>>>,
  grid: Grid,
  constants: Readonly<Record<string, number>> = {},
): void {
  for (const name in bound) assertBindable(sizeOf(bound[name]));
  if (rehearsing) return;
  const made = pipelineOf(k, constants), { pipeline } = made;
  const group = bindGroup(k, made, bound);
  if (slots === SLOTS) flush();
  const at = SLOT * slots;
  writeParams(k, params, at);
  dispatch(k, pipeline, group, grid);
  if (tape) note(tape, k, pipeline, group, bound, params, grid, at);
}

/** Encodes a dispatch, whose parameters are in the next slot. */
function dispatch(k: Kernel, pipeline: GPUComputePipeline, group: GPUBindGroup, grid: Grid): void {
  encoder ??= gpu().createCommandEncoder();
  if (stopwatch) endPass();
  pass ??= encoder.beginComputePass(stopwatch?.lap(k.label) ?? {});
  if (pipeline !== inPlace) pass.setPipeline(inPlace = pipeline);
  offsets[0] = SLOT * slots;
  pass.setBindGroup(0, group, offsets, 0, k.params.length ? 1 : 0);
  pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
  if (k.params.length) slots++;
  counters.dispatches++;
}

/** Notes a dispatch with its parameters, of which live ones are found anew each time. */
function note(
  tape: Tape,
  k: Kernel,
  pipeline: GPUComputePipeline,
  group: GPUBindGroup,
  bound: Readonly<Record<string, Bindable>>,
  params: Readonly<Record<string, Live<number>>>,
  grid: Grid,
  at: number,
): void {
  const held = new Uint8Array(values.buffer.slice(at, at + 4 * k.params.length));
  const live = k.params.flatMap(({ name, type }, i) => {
    const value = params[name];
    return typeof value === "function" ? [{ i, type, value }] : [];
  });
  const on: (GPUBuffer | GPUTexture)[] = [], written: Storage[] = [];
  for (const { name, layout } of k.bindings) {
    if (layout.buffer?.type === "uniform") continue;
    const resource = resourceOf(bound[name]);
    on.push(handleOf(resource));
    if (layout.buffer?.type === "storage") written.push(resource as Storage);
  }
  const constant = k.params.map(({ name }) =>
    typeof params[name] === "function" ? "live" : params[name]
  );
  tape.push({
    what: [pipeline, ...grid, ...constant],
    on,
    play: () => {
      if (slots === SLOTS) flush();
      const at = SLOT * slots;
      bytes.set(held, at);
      for (const { i, type, value } of live) setParam(at + 4 * i, type, value());
      for (const storage of written) storage.version++;
      dispatch(k, pipeline, group, grid);
    },
  });
}

function sizeOf(bindable: Bindable): number {
  const resource = resourceOf(bindable);
  return resource instanceof Storage ? resource.size : 0;
}

/** The resource that is bound. */
export function resourceOf(bindable: Bindable): Resource {
  return "storage" in bindable ? bindable.storage : bindable;
}

function bindGroup(k: Kernel, pipeline: Pipeline, bound: Readonly<Record<string, Bindable>>) {
  let key = "", named = 0;
  const resources: (Resource | undefined)[] = [];
  for (const { name, layout } of k.bindings) {
    if (layout.buffer?.type === "uniform") {
      resources.push(undefined);
      continue;
    }
    const given = bound[name];
    if (!given) throw new TypeError(`${k.label}: binding ${name} is missing`);
    const resource = resourceOf(given);
    if (!resource.live) {
      throw new TypeError(`${k.label}: ${name} was taken back by the scope that it was made in`);
    }
    if (layout.buffer?.type === "storage") (resource as Storage).version++;
    named++;
    key += `${resource.id},`;
    resources.push(resource);
  }
  if (named !== Object.keys(bound).length) {
    const known = new Set(k.bindings.map(({ name }) => name));
    const extra = Object.keys(bound).filter((name) => !known.has(name));
    throw new TypeError(`${k.label}: there is no binding ${extra.join(", ")}`);
  }
  const cached = pipeline.groups.get(key);
  if (cached) return cached;
  const group = gpu().createBindGroup({
    label: k.label,
    layout: pipeline.layout,
    entries: k.bindings.map(({ index }, i) => ({ binding: index, resource: entry(resources[i]) })),
  });
  counters.bindGroups++;
  pipeline.groups.set(key, group);
  return group;
}

function entry(resource: Resource | undefined): GPUBindingResource {
  if (resource === undefined) return { buffer: uniforms(), size: SLOT };
  if (resource instanceof Storage) {
    return { buffer: resource.buffer, offset: resource.offset, size: resource.size };
  }
  return resource.view;
}

function uniforms(): GPUBuffer {
  return uniform ??= gpu().createBuffer({
    label: "params",
    size: SLOT * SLOTS,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
}

function writeParams(
  k: Kernel,
  params: Readonly<Record<string, Live<number>>>,
  at: number,
): void {
  for (let i = 0; i < k.params.length; i++) {
    const { name, type } = k.params[i], value = params[name];
    if (value === undefined) throw new TypeError(`${k.label}: parameter ${name} is missing`);
    setParam(at + 4 * i, type, now(value));
  }
}

function setParam(at: number, type: Kernel["params"][number]["type"], value: number): void {
  if (type === "f32") values.setFloat32(at, value, true);
  else values.setUint32(at, value, true);
}

function endPass(): void {
  pass?.end();
  pass = inPlace = undefined;
}

let rehearsing = false;

/** Runs `body` with all that it records and uploads left out. */
export function rehearsed(body: () => void): void {
  rehearsing = true;
  try {
    body();
  } finally {
    rehearsing = false;
  }
}

/** Submits what is recorded. */
export function flush(): void {
  if (!encoder) return;
  endPass();
  stopwatch?.resolve(encoder);
  // One upload for all dispatches. It takes effect before the commands submitted after it, and
  // after those submitted before it.
  if (slots) gpu().queue.writeBuffer(uniforms(), 0, values.buffer, 0, SLOT * slots);
  const commands = encoder.finish();
  if (DEBUG) creating("a submit", () => gpu().queue.submit([commands]));
  else gpu().queue.submit([commands]);
  encoder = undefined;
  slots = 0;
}

/** Gives the memory that no one uses back to the device, for when other sizes will be needed. */
export function trim(): void {
  flush();
  drain();
  forgetGroups();
}

/** The encoder, for what is not a dispatch. */
export function betweenPasses(): GPUCommandEncoder {
  endPass();
  return encoder ??= gpu().createCommandEncoder();
}

/** Does something that is not a dispatch, now and each time that the step is played again. */
export function doing(what: readonly unknown[], on: readonly Resource[], play: () => void): void {
  if (rehearsing) return;
  play();
  tape?.push({ what, on: on.map(handleOf), play });
}

/** Submits what is recorded; resolves once the device has done it. Until then work can go on. */
export function submitted(): Promise<void> {
  flush();
  return gpu().queue.onSubmittedWorkDone().then(throwFailure);
}

/** Resolves once the device has done all that was recorded, and nothing went wrong. */
export async function idle(): Promise<void> {
  flush();
  await gpu().queue.onSubmittedWorkDone();
  await checkGpu();
}

/** Runs `body` with a timestamp around every dispatch: slower, but it tells where time goes. */
export async function profile(body: () => void | Promise<void>): Promise<Timing[]> {
  await idle();
  stopwatch = new Stopwatch();
  try {
    await body();
    await idle();
    return await stopwatch.timings();
  } finally {
    stopwatch.destroy();
    stopwatch = undefined;
  }
}
