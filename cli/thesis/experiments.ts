/**
 * The experiments of the thesis that this project starts from, as data: A. Bychkov, master's thesis,
 * Belarusian State University, 2020. Claims are in our words.
 *
 * @module
 */
import type { Values } from "../options.ts";
import { ablations, residualBlocks } from "./ablations.ts";

/** One way to train; options are changes of the preset, by their names in a run's options.json. */
export interface Variant {
  readonly recipe: string;
  readonly preset: string;
  readonly options: Values;
  /** So many times the images of the others; 1 if left out. */
  readonly times?: number;
}

/** What is compared: the evaluation at the end, how far G's loss rises, how unlike the fakes are, time. */
export type MeasureName = "fid" | "rise" | "diversity" | "minutes";

/** A statement of the thesis about variants of an experiment. */
export interface Claim {
  readonly says: string;
  readonly measure: MeasureName;
  /** The variant that is said to be better... */
  readonly better: string;
  /** ... than each of these. */
  readonly than: readonly string[];
  /** True where it is said *not* to be better. */
  readonly denied?: true;
}

/** Variants that are trained alike but for one thing. */
export interface Experiment {
  readonly name: string;
  readonly about: string;
  /** Side of the images that the thesis speaks of. */
  readonly resolution: number;
  readonly variants: Readonly<Record<string, Variant>>;
  /** None where our notes of the thesis tell of a comparison, but not how it ended. */
  readonly claims: readonly Claim[];
  /** Of a question that the thesis does not ask: all variants are compared with `against`. */
  readonly ours?: { readonly question: string; readonly against: string };
}

const thesis = (recipe: string) => (options: Values = {}): Variant => ({
  recipe,
  preset: "thesis",
  options,
});
const dcgan = thesis("dcgan"), sagan = thesis("sagan"), pggan = thesis("pggan");

/** G's learning rate, with D's four times as high as in the preset. */
const rate = (lrG: number) => sagan({ lrG, lrD: 4 * lrG });

/** All experiments, in the order in which they are made. */
export const experiments: readonly Experiment[] = [
  {
    name: "systems",
    about: "DCGAN against SAGAN",
    resolution: 32,
    variants: { dcgan: dcgan(), sagan: sagan() },
    claims: [{
      says: "SAGAN makes better faces than DCGAN: FID 80.91 against 102.35 on CelebA at 32 pixels",
      measure: "fid",
      better: "sagan",
      than: ["dcgan"],
    }],
  },
  {
    name: "spectral-norm",
    about: "SAGAN with and without spectral norm",
    resolution: 32,
    variants: { on: sagan(), off: sagan({ spectralNorm: false }) },
    claims: [{
      says: "Without spectral norm G's loss rises",
      measure: "rise",
      better: "on",
      than: ["off"],
    }],
  },
  {
    name: "learning-rate",
    about: "SAGAN by G's learning rate; D's is four times as high",
    resolution: 32,
    variants: {
      "8e-5": rate(8e-5),
      "9e-5": sagan(),
      "1e-4": rate(1e-4),
      "2e-4": rate(2e-4),
    },
    claims: [
      {
        says: "Of the learning rates 8e-5, 9e-5, 1e-4 and 2e-4 the best is 9e-5",
        measure: "fid",
        better: "9e-5",
        than: ["8e-5", "1e-4", "2e-4"],
      },
      {
        says: "At 2e-4 training collapses",
        measure: "diversity",
        better: "9e-5",
        than: ["2e-4"],
      },
    ],
  },
  {
    name: "label-smoothing",
    about: "SAGAN with targets of real images in [0.8, 1], and with 1",
    resolution: 32,
    variants: { on: sagan(), off: sagan({ labelSmoothing: 1 }) },
    claims: [{
      says: "One-sided label smoothing, tried on and off, belongs to the system that is best",
      measure: "fid",
      better: "on",
      than: ["off"],
    }],
  },
  {
    name: "ttur",
    about: "SAGAN with D's learning rate four times G's, and with the same for both",
    resolution: 32,
    variants: { on: sagan(), off: sagan({ lrD: 9e-5 }) },
    claims: [{
      says: "Two time scales, tried on and off, belong to the system that is best",
      measure: "fid",
      better: "on",
      than: ["off"],
    }],
  },
  {
    name: "minibatch",
    about: "SAGAN with and without minibatch discrimination, at 32 pixels",
    resolution: 32,
    variants: { on: sagan(), off: sagan({ minibatch: "none" }) },
    claims: [{
      says: "Minibatch discrimination helps at 32 pixels",
      measure: "fid",
      better: "on",
      than: ["off"],
    }],
  },
  {
    name: "losses",
    about: "SAGAN by loss, at fixed learning rates; only bce and lsgan have labels to be smoothed",
    resolution: 32,
    variants: {
      bce: sagan(),
      lsgan: sagan({ loss: "lsgan" }),
      hinge: sagan({ loss: "hinge", labelSmoothing: 1 }),
      wgan: sagan({ loss: "wgan", labelSmoothing: 1 }),
    },
    claims: [],
  },
  {
    name: "attention-place",
    about: "SAGAN with attention in the middle of both networks, and at the largest map",
    resolution: 32,
    variants: { middle: sagan({ attention: "8" }), end: sagan() },
    claims: [],
  },
  {
    name: "attention-number",
    about: "SAGAN with one, two and no attention in each network",
    resolution: 32,
    variants: {
      none: sagan({ attention: "none" }),
      one: sagan(),
      two: sagan({ attention: "32,8" }),
    },
    claims: [],
  },
  {
    name: "attention-reduction",
    about: "SAGAN's queries and keys with the map's channels over k",
    resolution: 32,
    variants: {
      "k=1": sagan({ attentionReduction: 1 }),
      "k=2": sagan({ attentionReduction: 2 }),
      "k=4": sagan({ attentionReduction: 4 }),
      "k=8": sagan(),
    },
    claims: [],
  },
  {
    name: "minibatch-64",
    about: "SAGAN with and without minibatch discrimination, at 64 pixels",
    resolution: 64,
    variants: { on: sagan(), off: sagan({ minibatch: "none" }) },
    claims: [{
      says: "Minibatch discrimination does not help at 64 pixels",
      measure: "fid",
      better: "on",
      than: ["off"],
      denied: true,
    }],
  },
  {
    name: "pggan",
    about: "PGGAN against SAGAN at 64 pixels, with as many images in all",
    resolution: 64,
    variants: { pggan: pggan(), sagan: sagan() },
    claims: [{
      says: "PGGAN makes better images of 64 pixels than SAGAN",
      measure: "fid",
      better: "pggan",
      than: ["sagan"],
    }],
  },
  {
    name: "pggan-loss",
    about:
      "PGGAN with least squares, and with Wasserstein's loss, which has no labels to be smoothed",
    resolution: 64,
    variants: { lsgan: pggan(), wgan: pggan({ loss: "wgan", labelSmoothing: 1 }) },
    claims: [{
      says: "Least squares train PGGAN better than Wasserstein's loss, which is rejected",
      measure: "fid",
      better: "lsgan",
      than: ["wgan"],
    }],
  },
  {
    name: "pggan-norm",
    about: "PGGAN with spectral and batch norm, and with pixel norm in G in place of both",
    resolution: 64,
    variants: { spectral: pggan(), pixel: pggan({ norm: "pixel", weights: "plain" }) },
    claims: [{
      says: "Spectral norm serves PGGAN better than pixel norm, which it replaces",
      measure: "fid",
      better: "spectral",
      than: ["pixel"],
    }],
  },
  residualBlocks,
  ablations,
];
