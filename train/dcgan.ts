import { DcganDiscriminator, DcganGenerator } from "../models/dcgan.ts";
import type { Recipe } from "./recipe.ts";

/**
 * DCGAN.
 *
 * @see Radford et al. 2016, https://arxiv.org/abs/1511.06434
 */
export const dcgan: Recipe = {
  name: "dcgan",
  about:
    "transposed-convolution generator, strided-convolution discriminator (Radford et al. 2016)",
  presets: {
    default: {
      about: "PyTorch's DCGAN example, with mirrored pictures and a running average of G",
      options: {},
    },
    original: {
      about: "PyTorch's DCGAN example as it is",
      options: { mirror: false, ema: 0 },
    },
    thesis: {
      about: "the baseline of Bychkov 2020: 32 pixels, nearest-neighbour resize",
      options: { resolution: 32, resize: "nearest", mirror: false, ema: 0 },
    },
    small: {
      about: "half the channels at 32 pixels, for machines without a GPU",
      options: { resolution: 32, batch: 32, ngf: 32, ndf: 32, kimg: 300, snapshot: 10 },
    },
  },
  own: ["ngf", "ndf"],
  complaint: ({ gp, r1 }) =>
    gp || r1
      ? "--gp and --r1 need a discriminator without batch norm, and dcgan's has it: " +
        "take sagan with --norm-d none"
      : undefined,
  G: (options, random) => new DcganGenerator(options, random),
  D: (options, random) => new DcganDiscriminator(options, random),
};
