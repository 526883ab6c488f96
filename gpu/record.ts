/**
 * The command stream: many dispatches in one pass, one submit, one upload of parameters.
 *
 * Everything here is for the current {@linkcode Gpu}, and synchronous but {@linkcode submitted} and {@linkcode idle}.
 *
 * @module
 */
import { assertBindable, bindGroup, type Bound, resourceOf, uniforms } from "./bind.ts";
import { type Gpu, gpu, SLOT, SLOTS } from "./gpu.ts";
import { forgetGroups, type Kernel, pipelineOf } from "./kernel.ts";
import { assertOn, drain, handleOf, type Resource, type Storage } from "./memory.ts";

/** A value, or a function that gives the current value each time a recorded step is played. */
export type Live<T> = T | (() => T);

/** The current value. */
export function now<T extends number | ArrayBufferView>(value: Live<T>): T {
  return typeof value === "function" ? value() : value;
}

/** One command of a step. */
export interface Command {
  /** What identifies it: equal in two recordings of the same step. */
  readonly what: readonly unknown[];
  /** The resources that it reads and writes. */
  readonly on: readonly (GPUBuffer | GPUTexture)[];
  readonly play: () => void;
}

/** The commands of a step, in order. */
export type Tape = Command[];

/** Workgroups along x, y and z. */
export type Grid = readonly [number, number, number];

/** A number for each field of a kernel's `struct Params`. */
export type Params = Readonly<Record<string, Live<number>>>;

type Type = Kernel["params"][number]["type"];

/** A dispatch without its parameters. */
interface Dispatch {
  readonly k: Kernel;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: Grid;
}

const OFFSETS = Uint32Array.from({ length: SLOTS }, (_, i) => SLOT * i); // of slots

/** Runs `body` and returns its commands. */
export function taped(body: () => void): Tape {
  const g = gpu();
  if (g.tape) throw new Error("taped: a step within a step");
  const made: Tape = g.tape = [];
  try {
    body();
  } finally {
    g.tape = undefined;
  }
  return made;
}

/** Runs `body` on the host, now and each time the step is played. */
export function effect(body: () => void): void {
  body();
  gpu().tape?.push({ what: ["effect"], on: [], play: body });
}

/** A grid of at least `groups` workgroups in all, folded over x and y where one dimension ends. */
export function folded(groups: number, z = 1): Grid {
  const { mostGroups } = gpu();
  if (groups <= mostGroups) return [Math.max(1, groups), 1, z];
  const y = Math.ceil(groups / mostGroups);
  return [Math.ceil(groups / y), y, z];
}

/** Records one dispatch of exactly these resources; ops call `run` (gpu/run.ts). */
export function record(
  k: Kernel,
  bound: Bound,
  params: Params,
  grid: Grid,
  constants: Readonly<Record<string, number>> = {},
): void {
  const g = gpu();
  assertBindable(g, k, bound);
  if (g.rehearsing) return void g.rehearsing(k, constants, params, bound);
  const made = pipelineOf(g, k, constants), { pipeline } = made;
  const group = bindGroup(g, k, made, bound);
  if (g.slots === SLOTS) flush(g);
  const { slots: slot, tape } = g, recorded = { k, pipeline, group, grid };
  writeParams(g, k, params, SLOT * slot);
  dispatch(g, recorded);
  if (tape) sequenceOf(g, tape, slot).add(recorded, bound, params);
}

/** The sequence that a dispatch with its parameters in `slot` belongs to. */
function sequenceOf(g: Gpu, tape: Tape, slot: number): Sequence {
  const last = tape.at(-1);
  if (last instanceof Sequence && last.end === slot) return last;
  const begun = new Sequence(g, slot);
  tape.push(begun);
  return begun;
}

/** Encodes a dispatch, whose parameters are in the next slot. */
function dispatch(g: Gpu, { k, pipeline, group, grid }: Dispatch): void {
  const { stopwatch } = g, encoder = g.encoder ??= g.device.createCommandEncoder();
  if (stopwatch) endPass(g);
  const pass = g.pass ??= encoder.beginComputePass(stopwatch?.lap(k.label) ?? {});
  if (pipeline !== g.pipeline) pass.setPipeline(g.pipeline = pipeline);
  const taken = slotsOf(k);
  pass.setBindGroup(0, group, OFFSETS, g.slots, taken);
  for (let i = stopwatch?.repeat ?? 1; i > 0; i--) {
    pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
  }
  g.slots += taken;
  g.counters.dispatches++;
}

function slotsOf(k: Kernel): number {
  return k.params.length ? 1 : 0;
}

/** Consecutive dispatches, whose parameters are adjacent. */
class Sequence implements Command {
  readonly what: unknown[] = [];
  readonly on: (GPUBuffer | GPUTexture)[] = [];
  readonly #dispatches: Dispatch[] = [];
  readonly #written = new Set<Storage>();
  readonly #live: { readonly at: number; readonly type: Type; readonly value: () => number }[] = [];
  readonly #params: Uint8Array<ArrayBuffer>[] = [];
  #joined?: Uint8Array;

  /** @param begin The first one's slot when it was recorded. */
  constructor(readonly gpu: Gpu, readonly begin: number) {}

  /** The slot after theirs. */
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
    if (slotsOf(k)) {
      this.#params.push(this.gpu.paramBytes.slice(SLOT * this.end, SLOT * (this.end + 1)));
    }
  }

  /** Dispatches them again, with the current values of live parameters. */
  play(): void {
    const g = this.gpu;
    if (g.slots + this.#params.length > SLOTS) flush(g);
    const begin = SLOT * g.slots;
    g.paramBytes.set(this.#joined ??= joined(this.#params), begin);
    for (const { at, type, value } of this.#live) setParam(g, begin + at, type, value());
    for (const storage of this.#written) storage.version++;
    for (const made of this.#dispatches) dispatch(g, made);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(SLOT * parts.length);
  for (const [i, part] of parts.entries()) whole.set(part, SLOT * i);
  return whole;
}

/** Writes a dispatch's parameters from byte `at` on. */
export function writeParams(to: Pick<Gpu, "params">, k: Kernel, params: Params, at: number): void {
  for (let i = 0; i < k.params.length; i++) {
    const { name, type } = k.params[i], value = params[name];
    if (value === undefined) throw new TypeError(`${k.label}: parameter ${name} is missing`);
    setParam(to, at + 4 * i, type, now(value));
  }
}

function setParam({ params }: Pick<Gpu, "params">, at: number, type: Type, value: number): void {
  if (type === "f32") params.setFloat32(at, value, true);
  else params.setUint32(at, value, true);
}

function endPass(g: Gpu): void {
  g.pass?.end();
  g.pass = g.pipeline = undefined;
}

/** Called for each dispatch that is left out, with what {@linkcode record} is given. */
export type Rehearsal = (
  k: Kernel,
  constants: Readonly<Record<string, number>>,
  params: Params,
  bound: Bound,
) => void;

/** Runs `body` without recording dispatches or uploads. */
export function rehearsed(body: () => void, met: Rehearsal = () => {}): void {
  const g = gpu();
  g.rehearsing = met;
  try {
    body();
  } finally {
    g.rehearsing = undefined;
  }
}

/** Submits what is recorded. */
export function flush(g = gpu()): void {
  const { encoder, device: { queue }, slots } = g;
  if (!encoder) return;
  endPass(g);
  g.stopwatch?.resolve(encoder);
  // One upload for all dispatches. It takes effect before the commands submitted after it, and
  // after those submitted before it.
  if (slots) queue.writeBuffer(uniforms(g), 0, g.params.buffer, 0, SLOT * slots);
  const commands = encoder.finish();
  if (g.debug) g.creating("a submit", () => queue.submit([commands]));
  else queue.submit([commands]);
  g.encoder = undefined;
  g.slots = 0;
}

/** Frees unused memory on the device, for when other sizes will be needed. */
export function trim(): void {
  const g = gpu();
  flush(g);
  drain(g);
  forgetGroups(g);
}

/** The encoder outside of a pass, for commands other than dispatches. */
export function betweenPasses(g = gpu()): GPUCommandEncoder {
  endPass(g);
  return g.encoder ??= g.device.createCommandEncoder();
}

/** Runs a command other than a dispatch, now and each time the step is played. */
export function doing(what: readonly unknown[], on: readonly Resource[], play: () => void): void {
  const g = gpu();
  for (const resource of on) assertOn(g, resource);
  if (g.rehearsing) return;
  play();
  g.tape?.push({ what, on: on.map(handleOf), play });
}

/**
 * Submits what is recorded; resolves once the device has executed it, rejects if it is lost.
 *
 * @throws {GpuError} What else is known to have gone wrong, at once: the promise may be left unheard.
 */
export function submitted(): Promise<void> {
  const g = gpu();
  flush(g);
  g.throwFailure();
  return g.device.queue.onSubmittedWorkDone().then(() => {
    if (g.isLost) g.throwFailure();
  });
}

/** Resolves once the device has executed all that was recorded; throws if anything failed. */
export async function idle(g = gpu()): Promise<void> {
  flush(g);
  await g.device.queue.onSubmittedWorkDone();
  await g.check();
}
