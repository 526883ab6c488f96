import { PgganDiscriminator, PgganGenerator } from "../models/pggan.ts";
import { growing } from "./growth.ts";
import type { TrainOptions } from "./options.ts";
import { validateMicroBatches } from "./validate.ts";
import type { Recipe } from "./recipe.ts";
import { drift, r1, weightDecay, wganGp } from "./terms.ts";

/** The authors' recipe, at 64 pixels: 5,400 thousand images. */
const paper = {
  kimg: 0,
  batch: 128,
  nz: 512,
  loss: "wgan",
  gp: 10,
  drift: 1e-3,
  lrG: 1e-3,
  lrD: 1e-3,
  beta1: 0,
  beta2: 0.99,
  snapshot: 100,
} satisfies Partial<TrainOptions>;

/**
 * R1 in place of WGAN-GP's penalty. The weight is one for small images (10, as published, is for large
 * ones): at 32 pixels, narrow networks with 0.1 made sharper faces than with 10.
 */
const withR1 = {
  loss: "bce",
  gp: 0,
  drift: 0,
  r1: 0.1,
  r1Every: 4,
} satisfies Partial<TrainOptions>;

/** Narrow networks, small batches and short phases. */
const narrow = {
  batch: 16,
  nz: 64,
  fmapBase: 1024,
  fmapMax: 64,
  phaseKimg: 12,
  lastKimg: 36,
  snapshot: 6,
} satisfies Partial<TrainOptions>;

/**
 * PGGAN: progressive growing.
 *
 * @see Karras et al. 2018, https://arxiv.org/abs/1710.10196
 */
export const pggan: Recipe = {
  name: "pggan",
  about: "networks that grow from 4 pixels to the wanted resolution (Karras et al. 2018)",
  presets: {
    default: {
      about: "as paper, with half the channels",
      options: { ...paper, fmapBase: 4096, fmapMax: 256 },
    },
    paper: {
      about: "equalised learning rate, pixel norm, minibatch deviation, WGAN-GP: as published",
      options: paper,
    },
    r1: {
      about: "as default, with the non-saturating loss and R1 (Mescheder et al. 2018)",
      options: { ...paper, fmapBase: 4096, fmapMax: 256, ...withR1 },
    },
    thesis: {
      about:
        "Bychkov 2020: spectral and batch norm, least squares, smoothed labels, nearest resize",
      options: {
        kimg: 0,
        batch: 64,
        fullBatchTo: 256,
        nz: 128,
        fmapBase: 4096,
        fmapMax: 256,
        norm: "batch",
        weights: "spectral",
        minibatch: "discrimination",
        loss: "lsgan",
        labelSmoothing: 0.8,
        lrG: 9e-5,
        lrD: 9e-5,
        beta1: 0.5,
        beta2: 0.999,
        phaseKimg: 150,
        phaseFactor: 1.25,
        lastKimg: 300,
        resize: "nearest",
        mirror: false,
        ema: 0,
        snapshot: 50,
      },
    },
    small: {
      about: "as r1, narrow networks to 32 pixels in short phases, for machines without a GPU",
      options: { ...paper, ...narrow, ...withR1, resolution: 32 },
    },
  },
  options: [
    "fmapBase",
    "fmapMax",
    "norm",
    "weights",
    "minibatch",
    "gp",
    "r1",
    "r1Every",
    "gammaEnd",
    "phaseKimg",
    "phaseFactor",
    "lastKimg",
    "fullBatchTo",
  ],
  validate: (options) => {
    const { norm, gp, r1, minibatch, batch, phaseKimg, lastKimg } = options;
    if (norm === "batch" && (gp || r1)) {
      return "--gp and --r1 need a discriminator without batch norm: leave them out, or take " +
        "--norm pixel";
    }
    if (minibatch === "stddev" && batch > 4 && batch % 4) {
      return `--batch ${batch} must be a multiple of 4, the images that one deviation is of; or ` +
        "take --minibatch none";
    }
    if (phaseKimg === 0 && lastKimg === 0) {
      return "--phase-kimg and --last-kimg are both 0: there would be nothing to show";
    }
    const { phases, at } = growing(options);
    return phases.map(({ from }) => validateMicroBatches(options, at(from).batch)).find(Boolean);
  },
  G: (options, random, stage) => new PgganGenerator(options, random, stage),
  D: (options, random, stage) => new PgganDiscriminator(options, random, stage),
  terms: (options) => ({
    D: [
      ...r1(options.r1, options.r1Every),
      ...drift(options.drift),
      ...weightDecay(options.l1, options.l2),
      ...wganGp(options.gp),
    ],
    G: weightDecay(options.l1, options.l2),
  }),
  schedule: growing,
};
