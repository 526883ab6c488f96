/**
 * Brings weights of others, and our own exports, into a state that is sampled, evaluated and trained.
 *
 * @module
 */
import { CheckpointError } from "../io/errors.ts";
import { nonFiniteIn } from "../io/non_finite.ts";
import type { Contents, Entry } from "../io/safetensors.ts";
import type { Stage } from "../models/stage.ts";
import { fromEntries } from "../nn/checkpoint.ts";
import type { Module } from "../nn/module.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import type { Recipe } from "../train/recipe.ts";
import { grow, newState, type State } from "../train/state.ts";
import { graphOf } from "./graph.ts";
import { isExample, readExample } from "./torch_dcgan.ts";
import { entriesOf } from "./weights.ts";

/** What a file is of. */
export interface Source {
  /** In words. */
  readonly what: string;
  readonly options: TrainOptions;
  readonly stage: Stage;
  readonly images: number;
  /** Sets the generator's tensors. */
  readonly fill: (G: Module) => void;
}

/**
 * Finds out what a file's arrays are: of PyTorch's DCGAN example, or exported by this program.
 *
 * @param where The file's name, for messages.
 * @throws {CheckpointError} If they are neither, or hold NaN or infinity.
 */
export function sourceOf({ entries, metadata }: Contents, where: string): Source {
  const bad = nonFiniteIn(entries);
  if (bad) throw new CheckpointError(`${where}: ${bad}: it is of no use`);
  if (metadata.webgan !== undefined && metadata.options !== undefined) {
    return ownSource(entries, metadata, where);
  }
  if (!isExample(entries)) {
    throw new CheckpointError(
      `${where} is neither a netG of PyTorch's DCGAN example (main.0.weight, ...) nor an export of ` +
        "this program (gan export torch)",
    );
  }
  const { kind, resolution, channels, width, nz, entries: named } = readExample(entries, where);
  if (kind === "D") {
    throw new CheckpointError(`${where} is a discriminator: give it with --discriminator`);
  }
  const options = {
    ...defaults,
    ...{ recipe: "dcgan", preset: "original", mirror: false, ema: 0 },
    ...{ resolution, channels, nz: nz!, ngf: width, ndf: width },
  };
  return {
    what: `netG of PyTorch's DCGAN example: ${resolution} px, nz ${nz}, ngf ${width}`,
    options,
    stage: { resolution, fading: false, alpha: 1 },
    images: 0,
    fill: (G) => fromEntries(G.named(), named, where),
  };
}

function ownSource(
  arrays: ReadonlyMap<string, Entry>,
  metadata: Readonly<Record<string, string>>,
  where: string,
): Source {
  let options: TrainOptions, stage: Stage;
  try {
    options = { ...defaults, ...JSON.parse(metadata.options), data: "" };
    stage = JSON.parse(metadata.stage);
  } catch (error) {
    throw new CheckpointError(`${where}: its metadata are damaged: ${(error as Error).message}`);
  }
  const images = Number(metadata.images), { recipe, resolution } = options;
  const sound = Number.isSafeInteger(images) && images >= 0 &&
    Number.isSafeInteger(stage?.resolution) && typeof stage.fading === "boolean" &&
    typeof stage.alpha === "number" && stage.alpha >= 0 && stage.alpha <= 1;
  if (!sound) throw new CheckpointError(`${where}: its metadata lack the progress`);
  return {
    what: `generator of ${recipe}, ${resolution} px, ${images / 1000} kimg, exported by webgan ` +
      metadata.webgan,
    options,
    stage,
    images,
    fill: (G) =>
      fromEntries(G.named(), entriesOf(G, graphOf(G, options, stage), arrays, where), where),
  };
}

/**
 * The state of a run that begins with these weights: in G, and in its average where there is one. D
 * begins anew, or as another file of the example has it.
 *
 * @throws {CheckpointError} If weights do not fit.
 */
export function importedState(
  recipe: Recipe,
  { options, stage, images, fill }: Source,
  discriminator?: { readonly entries: ReadonlyMap<string, Entry>; readonly where: string },
): State {
  const state = newState(recipe, options), { phases } = state.schedule;
  const phase = phases.find(({ resolution, fading }) =>
    resolution === stage.resolution && fading === stage.fading
  );
  if (!phase) throw new CheckpointError(`import: a run of these options has no stage of this kind`);
  state.images = Math.min(Math.max(images, phase.from), phase.from + phase.images - 1);
  grow(state);
  state.images = images;
  state.stage.alpha = stage.alpha;
  fill(state.G);
  if (state.average) fill(state.average.net);
  if (discriminator) fillDiscriminator(state, discriminator.entries, discriminator.where);
  return state;
}

function fillDiscriminator(state: State, entries: ReadonlyMap<string, Entry>, where: string): void {
  const net = readExample(entries, where);
  if (net.kind !== "D") throw new CheckpointError(`${where} is a generator, not a discriminator`);
  fromEntries(state.D.named(), net.entries, where);
}

/** The width of a discriminator of the example, which options need before its network is built. */
export function discriminatorWidth(entries: ReadonlyMap<string, Entry>, where: string): number {
  return readExample(entries, where).width;
}
