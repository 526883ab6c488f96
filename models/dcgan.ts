/**
 * The networks of DCGAN, generated from the resolution: 4x4 doubled to what is asked.
 *
 * @see Radford et al. 2016, https://arxiv.org/abs/1511.06434, and PyTorch's DCGAN example
 * @module
 */
import { tanh } from "../kernels/elementwise.ts";
import { type Context, logitsOf } from "../nn/context.ts";
import { type Init, normalInit } from "../nn/init.ts";
import { BatchNorm2d, Conv2d, ConvTranspose2d } from "../nn/layers.ts";
import { Module } from "../nn/module.ts";
import type { HostRandom } from "../nn/random.ts";
import { reshape } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Sizes of the networks. */
export interface DcganOptions {
  /** A power of two, at least 8. */
  readonly resolution: number;
  /** Length of a latent. */
  readonly nz: number;
  /** Channels of G's last hidden map; doubled at each level below. */
  readonly ngf: number;
  /** Channels of D's first map; doubled at each level. */
  readonly ndf: number;
  /** Of how many classes D tells images; 0 if left out. */
  readonly classCount?: number;
  /** Channels C of images; 3 if left out. */
  readonly imageChannels?: number;
}

const FIRST = { kernel: 4, stride: 1, padding: 0, bias: false };
const HALVE = { kernel: 4, stride: 2, padding: 1, bias: false };

/** Levels between the 4x4 map and the image: 3 at 32 pixels. */
function levels(resolution: number): number {
  const n = Math.log2(resolution / 4);
  if (!Number.isInteger(n) || n < 1) {
    throw new RangeError(`resolution ${resolution} is not a power of two of at least 8`);
  }
  return n;
}

interface Inits {
  readonly conv: Init;
  readonly norm: Init;
}

/** N(0, 0.02) for convolutions, N(1, 0.02) for batch norms. */
function inits(random: HostRandom): Inits {
  return { conv: normalInit(random, 0.02), norm: normalInit(random, 0.02, 1) };
}

/** Latents `[N, nz]` to images `[N, R, R, C]` in [-1, 1]. */
export class DcganGenerator extends Module {
  /** From the 4x4 map upwards. */
  readonly blocks: readonly { conv: ConvTranspose2d; norm: BatchNorm2d }[];
  /** From `ngf` channels to C, doubling the sides. */
  readonly output: ConvTranspose2d;

  /** Its first weights are drawn by `random`. */
  constructor({ resolution, nz, ngf, imageChannels: C = 3 }: DcganOptions, random: HostRandom) {
    super();
    const { conv, norm } = inits(random), n = levels(resolution);
    this.blocks = Array.from({ length: n }, (_, i) => {
      const outputs = ngf * 2 ** (n - 1 - i);
      return {
        conv: i === 0
          ? new ConvTranspose2d(nz, outputs, FIRST, conv)
          : new ConvTranspose2d(2 * outputs, outputs, HALVE, conv),
        norm: new BatchNorm2d(outputs, norm, { slope: 0 }),
      };
    });
    this.output = new ConvTranspose2d(ngf, C, HALVE, conv);
  }

  /** `[N, nz]` to `[N, R, R, C]`. */
  override forward(z: Tensor, context: Context): Tensor {
    const [N, nz] = z.shape;
    let x = reshape(z, [N, 1, 1, nz]);
    for (const { conv, norm } of this.blocks) x = norm.forward(conv.forward(x, context), context);
    return tanh(this.output.forward(x, context));
  }
}

/** Images `[N, R, R, C]` to logits `[N]`. */
export class DcganDiscriminator extends Module {
  /** From the image down to the 4x4 map; the first has no norm, but a leaky ReLU of its own. */
  readonly blocks: readonly { conv: Conv2d; norm?: BatchNorm2d }[];
  /** From the 4x4 map to one logit. */
  readonly output: Conv2d;

  /** Its first weights are drawn by `random`. */
  constructor(options: DcganOptions, random: HostRandom) {
    super();
    const { resolution, ndf, classCount = 0, imageChannels: C = 3 } = options;
    const { conv, norm } = inits(random), n = levels(resolution);
    this.blocks = Array.from({ length: n }, (_, i) => {
      const outputs = ndf * 2 ** i;
      return i === 0 ? { conv: new Conv2d(C, outputs, { ...HALVE, slope: 0.2 }, conv) } : {
        conv: new Conv2d(outputs / 2, outputs, HALVE, conv),
        norm: new BatchNorm2d(outputs, norm, { slope: 0.2 }),
      };
    });
    this.output = new Conv2d(ndf * 2 ** (n - 1), 1 + classCount, FIRST, conv);
  }

  /** The 4x4 map of images, `[N, R, R, C]` to `[N, 4, 4, features]`. */
  features(x: Tensor, context: Context): Tensor {
    for (const { conv, norm } of this.blocks) {
      x = conv.forward(x, context);
      if (norm) x = norm.forward(x, context);
    }
    return x;
  }

  /** `[N, R, R, C]` to `[N]`. */
  override forward(x: Tensor, context: Context): Tensor {
    return logitsOf(this.output.forward(this.features(x, context), context), context);
  }
}
