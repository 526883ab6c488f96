/**
 * What a run is a function of. All defaults are here and in the presets of the recipes.
 *
 * @module
 */

import { augmentations } from "./augment.ts";
import { losses } from "./losses.ts";

/** The options of a training run: a plain record, printed and saved. */
export interface TrainOptions {
  readonly recipe: string;
  readonly preset: string;
  /** Folder or zip of pictures; empty for the built-in ones. */
  readonly data: string;
  /** Names of the classes that are used, with commas between them; empty for all. */
  readonly classes: string;
  readonly crop: string;
  readonly resize: string;
  /** Half of the pictures mirrored. */
  readonly mirror: boolean;
  readonly resolution: number;
  readonly batch: number;
  /** Of operands of products and convolutions: `f32`, or `f16` with loss scaling. */
  readonly precision: string;
  /** Thousands of real pictures to show; 0 for as many as the growth takes. */
  readonly kimg: number;
  readonly seed: number;
  readonly loss: string;
  /** Targets for real pictures are uniform in [this, 1]: 1 for none. */
  readonly labelSmoothing: number;
  readonly lrG: number;
  readonly lrD: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly dSteps: number;
  /** Weight of WGAN-GP's term on D's slope between real and fake; 0 for none. */
  readonly gp: number;
  /** Weight of R1's term on D's slope at real pictures; 0 for none. */
  readonly r1: number;
  /** D's steps from one with R1 to the next, which counts for all of them. */
  readonly r1Every: number;
  /** Weight of the square of D's logits on real pictures; 0 for none. */
  readonly drift: number;
  /** Weights of the sum of sizes and of half the squares of both nets' weights; 0 for none. */
  readonly l1: number;
  readonly l2: number;
  /** Length of a latent. */
  readonly nz: number;
  readonly ngf: number;
  readonly ndf: number;
  /** Growing nets: channels of a map are this over its side, times 2, ... */
  readonly fmapBase: number;
  /** ... and at most this. */
  readonly fmapMax: number;
  /** Growing nets: `pixel`, `batch` or `none`. */
  readonly norm: string;
  /** Growing nets: `equalised` learning rate, `spectral` norm, or `plain`. */
  readonly weights: string;
  /** What shows D how pictures of a batch differ: `discrimination`, `stddev` or `none`. */
  readonly minibatch: string;
  /** Attending nets: whether weights of both are spectrally normalised. */
  readonly spectralNorm: boolean;
  /** Sides of the maps that attend to themselves, as `32,16`, or `none`. */
  readonly attention: string;
  /** Queries and keys have a map's channels over this. */
  readonly attentionReduction: number;
  /** Values have `full` or `half` a map's channels. */
  readonly attentionValues: string;
  /** Whether keys and values are maxima of 2x2 pixels. */
  readonly attentionPool: boolean;
  /** Attending nets: D's norm, `batch` or `none`. */
  readonly normD: string;
  /** Attending nets: the probability with which D's hidden elements are dropped. */
  readonly dropout: number;
  /** Changes that pictures undergo before D sees them, as `color,translation,cutout`, or `none`. */
  readonly augment: string;
  /** Growing: thousands of images for each phase at 4 pixels, ... */
  readonly phaseKimg: number;
  /** ... times this with every level above. */
  readonly phaseFactor: number;
  /** Growing: thousands of images for the last phase, in which nothing changes any more. */
  readonly lastKimg: number;
  /** Growing: side up to which batches are whole; above, they halve as it doubles. */
  readonly fullBatchTo: number;
  /** Decay of the running average of G at batch 64; 0 for none. */
  readonly ema: number;
  /** Thousands of pictures between grids and checkpoints. */
  readonly snapshot: number;
  /** Checkpoints to keep. */
  readonly keep: number;
  /** Thousands of images between evaluations; 0 for none. */
  readonly evalEvery: number;
  /** What is measured, as `fid,kid`: by the first the best checkpoint is kept. */
  readonly evalMetrics: string;
  /** Images an evaluation; of the real ones at most five times as many. */
  readonly evalSamples: number;
  /** Inception's feature: 64, 192, 768 or 2048. */
  readonly evalFeature: string;
  /** Inception's file; empty for where it usually is. */
  readonly evalWeights: string;
}

/** What the presets start from. */
export const defaults: Omit<TrainOptions, "recipe" | "preset"> = {
  data: "",
  classes: "",
  crop: "center",
  resize: "area",
  mirror: true,
  resolution: 64,
  batch: 64,
  precision: "f32",
  kimg: 1000,
  seed: 0,
  loss: "bce",
  labelSmoothing: 1,
  lrG: 2e-4,
  lrD: 2e-4,
  beta1: 0.5,
  beta2: 0.999,
  dSteps: 1,
  gp: 0,
  r1: 0,
  r1Every: 1,
  drift: 0,
  l1: 0,
  l2: 0,
  nz: 100,
  ngf: 64,
  ndf: 64,
  fmapBase: 8192,
  fmapMax: 512,
  norm: "pixel",
  weights: "equalised",
  minibatch: "stddev",
  spectralNorm: true,
  attention: "32",
  attentionReduction: 8,
  attentionValues: "half",
  attentionPool: true,
  normD: "none",
  dropout: 0,
  augment: "none",
  phaseKimg: 600,
  phaseFactor: 1,
  lastKimg: 600,
  fullBatchTo: 16,
  ema: 0.999,
  snapshot: 20,
  keep: 3,
  evalEvery: 0,
  evalMetrics: "fid",
  evalSamples: 10_000,
  evalFeature: "2048",
  evalWeights: "",
};

/** The options of a run that are bad together, in one sentence; undefined if all is well. */
export function complaint(options: TrainOptions): string | undefined {
  const { loss, labelSmoothing, beta1, beta2, ema, dropout, augment } = options;
  if (labelSmoothing < 1 && !losses[loss]?.hasLabels) {
    return `--label-smoothing needs a loss with targets (bce or lsgan), --loss ${loss} has none`;
  }
  for (const [name, value] of Object.entries({ beta1, beta2, ema })) {
    if (value >= 1) return `--${name} ${value} must be below 1: nothing new would ever count`;
  }
  if (dropout >= 1) return `--dropout ${dropout} must be below 1: nothing would be left`;
  const changes = changesOf(augment);
  const unknown = changes.find((name) => !augmentations.includes(name));
  if (unknown !== undefined) {
    return `--augment ${augment}: there is no ${unknown || "empty change"}: choose some of ` +
      `${augmentations.join(",")}, or none`;
  }
  const twice = changes.find((name, i) => changes.indexOf(name) < i);
  if (twice !== undefined) return `--augment ${augment}: ${twice} is there twice: give it once`;
  return undefined;
}

/** The names in a list such as `color,cutout`. */
export function changesOf(augment: string): string[] {
  return augment === "none" ? [] : augment.split(",").map((name) => name.trim());
}
