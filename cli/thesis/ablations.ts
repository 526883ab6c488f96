/**
 * Questions that the thesis leaves open: what SAGAN must have to be better than DCGAN.
 *
 * @module
 */
import type { Values } from "../options.ts";
import type { Experiment, Variant } from "./experiments.ts";

/** SAGAN as its authors train it, with images made smaller as in the thesis. */
const paper = (options: Values = {}): Variant => ({
  recipe: "sagan",
  preset: "paper",
  options: { resize: "nearest", ...options },
});
const residual = (options: Values = {}) => paper({ residual: true, ...options });
const thesis = (recipe: string, options: Values = {}): Variant => ({
  recipe,
  preset: "thesis",
  options,
});
const faster = { lrG: 2e-4, lrD: 2e-4 }, twoScales = { lrG: 2e-4, lrD: 8e-4 };
const augmented = { augment: "color,translation,cutout" };

/** As long as SAGAN takes with residual blocks (one core, llvmpipe, width 16). */
const longer = { "dcgan, 6 x images": { ...thesis("dcgan"), times: 6 } };

/** What came out best of the ablations with one seed. */
export const residualBlocks: Experiment = {
  name: "residual",
  about: "DCGAN against SAGAN with its authors' residual blocks",
  resolution: 32,
  ours: {
    question:
      "Is SAGAN better than DCGAN with residual blocks, at learning rates of 2e-4 and 8e-4?",
    against: "dcgan",
  },
  variants: {
    "dcgan": thesis("dcgan"),
    "residual": residual(twoScales),
    ...longer,
  },
  claims: [
    {
      says: "SAGAN with residual blocks makes better faces than DCGAN from as many images",
      measure: "fid",
      better: "residual",
      than: ["dcgan"],
    },
    {
      says: "SAGAN with residual blocks makes better faces than DCGAN in as much time",
      measure: "fid",
      better: "residual",
      than: ["dcgan, 6 x images"],
    },
  ],
};

/** What tells most comes first. */
export const ablations: Experiment = {
  name: "ablations",
  about: "DCGAN against SAGAN with other blocks, rates, steps of D, batches and augmentation",
  resolution: 32,
  ours: {
    question: "What must SAGAN have to be better than DCGAN, at as many images or in as much time?",
    against: "dcgan",
  },
  variants: {
    "dcgan": thesis("dcgan"),
    "sagan": thesis("sagan"),
    "sagan, 2e-4/8e-4": thesis("sagan", twoScales),
    "residual, 2e-4/8e-4": residual(twoScales),
    "residual, 2e-4/2e-4": residual(faster),
    "paper, 2e-4/8e-4": paper(twoScales),
    "paper, 2e-4/2e-4": paper(faster),
    ...longer,
    "dcgan, 3 x images": { ...thesis("dcgan"), times: 3 }, // as long as the thesis's SAGAN
    "residual": residual(),
    "paper": paper(),
    "residual, augmented": residual({ ...faster, ...augmented }),
    "dcgan, augmented": thesis("dcgan", augmented),
    "residual, no attention": residual({ ...faster, attention: "none" }),
    "residual, 2 steps of D": residual({ ...faster, dSteps: 2 }),
    "residual, batch 32": residual({ ...faster, batch: 32 }),
    "residual, batch 64": residual({ ...faster, batch: 64 }),
    "dcgan, batch 64": thesis("dcgan", { batch: 64 }),
  },
  claims: [],
};
