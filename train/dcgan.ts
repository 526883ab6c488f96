import { DcganDiscriminator, DcganGenerator } from "../models/dcgan.ts";
import type { Recipe } from "./recipe.ts";
import { drift, weightDecay } from "./terms.ts";

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
      about: "PyTorch's DCGAN example, with mirrored images and a running average of G",
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
      about: "half the channels at 32 pixels, for machines without a GPU: soon something to see",
      options: {
        ...{ resolution: 32, batch: 16, ngf: 32, ndf: 32 },
        ...{ kimg: 300, snapshot: 5 },
      },
    },
  },
  options: ["ngf", "ndf"],
  G: (options, random) => new DcganGenerator(options, random),
  D: (options, random) => new DcganDiscriminator(options, random),
  // D has batch norm, which WGAN-GP and R1 do not go with.
  terms: ({ drift: epsilon, l1, l2 }) => ({
    D: [...drift(epsilon), ...weightDecay(l1, l2)],
    G: weightDecay(l1, l2),
  }),
};
