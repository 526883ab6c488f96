import { R3ganDiscriminator, R3ganGenerator, widthsOf } from "../models/r3gan.ts";
import type { TrainOptions } from "./options.ts";
import type { Recipe } from "./recipe.ts";
import { drift, r1, r2, weightDecay } from "./terms.ts";

/** Channels of a group of grouped convolutions. */
const GROUP = 16;

/** The authors' choices for FFHQ at 64 pixels, but for their augmentation. */
const paper = {
  loss: "rsgan",
  lrG: 2e-4,
  lrD: 2e-4,
  beta1: 0,
  beta2: 0.9,
  beta2End: 0.99,
  lrEnd: 0.25,
  r1: 2,
  r2: 2,
  gammaEnd: 0.1,
  nz: 64,
  blocks: 2,
} satisfies Partial<TrainOptions>;

/**
 * R3GAN.
 *
 * @see Huang et al. 2024, https://arxiv.org/abs/2501.05441
 */
export const r3gan: Recipe = {
  name: "r3gan",
  about: "relativistic loss, R1 and R2, residual blocks without norms (Huang et al. 2024)",
  presets: {
    default: {
      about: "192 channels; a quarter of the paper's",
      // Micro-batches of 16: all 64 images at once would take some 25 GB.
      options: { ...paper, accumulate: 4, fmapBase: 3072, fmapMax: 192, annealKimg: 800 },
    },
    paper: {
      about: "FFHQ's at 64 pixels: 768 channels, batch 256, 20 million images till all is annealed",
      options: {
        ...paper,
        batch: 256,
        accumulate: 16,
        kimg: 25_000,
        annealKimg: 20_000,
        fmapBase: 12_288,
        fmapMax: 768,
        ema: 0.9999,
        snapshot: 200,
      },
    },
    small: {
      about: "64 channels, one block a level at 32 pixels, for machines without a GPU",
      options: {
        ...paper,
        resolution: 32,
        batch: 32,
        r1: 0.5,
        r2: 0.5,
        fmapBase: 512,
        fmapMax: 64,
        blocks: 1,
        kimg: 120,
        annealKimg: 100,
        snapshot: 10,
      },
    },
  },
  options: ["fmapBase", "fmapMax", "blocks", "r1", "r2", "r1Every", "gammaEnd"],
  validate: (options) => {
    const widths = widthsOf(options);
    return widths.some((channels) => channels === 0 || channels % (GROUP / 2))
      ? `--fmap-base ${options.fmapBase} and --fmap-max ${options.fmapMax}: maps would have ` +
        `${widths.join(", ")} channels, expected multiples of ${GROUP / 2}`
      : undefined;
  },
  G: (options, random) => new R3ganGenerator({ ...options, groupWidth: GROUP }, random),
  D: (options, random) => new R3ganDiscriminator({ ...options, groupWidth: GROUP }, random),
  terms: (options) => ({
    D: [
      ...r1(options.r1, options.r1Every),
      ...r2(options.r2, options.r1Every),
      ...drift(options.drift),
      ...weightDecay(options.l1, options.l2),
    ],
    G: weightDecay(options.l1, options.l2),
  }),
};
