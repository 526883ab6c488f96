/**
 * The command stream: many dispatches in one pass, one submit, one upload of parameters.
 *
 * Everything here is synchronous but {@linkcode submitted}, {@linkcode idle} and {@linkcode profile}.
 *
 * @module
 */
import { bindGroup, type Bound, resourceOf, sizeOf, SLOT, SLOTS, uniforms } from "./bind.ts";
import { checkGpu, creating, gpu, throwFailure } from "./device.ts";
import { forgetGroups, type Kernel, pipelineOf } from "./kernel.ts";
import {
  assertBindable,
  counters,
  drain,
  handleOf,
  type Resource,
  type Storage,
} from "./memory.ts";
import { Stopwatch, type Timing } from "./stopwatch.ts";

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

/** A number for each field of a kernel's `struct Params`. */
export type Params = Readonly<Record<string, Live<number>>>;

type Type = Kernel["params"][number]["type"];

/** A dispatch, but for its parameters. */
interface Dispatch {
  readonly k: Kernel;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: Grid;
}

const MAX_GROUPS = 65_535; // along one dimension
const DEBUG = Boolean(Deno.env.get("GPU_DEBUG")); // errors are caught at the submit that made them

let encoder: GPUCommandEncoder | undefined;
let pass: GPUComputePassEncoder | undefined;
let inPlace: GPUComputePipeline | undefined; // in the pass
let slots = 0;
const values = new DataView(new ArrayBuffer(SLOT * SLOTS)), bytes = new Uint8Array(values.buffer);
const OFFSETS = Uint32Array.from({ length: SLOTS }, (_, i) => SLOT * i); // of slots
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
  bound: Bound,
  params: Params,
  grid: Grid,
  constants: Readonly<Record<string, number>> = {},
): void {
  for (const name in bound) assertBindable(sizeOf(bound[name]));
  if (rehearsing) return void rehearsing(k, constants);
  const made = pipelineOf(k, constants), { pipeline } = made;
  const group = bindGroup(k, made, bound);
  if (slots === SLOTS) flush();
  const slot = slots;
  writeParams(k, params, SLOT * slot);
  dispatch({ k, pipeline, group, grid });
  if (tape) stretchOf(tape, slot).add({ k, pipeline, group, grid }, bound, params);
}

/** The stretch that a dispatch with its parameters in `slot` belongs to. */
function stretchOf(tape: Tape, slot: number): Stretch {
  const last = tape.at(-1);
  if (last instanceof Stretch && last.end === slot) return last;
  const begun = new Stretch(slot);
  tape.push(begun);
  return begun;
}

/** Encodes a dispatch, whose parameters are in the next slot. */
function dispatch({ k, pipeline, group, grid }: Dispatch): void {
  encoder ??= gpu().createCommandEncoder();
  if (stopwatch) endPass();
  pass ??= encoder.beginComputePass(stopwatch?.lap(k.label) ?? {});
  if (pipeline !== inPlace) pass.setPipeline(inPlace = pipeline);
  const taken = slotsOf(k);
  pass.setBindGroup(0, group, OFFSETS, slots, taken);
  pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
  slots += taken;
  counters.dispatches++;
}

function slotsOf(k: Kernel): number {
  return k.params.length ? 1 : 0;
}

/** Dispatches with nothing in between, whose parameters lie side by side. */
class Stretch implements Command {
  readonly what: unknown[] = [];
  readonly on: (GPUBuffer | GPUTexture)[] = [];
  readonly #dispatches: Dispatch[] = [];
  readonly #written = new Set<Storage>();
  readonly #live: { readonly at: number; readonly type: Type; readonly value: () => number }[] = [];
  readonly #params: Uint8Array<ArrayBuffer>[] = [];
  #joined?: Uint8Array;

  /** @param begin The first one's slot when it was recorded. */
  constructor(readonly begin: number) {}

  /** The slot behind them. */
  get end(): number {
    return this.begin + this.#params.length;
  }

  /** Adds one whose parameters are in slot `end`. */
  add(dispatch: Dispatch, bound: Bound, params: Params): void {
    const { k, pipeline, grid } = dispatch;
    this.what.push(pipeline, ...grid);
    this.#dispatches.push(dispatch);
    for (const { name, layout } of k.bindings) {
      if (layout.buffer?.type === "uniform") continue;
      const resource = resourceOf(bound[name]);
      this.on.push(handleOf(resource));
      if (layout.buffer?.type === "storage") this.#written.add(resource as Storage);
    }
    for (const [i, { name, type }] of k.params.entries()) {
      const value = params[name], at = SLOT * this.#params.length + 4 * i;
      const live = typeof value === "function";
      if (live) this.#live.push({ at, type, value });
      this.what.push(live ? "live" : value);
    }
    if (slotsOf(k)) this.#params.push(bytes.slice(SLOT * this.end, SLOT * (this.end + 1)));
  }

  /** Makes them again, with live parameters as they are now. */
  play(): void {
    if (slots + this.#params.length > SLOTS) flush();
    const begin = SLOT * slots;
    bytes.set(this.#joined ??= joined(this.#params), begin);
    for (const { at, type, value } of this.#live) setParam(begin + at, type, value());
    for (const storage of this.#written) storage.version++;
    for (const made of this.#dispatches) dispatch(made);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(SLOT * parts.length);
  for (const [i, part] of parts.entries()) whole.set(part, SLOT * i);
  return whole;
}

function writeParams(
  k: Kernel,
  params: Params,
  at: number,
): void {
  for (let i = 0; i < k.params.length; i++) {
    const { name, type } = k.params[i], value = params[name];
    if (value === undefined) throw new TypeError(`${k.label}: parameter ${name} is missing`);
    setParam(at + 4 * i, type, now(value));
  }
}

function setParam(at: number, type: Type, value: number): void {
  if (type === "f32") values.setFloat32(at, value, true);
  else values.setUint32(at, value, true);
}

function endPass(): void {
  pass?.end();
  pass = inPlace = undefined;
}

/** Is told of each dispatch that is left out: its kernel, and values for `override` declarations. */
type Rehearsal = (k: Kernel, constants: Readonly<Record<string, number>>) => void;
let rehearsing: Rehearsal | undefined;

/** Runs `body` with all that it records and uploads left out. */
export function rehearsed(body: () => void, met: Rehearsal = () => {}): void {
  rehearsing = met;
  try {
    body();
  } finally {
    rehearsing = undefined;
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
