/**
 * All that a run carries from step to step, and its way into a checkpoint and back.
 *
 * @module
 */
import { Adam } from "../nn/adam.ts";
import { Average } from "../nn/average.ts";
import { fromEntries, toEntries } from "../nn/checkpoint.ts";
import { CheckpointError } from "../nn/errors.ts";
import type { Module } from "../nn/module.ts";
import { PowerIteration } from "../nn/power_iteration.ts";
import { hostRandom } from "../nn/random.ts";
import { loadSafetensors, saveSafetensors } from "../nn/safetensors.ts";
import { scoped, type Tensor } from "../tensor/tensor.ts";
import type { TrainOptions } from "./options.ts";
import type { Recipe } from "./recipe.ts";

/** The nets, their optimisers, the running average of G, and how far they are. */
export interface State {
  readonly G: Module;
  readonly D: Module;
  readonly optG: Adam;
  readonly optD: Adam;
  readonly spectraG: PowerIteration;
  readonly spectraD: PowerIteration;
  /** Absent where options ask for none. */
  readonly average?: Average<Module>;
  /** Real images shown. */
  images: number;
}

const FORMAT = "1";

/** Builds a run's state as it is before the first image. */
export function newState(recipe: Recipe, options: TrainOptions): State {
  const G = recipe.G(options, hostRandom(options.seed, 1));
  const D = recipe.D(options, hostRandom(options.seed, 2));
  const { lrG, lrD, beta1, beta2, ema } = options, betas = [beta1, beta2] as const;
  const optG = new Adam(G.parameters(), { lr: lrG, betas });
  const optD = new Adam(D.parameters(), { lr: lrD, betas });
  const spectraG = new PowerIteration(G), spectraD = new PowerIteration(D);
  // From random vectors, as many iterations as PyTorch begins with.
  for (let i = 0; i < 15; i++) scoped(() => [spectraG, spectraD].forEach((one) => one.step()));
  const state = { G, D, optG, optD, spectraG, spectraD, images: 0 };
  return ema === 0
    ? state
    : { ...state, average: new Average(G, recipe.G(options, hostRandom(options.seed, 1))) };
}

/** The generator to make pictures with: the average if there is one. */
export function sampler({ G, average }: State): Module {
  return average?.net ?? G;
}

/** Every tensor of a state by its name in a checkpoint. */
function* tensors({ G, D, optG, optD, average }: State): Generator<[string, Tensor]> {
  for (const [prefix, net, adam] of [["G", G, optG], ["D", D, optD]] as const) {
    for (const [name, t] of net.named()) {
      yield [`${prefix}.${name}`, t];
      const i = adam.params.indexOf(t);
      if (i < 0) continue;
      yield [`adam.${prefix}.m.${name}`, adam.moments[i].m];
      yield [`adam.${prefix}.v.${name}`, adam.moments[i].v];
    }
  }
  for (const [name, t] of average?.net.named() ?? []) yield [`average.${name}`, t];
}

/** Writes a checkpoint, whole or not at all. */
export async function saveState(state: State, options: TrainOptions, path: string): Promise<void> {
  await saveSafetensors(path, await toEntries(tensors(state)), {
    format: FORMAT,
    images: String(state.images),
    stepsG: String(state.optG.steps),
    stepsD: String(state.optD.steps),
    options: JSON.stringify(options),
  });
}

/**
 * Reads a checkpoint into a state of the same options.
 *
 * @throws {CheckpointError} If the file is broken or of another net.
 */
export async function loadState(state: State, path: string): Promise<void> {
  const { entries, metadata } = await loadSafetensors(path);
  const [images, stepsG, stepsD] = ["images", "stepsG", "stepsD"].map((name) =>
    Number(metadata[name] ?? NaN)
  );
  if (metadata.format !== FORMAT || ![images, stepsG, stepsD].every(Number.isSafeInteger)) {
    throw new CheckpointError(
      `${path} is no checkpoint of this program: its metadata lack the progress`,
    );
  }
  fromEntries(tensors(state), entries, path);
  Object.assign(state, { images });
  state.optG.steps = stepsG;
  state.optD.steps = stepsD;
}

/** Reads G alone (the average where there is one), to make pictures with. */
export async function loadGenerator(recipe: Recipe, options: TrainOptions, path: string) {
  const { entries, metadata } = await loadSafetensors(path);
  const prefix = options.ema === 0 ? "G" : "average";
  const G = recipe.G(options, hostRandom(options.seed, 1));
  fromEntries([...G.named()].map(([name, t]) => [`${prefix}.${name}`, t] as const), entries, path);
  return { G, images: Number(metadata.images ?? 0) };
}

/** The first tensor of a state that holds NaN or infinity, by `bad`, which looks at many at once. */
export async function firstBad(
  state: State,
  bad: (tensors: Tensor[]) => Promise<number[]>,
): Promise<string | undefined> {
  const all = [...tensors(state)];
  const [first] = await bad(all.map(([, t]) => t));
  return first === undefined ? undefined : all[first][0];
}
