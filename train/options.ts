/**
 * What a run is a function of: one table, from which options are typed, parsed, validated and explained.
 * Presets of the recipes change some of the defaults.
 *
 * @module
 */
import { CHANNELS } from "../data/image.ts";
import { losses as adversarial } from "./losses.ts";

/** One option. Its name is in camelCase here, in kebab-case on the command line. */
export interface Option {
  /** The default; its type is that of the option. */
  readonly value: string | number | boolean;
  /** One line for `--help`. */
  readonly help: string;
  /** The values a text may have. */
  readonly choices?: readonly string[];
  /** The least number; 0 if left out. */
  readonly min?: number;
  /** The largest number. */
  readonly max?: number;
  /** True for numbers that need not be whole. */
  readonly real?: boolean;
  /** True for a path, which is kept absolute: a run is resumed from any folder. */
  readonly path?: boolean;
  /** True for what may change when a run is resumed. */
  readonly free?: boolean;
  /** True for an option that only recipes use which name it; the others are of all recipes. */
  readonly special?: boolean;
  /** The option without which, when it is 0 or `none`, this one has no effect. */
  readonly needs?: string;
}

/** All options, in the groups in which `--help` shows them. */
export const optionGroups = {
  data: {
    data: {
      ...{ value: "", path: true, free: true },
      help: "folder or file of images; without it the built-in emoji",
    },
    classes: {
      value: "",
      help:
        "names of the classes to train on, as cat,dog; small runs of the built-in images: faces",
    },
    crop: { value: "center", help: "WxH+X+Y, center (square) or none (squash)" },
    resize: {
      ...{ value: "area", choices: ["area", "bilinear", "nearest"] },
      help: "how images are made smaller",
    },
    mirror: { value: true, help: "mirror half of the images; --no-mirror does not" },
    channels: {
      ...{ value: "rgb", choices: Object.keys(CHANNELS) as string[] },
      help: "what a pixel has: gray, rgb, or rgba, which keeps what is transparent",
    },
    resolution: {
      ...{ value: 64, min: 8, max: 512 },
      help: "side of the images: 8, 16, 32, 64, 128, 256 or 512",
    },
    augment: {
      value: "none",
      help: "what real and fake images undergo before D: some of color,translation,cutout, or none",
    },
    augmentStrength: {
      ...{ value: 1, max: 1, real: true, needs: "augment" },
      help: "probability of each of these changes; with --ada-target the most it becomes",
    },
    adaTarget: {
      ...{ value: 0, max: 0.99, real: true, needs: "augment" },
      help:
        "adapt that probability, from 0, so that D's logits of real images have this mean sign (0.6 " +
        "in StyleGAN2-ADA); 0 keeps it as it is",
    },
    adaKimg: {
      ...{ value: 100, min: 0.001, max: 1e6, real: true, needs: "adaTarget" },
      help: "thousands of images in which it can go from 0 to 1 (500 in StyleGAN2-ADA)",
    },
  },
  networks: {
    conditional: {
      value: false,
      help: "tell both networks each image's class, as folders or labels have it",
    },
    nz: { value: 100, min: 1, max: 4096, help: "length of a latent" },
    ngf: { value: 64, special: true, min: 1, max: 1024, help: "channels of G's last hidden map" },
    ndf: { value: 64, special: true, min: 1, max: 1024, help: "channels of D's first map" },
    fmapBase: {
      ...{ value: 8192, special: true, min: 8, max: 65_536 },
      help: "channels of a map are this over its side, times 2, ...",
    },
    fmapMax: { value: 512, special: true, min: 1, max: 4096, help: "... and at most this" },
    blocks: { value: 2, special: true, min: 1, max: 64, help: "residual blocks a level" },
    norm: {
      ...{ value: "pixel", special: true, choices: ["pixel", "batch", "none"] },
      help: "pixel (in G), batch (in both networks) or none",
    },
    weights: {
      ...{ value: "equalised", special: true, choices: ["equalised", "spectral", "plain"] },
      help: "what becomes of weights when they are used",
    },
    minibatch: {
      ...{ value: "stddev", special: true, choices: ["discrimination", "stddev", "none"] },
      help: "what shows D how images of a batch differ",
    },
    residual: { value: false, special: true, help: "residual blocks, as SAGAN's authors have" },
    spectralNorm: {
      value: true,
      special: true,
      help: "spectral norm in both networks; --no-spectral-norm leaves it out",
    },
    attention: {
      value: "32",
      special: true,
      help: "maps that attend to themselves, by their sides: 32, or 32,16, or none",
    },
    attentionReduction: {
      ...{ value: 8, special: true, min: 1, max: 64, needs: "attention" },
      help: "queries and keys have a map's channels over this",
    },
    attentionValues: {
      ...{ value: "half", special: true, choices: ["full", "half"], needs: "attention" },
      help: "channels of the values",
    },
    attentionPool: {
      ...{ value: true, special: true, needs: "attention" },
      help: "keys and values are maxima of 2x2 pixels; --no-attention-pool",
    },
    normD: { value: "none", special: true, choices: ["batch", "none"], help: "norm in D" },
    dropout: {
      ...{ value: 0, special: true, max: 1, real: true },
      help: "share of D's hidden elements dropped",
    },
  },
  losses: {
    loss: {
      ...{ value: "bce", choices: Object.keys(adversarial) as string[] },
      help: "losses of D and G",
    },
    labelSmoothing: {
      ...{ value: 1, min: 0.5, max: 1, real: true },
      help: "real targets are uniform in [this, 1]",
    },
    gp: {
      ...{ value: 0, special: true, real: true },
      help: "weight of WGAN-GP's penalty on D's slope (10 there)",
    },
    r1: {
      ...{ value: 0, special: true, real: true },
      help: "weight of R1's penalty on D's slope at real images, through --augment",
    },
    r2: {
      value: 0,
      special: true,
      real: true,
      help: "weight of R2's penalty, R1's at fake images",
    },
    r1Every: {
      ...{ value: 1, special: true, min: 1, max: 1000, needs: "r1" },
      help: "D's steps from one with R1 and R2 to the next: above 1 is faster",
    },
    gammaEnd: {
      ...{ value: 1, special: true, max: 1, real: true, needs: "annealKimg" },
      help: "share of --r1 and --r2 that is left in the end",
    },
    drift: { value: 0, real: true, help: "weight of the squares of D's logits on real images" },
    l1: { value: 0, real: true, help: "weight of the sum of all weights' sizes" },
    l2: { value: 0, real: true, help: "weight of half the sum of their squares" },
  },
  optimiser: {
    batch: { value: 64, min: 2, max: 4096, help: "images a step" },
    accumulate: {
      ...{ value: 1, min: 1, max: 4096 },
      help: "micro-batches a batch, for less memory: gradients are averaged; batch norm and " +
        "minibatch layers see a micro-batch",
    },
    lrG: { value: 2e-4, min: 1e-9, max: 1, real: true, help: "learning rate of G" },
    lrD: { value: 2e-4, min: 1e-9, max: 1, real: true, help: "learning rate of D" },
    beta1: { value: 0.5, max: 1, real: true, help: "Adam's memory of gradients" },
    beta2: { value: 0.999, max: 1, real: true, help: "Adam's memory of their squares" },
    annealKimg: {
      ...{ value: 0, max: 1e9, real: true },
      help:
        "thousands of images over which options move to their --...-end, by a cosine; 0 for never",
    },
    lrEnd: {
      ...{ value: 1, max: 1, real: true, needs: "annealKimg" },
      help: "share of both learning rates that is left in the end",
    },
    beta2End: {
      ...{ value: 0, max: 0.99999, real: true, needs: "annealKimg" },
      help: "--beta2 in the end; 0 for no other",
    },
    dSteps: { value: 1, min: 1, max: 100, help: "D's steps for one of G" },
    ema: {
      ...{ value: 0.999, max: 1, real: true },
      help: "decay of the running average of G at batch 64; 0 for none",
    },
    precision: {
      ...{ value: "f32", choices: ["f32", "f16"] },
      help:
        "f16: products and convolutions read half-precision numbers, by loss scaling; weights, " +
        "sums and all else stay f32. For GPUs with shader-f16, where reading is what takes time",
    },
  },
  growth: {
    phaseKimg: {
      ...{ value: 600, special: true, max: 1e9, real: true },
      help: "thousands of images a phase at 4 pixels",
    },
    phaseFactor: {
      ...{ value: 1, special: true, min: 0.1, max: 10, real: true },
      help: "... times this with each level above",
    },
    lastKimg: {
      ...{ value: 600, special: true, max: 1e9, real: true },
      help: "thousands of images for the last phase, in which nothing changes any more",
    },
    fullBatchTo: {
      ...{ value: 16, special: true, min: 4, max: 512 },
      help: "side up to which batches are whole; they halve above as it doubles",
    },
  },
  evaluation: {
    evalEvery: {
      ...{ value: 0, real: true, free: true },
      help: "thousands of images between evaluations; 0 for none",
    },
    evalMetrics: {
      ...{ value: "fid", free: true, needs: "evalEvery" },
      help: "what is measured, as fid,kid,pr; by the first the best checkpoint is kept",
    },
    evalSamples: {
      ...{ value: 10_000, min: 2, max: 1_000_000, free: true, needs: "evalEvery" },
      help: "images an evaluation; of the real ones at most five times as many",
    },
    evalFeature: {
      ...{ value: "2048", choices: ["64", "192", "768", "2048"], needs: "evalEvery" },
      help: "where in Inception; only 2048 is called FID",
    },
    evalWeights: {
      ...{ value: "", path: true, free: true, needs: "evalEvery" },
      help: "Inception's file, .pth or safetensors",
    },
  },
  run: {
    kimg: {
      ...{ value: 1000, min: 0.001, max: 1e9, real: true, free: true },
      help: "thousands of images to show; pggan: as many as its phases take",
    },
    seed: { value: 0, help: "all random numbers follow from it" },
    snapshot: {
      ...{ value: 20, min: 0.001, max: 1e9, real: true, free: true },
      help: "thousands of images between grids and checkpoints",
    },
    keep: { value: 3, min: 1, free: true, help: "checkpoints to keep" },
    preview: { value: "auto", choices: ["auto", "off"], free: true, help: "grids in the terminal" },
    onNan: {
      ...{ value: "stop", choices: ["stop", "rollback"], free: true },
      help:
        "where a run breaks down: end it, or go back to its last checkpoint, three times at most",
    },
    onCollapse: {
      ...{ value: "continue", choices: ["continue", "stop", "rollback"], free: true },
      help: "where images become alike: warn, end the run, or go back as with --on-nan",
    },
  },
} as const;

/** The types of all options. */
export type Options =
  & (typeof optionGroups)["data"]
  & (typeof optionGroups)["networks"]
  & (typeof optionGroups)["losses"]
  & (typeof optionGroups)["optimiser"]
  & (typeof optionGroups)["growth"]
  & (typeof optionGroups)["evaluation"]
  & (typeof optionGroups)["run"];

/** The type of an option, by that of its default. */
export type Value<T> = T extends number ? number : T extends boolean ? boolean : string;

/** The options of a training run: a plain record, printed and saved. */
export type TrainOptions =
  & { readonly recipe: string; readonly preset: string }
  & { readonly [Name in keyof Options]: Value<Options[Name]["value"]> };

/** A name of the table. */
export type OptionName = keyof Options;

/** All options by their names. */
export const optionTable: Readonly<Record<string, Option>> = Object.assign(
  {},
  ...Object.values(optionGroups),
);

/** What the presets start from. */
export const defaults = Object.fromEntries(
  Object.entries(optionTable).map(([name, { value }]) => [name, value]),
) as Omit<TrainOptions, "recipe" | "preset">;
