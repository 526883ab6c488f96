/**
 * All that a run carries from step to step, and its way into a checkpoint and back.
 *
 * @module
 */
import { copy } from "../gpu/copy.ts";
import { trim } from "../gpu/record.ts";
import type { Stage } from "../models/stage.ts";
import { Adam } from "../nn/adam.ts";
import { Average } from "../nn/average.ts";
import { deviceInfo } from "../gpu/device.ts";
import { fromEntries, toEntries } from "../nn/checkpoint.ts";
import { CheckpointError } from "../io/errors.ts";
import { free } from "../nn/flat.ts";
import { GradScaler } from "../nn/grad_scaler.ts";
import type { Module } from "../nn/module.ts";
import { PowerIteration } from "../nn/power_iteration.ts";
import { hostRandom, NOTHING_DRAWN } from "../nn/random.ts";
import { nonFiniteIn } from "../io/non_finite.ts";
import { type Contents, loadSafetensors, saveSafetensors } from "../io/safetensors.ts";
import { sameShape, scoped, type Tensor, tensor } from "../tensor/tensor.ts";
import { type Schedule, scheduleOf, stageIn, stageOf } from "./growth.ts";
import { type DataMark, markIn } from "./data_mark.ts";
import { BreakdownError } from "./errors.ts";
import type { TrainOptions } from "./options.ts";
import { networkOptions, type Recipe, savedOptions } from "./recipe.ts";
import { VERSION } from "./version.ts";

/** The networks, their optimisers, the running average of G, and how far they are. */
export interface State {
  /** How it is trained. */
  readonly recipe: Recipe;
  /** What the run is a function of. */
  readonly options: TrainOptions;
  /** The course of the run. */
  readonly schedule: Schedule;
  /** Up to where the networks have grown. */
  stage: Stage;
  /** The generator that is trained. */
  G: Module;
  /** The discriminator. */
  D: Module;
  /** What trains G. */
  optG: Adam;
  /** What trains D. */
  optD: Adam;
  /** Singular vectors of the spectrally normalised layers of G. */
  spectraG: PowerIteration;
  /** Those of D. */
  spectraD: PowerIteration;
  /** Of augmentation, `[1]`, where it is adaptive. */
  readonly probability?: Tensor;
  /** Absent where options ask for none. */
  average?: Average<Module>;
  /** Real images shown. */
  images: number;
  /** How often it broke down and went back: each time random numbers are others from there on. */
  rollbacks: number;
  /** The images that it is trained on, where that is known. */
  data?: DataMark | undefined;
}

/** What is built anew for each stage. */
type Built = Omit<
  State,
  "recipe" | "options" | "schedule" | "images" | "rollbacks" | "data" | "probability"
>;

const FORMAT = "1";

/** Builds a run's state as it is before the first image; not drawn, its weights are 0 until a checkpoint is read. */
export function newState(recipe: Recipe, options: TrainOptions, drawn = true): State {
  const schedule = scheduleOf(recipe, options);
  const { phase, alpha } = schedule.at(0);
  return {
    recipe,
    options,
    schedule,
    ...options.adaTarget > 0 && { probability: tensor([0], [1]) },
    ...build(recipe, options, stageOf(phase, alpha), drawn),
    images: 0,
    rollbacks: 0,
  };
}

function build(recipe: Recipe, options: TrainOptions, stage: Stage, drawn = true): Built {
  const { seed, lrG, lrD, beta1, beta2, ema, precision } = options;
  const adam = (net: Module, lr: number) =>
    new Adam(net.parameters(), {
      lr,
      betas: [beta1, beta2],
      guard: true,
      ...precision === "f16" && { scaler: new GradScaler() },
    });
  const sizes = networkOptions(options);
  const random = (stream: number) => drawn ? hostRandom(seed, stream) : NOTHING_DRAWN;
  const G = recipe.G(sizes, random(1), stage), D = recipe.D(sizes, random(2), stage);
  const optG = adam(G, lrG), optD = adam(D, lrD);
  const spectraG = new PowerIteration(G), spectraD = new PowerIteration(D);
  // From random vectors, as many iterations as PyTorch begins with.
  for (let i = 0; drawn && i < 15; i++) {
    scoped(() => [spectraG, spectraD].forEach((one) => one.step()));
  }
  const built = { stage, G, D, optG, optD, spectraG, spectraD };
  if (ema === 0) return built;
  return { ...built, average: new Average(G, recipe.G(sizes, NOTHING_DRAWN, stage)) };
}

/**
 * Brings the networks to where the schedule is. When a new stage begins they are built anew: what both
 * have is carried over, in the average, too; the optimisers begin anew; the memory of the old ones
 * goes back to the device. Call it outside of any scope, before each step.
 *
 * @param before Is called before the old networks go.
 * @returns Whether a new stage began.
 */
export function grow(state: State, before: () => void = () => {}): boolean {
  const { stage, schedule, recipe, options } = state;
  const { phase, alpha } = schedule.at(state.images);
  if (stage.resolution === phase.resolution && stage.fading === phase.fading) {
    stage.alpha = alpha;
    return false;
  }
  before();
  const built = build(recipe, options, stageOf(phase, alpha));
  carry(state.G, built.G);
  carry(state.D, built.D);
  if (state.average && built.average) carry(state.average.net, built.average.net);
  replace(state, built);
  return true;
}

/** Copies the tensors that both networks have. */
function carry(from: Module, to: Module): void {
  const old = new Map(from.named());
  for (const [name, t] of to.named()) {
    const before = old.get(name);
    if (before && sameShape(before.shape, t.shape)) copy(before.storage, t.storage, 4 * t.size);
  }
}

function replace(state: State, built: Built): void {
  freeBuilt(state);
  Object.assign(state, built);
  trim();
}

/** Gives the memory of a state back, which is of no use from then on. */
export function freeState(state: State): void {
  freeBuilt(state);
  if (state.probability) free([state.probability]);
}

function freeBuilt({ G, D, optG, optD, average }: Built): void {
  for (const net of [G, D, ...(average ? [average.net] : [])]) freeNetwork(net);
  for (const opt of [optG, optD]) opt.free();
}

/** Gives the memory of a network back, which is of no use from then on. */
export function freeNetwork(net: Module): void {
  free([...net.named()].map(([, t]) => t));
}

/** The generator to make images with: the average if there is one. */
export function sampler({ G, average }: State): Module {
  return average?.net ?? G;
}

/** Every tensor of a state by its name in a checkpoint. */
export function* tensors(state: State): Generator<[string, Tensor]> {
  const { G, D, optG, optD, average, probability } = state;
  for (const [prefix, net, adam] of [["G", G, optG], ["D", D, optD]] as const) {
    for (const [name, t] of net.named()) {
      yield [`${prefix}.${name}`, t];
      const i = adam.params.indexOf(t);
      if (i < 0) continue;
      yield [`adam.${prefix}.m.${name}`, adam.moments[i].m];
      yield [`adam.${prefix}.v.${name}`, adam.moments[i].v];
    }
    const { scaler } = adam.options;
    if (scaler) yield [`adam.${prefix}.scaling`, scaler.state];
  }
  for (const [name, t] of average?.net.named() ?? []) yield [`average.${name}`, t];
  if (probability) yield ["augment.probability", probability];
}

/**
 * Writes a checkpoint, whole or not at all.
 *
 * @throws {BreakdownError} If a tensor of the state holds NaN or infinity, or an optimiser has stopped at
 *   such a gradient; then nothing is written.
 */
export async function saveState(state: State, path: string): Promise<void> {
  const { optG, optD } = state;
  const [entries, ...overflows] = await Promise.all([
    toEntries(tensors(state)),
    ...[optG, optD].map((opt) => opt.hasOverflown()),
  ]);
  const bad = nonFiniteIn(entries) ??
    (overflows.includes(true) ? "a gradient was NaN or infinite" : undefined);
  if (bad) {
    throw new BreakdownError(
      `Training broke down near image ${state.images}: ${bad}; no checkpoint was made of that: ` +
        "start again with a lower --lr-g and --lr-d",
    );
  }
  const { name, software } = deviceInfo(), { data } = state;
  // In one order, so that a resumed run writes the same bytes as an unbroken one.
  const sorted = Object.fromEntries(
    Object.entries(savedOptions(state.recipe, state.options)).sort(([a], [b]) => a < b ? -1 : 1),
  );
  await saveSafetensors(path, entries, {
    format: FORMAT,
    version: VERSION,
    device: JSON.stringify({ name, software }),
    images: String(state.images),
    stepsG: String(optG.steps),
    stepsD: String(optD.steps),
    options: JSON.stringify(sorted),
    stage: JSON.stringify(state.stage),
    ...state.rollbacks > 0 && { rollbacks: String(state.rollbacks) },
    ...data && { data: JSON.stringify(data) },
  });
}

/**
 * The entries of a checkpoint.
 *
 * @throws {CheckpointError} If one holds NaN or infinity.
 */
export async function openCheckpoint(path: string): Promise<Contents> {
  const contents = await loadSafetensors(path);
  const bad = nonFiniteIn(contents.entries);
  if (bad) {
    throw new CheckpointError(
      `${path}: ${bad}: training had broken down; name an earlier one with --checkpoint`,
    );
  }
  return contents;
}

/**
 * Reads a checkpoint into a state of the same options; its networks become those of the checkpoint's
 * stage.
 *
 * @throws {CheckpointError} If the file is broken or of another network, or holds NaN or infinity.
 */
export async function loadState(state: State, path: string): Promise<void> {
  const { entries, metadata } = await openCheckpoint(path);
  const [images, stepsG, stepsD, rollbacks] = ["images", "stepsG", "stepsD", "rollbacks"]
    .map((name) => Number({ rollbacks: "0", ...metadata }[name] ?? NaN));
  const stage = stageIn(metadata, state.options);
  if (
    metadata.format !== FORMAT || !stage ||
    ![images, stepsG, stepsD, rollbacks].every(Number.isSafeInteger)
  ) {
    throw new CheckpointError(
      `${path} is no checkpoint of this program: its metadata lack the progress`,
    );
  }
  if (state.stage.resolution !== stage.resolution || state.stage.fading !== stage.fading) {
    replace(state, build(state.recipe, state.options, stage, false));
  }
  state.stage.alpha = stage.alpha;
  fromEntries(tensors(state), entries, path);
  Object.assign(state, { images, rollbacks, data: markIn(metadata) });
  state.optG.steps = stepsG;
  state.optD.steps = stepsD;
}

/** Reads G alone (the average where there is one), of the checkpoint's stage, to make images with. */
export async function loadGenerator(
  recipe: Recipe,
  options: TrainOptions,
  path: string,
): Promise<{ G: Module; stage: Stage; images: number; data?: DataMark | undefined }> {
  const { entries, metadata } = await openCheckpoint(path);
  const prefix = options.ema === 0 ? "G" : "average";
  const stage = stageIn(metadata, options);
  if (!stage) {
    throw new CheckpointError(`${path} is of no stage of this run: it is of another network`);
  }
  const G = recipe.G(networkOptions(options), NOTHING_DRAWN, stage);
  fromEntries([...G.named()].map(([name, t]) => [`${prefix}.${name}`, t] as const), entries, path);
  return { G, stage, images: Number(metadata.images ?? 0), data: markIn(metadata) };
}
