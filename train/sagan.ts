import { SaganDiscriminator, SaganGenerator } from "../models/sagan.ts";
import { attentionSizes } from "../models/sagan_steps.ts";
import type { TrainOptions } from "./options.ts";
import type { Recipe } from "./recipe.ts";
import { drift, r1, weightDecay, wganGp } from "./terms.ts";

/** The authors' choices, but for residual blocks (`--residual`), classes and the batch of 256. */
const paper = {
  loss: "hinge",
  lrG: 1e-4,
  lrD: 4e-4,
  beta1: 0,
  beta2: 0.9,
  nz: 128,
  spectralNorm: true,
  attention: "32",
  attentionReduction: 8,
  attentionValues: "half",
  attentionPool: true,
  normD: "none",
  minibatch: "none",
} satisfies Partial<TrainOptions>;

/**
 * SAGAN.
 *
 * @see Zhang et al. 2019, https://arxiv.org/abs/1805.08318
 */
export const sagan: Recipe = {
  name: "sagan",
  about: "self-attention and spectral norm on DCGAN's ladder (Zhang et al. 2019)",
  presets: {
    default: {
      about: "as paper, with mirrored images and a running average of G",
      options: paper,
    },
    paper: {
      about: "hinge, spectral norm in both networks, attention at 32, rates 1e-4 and 4e-4",
      options: { ...paper, mirror: false, ema: 0 },
    },
    thesis: {
      about: "Bychkov 2020: 32 px, smoothed BCE, minibatch discrimination, batch norm in D, too",
      options: {
        resolution: 32,
        resize: "nearest",
        mirror: false,
        ema: 0,
        loss: "bce",
        labelSmoothing: 0.8,
        // 9e-5 is the thesis's best; how much faster D learns is not said there: four times, as above
        lrG: 9e-5,
        lrD: 3.6e-4,
        beta1: 0.5,
        beta2: 0.999,
        spectralNorm: true,
        attention: "32",
        attentionReduction: 8,
        attentionValues: "full",
        attentionPool: false,
        normD: "batch",
        minibatch: "discrimination",
      },
    },
    small: {
      about: "half the channels at 32 pixels, for machines without a GPU",
      options: {
        ...paper,
        resolution: 32,
        batch: 32,
        ngf: 32,
        ndf: 32,
        kimg: 300,
        snapshot: 10,
      },
    },
  },
  options: [
    "ngf",
    "ndf",
    "residual",
    "spectralNorm",
    "attention",
    "attentionReduction",
    "attentionValues",
    "attentionPool",
    "normD",
    "minibatch",
    "dropout",
    "gp",
    "r1",
    "r1Every",
    "gammaEnd",
  ],
  validate: ({ attention, resolution, normD, gp, r1, minibatch, batch, residual }) => {
    try {
      attentionSizes(attention, resolution);
    } catch (error) {
      return `--${(error as Error).message}`;
    }
    if (normD === "batch" && residual) {
      return "--residual has a discriminator without batch norm: take --norm-d none";
    }
    if (normD === "batch" && (gp || r1)) {
      return "--gp and --r1 need a discriminator without batch norm: take --norm-d none";
    }
    if (minibatch === "stddev" && batch > 4 && batch % 4) {
      return `--batch ${batch} must be a multiple of 4, the images that one deviation is of; or ` +
        "take --minibatch none";
    }
    return undefined;
  },
  G: (options, random) => new SaganGenerator(options, random),
  D: (options, random) => new SaganDiscriminator(options, random),
  terms: (options) => ({
    D: [
      ...r1(options.r1, options.r1Every),
      ...drift(options.drift),
      ...weightDecay(options.l1, options.l2),
      ...wganGp(options.gp),
    ],
    G: weightDecay(options.l1, options.l2),
  }),
};
