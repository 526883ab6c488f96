/**
 * What a run will be, before it is one: layers, memory, arithmetic, time.
 *
 * @module
 */
import { imageChannels } from "../data/image.ts";
import { compileAhead } from "../gpu/ahead.ts";
import { deviceInfo } from "../gpu/device.ts";
import { gpu } from "../gpu/gpu.ts";
import { idle } from "../gpu/record.ts";
import { normal } from "../kernels/random.ts";
import { type Dataset, datasetFrom } from "../data/pack.ts";
import { EVALUATION } from "../nn/context.ts";
import type { Module } from "../nn/module.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, sizeOf, Tensor } from "../tensor/tensor.ts";
import { advance } from "./advance.ts";
import { classesIn, latentLength } from "./classes.ts";
import { describe, type Phase } from "./growth.ts";
import { duration } from "./duration.ts";
import { grow, type State } from "./state.ts";

/** One layer of a network. */
export interface LayerRow {
  readonly path: string;
  readonly weight: readonly number[];
  readonly output: readonly number[];
  readonly parameters: number;
}

/** The parts of a network that hold parameters themselves, with what they give for `x`. */
export function layersOf(net: Module, x: Tensor): LayerRow[] {
  const leaves = [...net.namedModules()].filter(([, module]) => own(module).length);
  const outputs = new Map<Module, readonly number[]>(),
    forwards = leaves.map(([, leaf]) => leaf.forward);
  for (const [i, [, leaf]] of leaves.entries()) {
    leaf.forward = (input, context) => {
      const y = forwards[i](input, context);
      outputs.set(leaf, y.shape);
      return y;
    };
  }
  try {
    noGrad(() => scoped(() => void net.forward(x, EVALUATION)));
  } finally {
    for (const [i, [, leaf]] of leaves.entries()) leaf.forward = forwards[i];
  }
  return leaves.map(([path, leaf]) => {
    const shapes = own(leaf).map(({ shape }) => shape);
    return {
      path,
      weight: shapes[0],
      output: outputs.get(leaf) ?? [],
      parameters: shapes.reduce((n, shape) => n + sizeOf(shape), 0),
    };
  });
}

/** What an optimiser trains of a module, without that of its parts. */
function own(module: Module): Tensor[] {
  return Object.values(module).filter((part) => part instanceof Tensor && part.isParam);
}

/** One phase of a run, as measured. */
export interface PhasePlan extends Phase {
  readonly batch: number;
  readonly gflopPerImage: number;
  readonly imagesPerSecond: number;
  readonly seconds: number;
}

/** What a dry run measured. */
export interface Plan {
  /** Of the networks as they are in the end. */
  readonly layers: Readonly<Record<"G" | "D", LayerRow[]>>;
  readonly phases: readonly PhasePlan[];
  /** Of the last phase. */
  readonly gflopPerImage: number;
  /** At most, in any phase. */
  readonly megabytes: number;
  /** Over the whole run. */
  readonly imagesPerSecond: number;
  readonly seconds: number;
  readonly device: string;
}

/**
 * Makes some steps of each phase on black images, two where they are slow, and measures the last;
 * `state` is spoilt.
 *
 * @param signal Stops it; what the device was given it still computes.
 * @param images Images shown already: phases before are left out.
 * @param onPhase Told of each phase as soon as it is measured.
 */
export async function plan(
  state: State,
  { signal, images = 0, onPhase }: {
    signal?: AbortSignal;
    images?: number;
    onPhase?: (phase: PhasePlan) => void;
  } = {},
): Promise<Plan> {
  const { options } = state, phases: PhasePlan[] = [];
  let megabytes = 0;
  for await (const phase of measured(state, images, signal)) {
    phases.push(phase);
    onPhase?.(phase);
    megabytes = Math.max(megabytes, gpu().counters.bytes / 2 ** 20);
  }
  const layers = scoped(() => {
    const z = normal([1, latentLength(options)], { seed: 0, stream: 0, counter: 0 });
    const x = noGrad(() => state.G.forward(z, EVALUATION));
    return { G: layersOf(state.G, z), D: layersOf(state.D, x) } as never;
  }) as Plan["layers"];
  const sum = (key: "images" | "seconds") => phases.reduce((n, phase) => n + phase[key], 0);
  return {
    layers,
    phases,
    gflopPerImage: phases.at(-1)!.gflopPerImage,
    megabytes,
    imagesPerSecond: sum("images") / sum("seconds"),
    seconds: sum("seconds"),
    device: deviceInfo().name,
  };
}

/** The phases that the run comes to, each measured where its networks differ from the one's before. */
async function* measured(
  state: State,
  shown: number,
  signal?: AbortSignal,
): AsyncGenerator<PhasePlan> {
  const { phases, total, at } = state.schedule;
  let speed: Speed | undefined;
  for (const whole of phases.filter(({ from }) => from < total)) {
    const last = whole === phases.at(-1);
    const end = last ? total : Math.min(whole.from + whole.images, total);
    if (end <= shown) continue;
    const phase = { ...whole, from: Math.max(whole.from, shown) }, images = end - phase.from;
    state.images = phase.from;
    if (grow(state) || !speed) speed = await measure(state, signal);
    const seconds = images / speed.imagesPerSecond;
    yield { ...phase, ...speed, images, batch: at(phase.from).batch, seconds };
  }
}

/** Steps that can be relied on together, and one that needs no company. */
const ENOUGH_MS = 300, SLOW_MS = 10_000;

type Speed = Pick<PhasePlan, "gflopPerImage" | "imagesPerSecond">;

/** The mean speed of steps as they come: with R1 and R2 in every `r1Every`th, others without it. */
async function measure(state: State, signal?: AbortSignal): Promise<Speed> {
  const { r1, r2, r1Every, dSteps } = state.options, lazy = r1 + r2 > 0 && r1Every > dSteps;
  const due = await measureSteps(state, 0, signal);
  const rest = lazy ? await measureSteps(state, 1, signal) : due;
  const share = lazy ? dSteps / r1Every : 1;
  const mean = (key: "ms" | "flop") => (share * due[key] + (1 - share) * rest[key]) / due.images;
  return { gflopPerImage: mean("flop") / 1e9, imagesPerSecond: 1000 / mean("ms") };
}

/** A step on black images, timed; `from` is the number that D's first has. */
async function measureSteps(
  state: State,
  from: number,
  signal?: AbortSignal,
): Promise<{ ms: number; flop: number; images: number }> {
  const R = state.stage.resolution, { images, optD } = state;
  const C = imageChannels(state.options), pixels = new Uint8Array(R * R * C);
  const classes = classesIn(state.options), labels = { classes, of: new Uint16Array(1) };
  const black: Dataset = { ...datasetFrom(pixels, R, "black", C), ...classes.length && { labels } };
  const step = () => {
    state.images = images;
    optD.steps = from;
    scoped(() => void advance(state, black));
  };
  await compileAhead(step);
  return { ...await timeSteps(step, () => idleUnless(signal)), images: state.images - images };
}

/**
 * Times a step when all its shaders are compiled: the first one is not measured, nor any in which a
 * pipeline is made.
 *
 * @param wait Waits for the device.
 * @param now Milliseconds, from any start.
 * @param counters What the steps count up.
 * @returns Milliseconds and arithmetic of one step.
 */
export async function timeSteps(
  step: () => void,
  wait: () => Promise<void>,
  now: () => number = () => performance.now(),
  counters: { readonly flop: number; readonly pipelines: number } = gpu().counters,
): Promise<{ ms: number; flop: number }> {
  step();
  await wait();
  for (let steps = 1;;) {
    const { flop, pipelines } = counters, start = now();
    for (let i = 0; i < steps; i++) step();
    await wait();
    if (counters.pipelines > pipelines) continue;
    const ms = now() - start;
    // The first steps are slow on the host, too, and a wait takes 10 ms whatever happens.
    const enough = steps === 1 ? ms >= SLOW_MS : ms >= ENOUGH_MS || steps >= 64;
    if (enough) return { ms: ms / steps, flop: (counters.flop - flop) / steps };
    steps *= 2;
  }
}

/** Waits for the device, whose steps may take minutes, or throws as soon as the signal is aborted. */
async function idleUnless(signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal!.reason);
  signal?.addEventListener("abort", stop);
  try {
    await Promise.race([idle(), promise]);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

const cell = (text: string | number) => String(text).padStart(12);

/** What stands above the {@linkcode phaseRow}s. */
export const PHASE_HEAD = "phase".padEnd(22) +
  ["images", "batch", "images/s", "time"].map(cell).join("");

/** A phase as the row of a table. */
export function phaseRow(phase: PhasePlan): string {
  const { images, batch, imagesPerSecond, seconds } = phase;
  const numbers = [
    images.toLocaleString("en"),
    batch,
    imagesPerSecond.toFixed(1),
    duration(seconds),
  ];
  return describe(phase).padEnd(22) + numbers.map(cell).join("");
}

/** The plan as lines of text, without its phases. */
export function planText({ layers, phases, ...p }: Plan): string[] {
  const lines: string[] = [];
  for (const [net, rows] of Object.entries(layers)) {
    lines.push(row(net, "weight", "output", "parameters"));
    for (const r of rows) {
      lines.push(row(r.path, `[${r.weight}]`, `[${r.output}]`, r.parameters.toLocaleString("en")));
    }
    const sum = rows.reduce((n, r) => n + r.parameters, 0);
    lines.push(row("", "", "", sum.toLocaleString("en")), "");
  }
  lines.push(
    `device      ${p.device}`,
    `arithmetic  ${p.gflopPerImage.toFixed(3)} GFLOP an image${
      phases.length > 1 ? " in the last phase" : ""
    }`,
    `memory      ${Math.ceil(p.megabytes)} MiB on the device`,
    `speed       ${p.imagesPerSecond.toFixed(1)} images/s, measured`,
    `time        ${duration(p.seconds)} in all`,
  );
  return lines;
}

function row(a: string, b: string, c: string, d: string): string {
  return `${a.padEnd(24)}${b.padEnd(20)}${c.padEnd(16)}${d.padStart(12)}`;
}
