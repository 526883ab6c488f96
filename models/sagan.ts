/**
 * The networks of SAGAN: DCGAN's ladder of transposed convolutions in G and strided ones in D, or the
 * authors' residual blocks; with spectral norm and self-attention, each of which can be left out.
 *
 * @see Zhang et al. 2019, https://arxiv.org/abs/1805.08318
 * @module
 */
import { relu, tanh } from "../kernels/elementwise.ts";
import { minibatchStddev } from "../kernels/minibatch_stddev.ts";
import { sumTo } from "../kernels/reduce.ts";
import { type Context, logitsOf } from "../nn/context.ts";
import { Conv2d, ConvTranspose2d } from "../nn/layers.ts";
import { MinibatchDiscrimination } from "../nn/minibatch_discrimination.ts";
import { Module } from "../nn/module.ts";
import type { HostRandom } from "../nn/random.ts";
import { reshape } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  ladderOfD,
  ladderOfG,
  levels,
  Maker,
  residualOfD,
  residualOfG,
  type SaganOptions,
  type StepOfD,
  type StepOfG,
} from "./sagan_steps.ts";

const KERNELS = 100, DIMS = 5; // of minibatch discrimination, as in Salimans et al. 2016

/** Latents `[N, nz]` to images `[N, R, R, C]` in [-1, 1]. */
export class SaganGenerator extends Module {
  /** From the 4x4 map upwards. */
  readonly blocks: readonly StepOfG[];
  /** From `ngf` channels to C; without residual blocks it doubles the sides. */
  readonly output: ConvTranspose2d | Conv2d;

  /** Its first weights are drawn by `random`. */
  constructor(options: SaganOptions, random: HostRandom) {
    super();
    const { ngf, imageChannels: C = 3, residual } = options, make = new Maker(options, random);
    this.blocks = residual ? residualOfG(options, make) : ladderOfG(options, make);
    this.output = residual
      ? new Conv2d(ngf, C, make.same(3), make.conv)
      : new ConvTranspose2d(ngf, C, { ...make.step, bias: true }, make.conv);
  }

  /** `[N, nz]` to `[N, R, R, C]`. */
  override forward(z: Tensor, context: Context): Tensor {
    const [N, nz] = z.shape;
    let x = reshape(z, [N, 1, 1, nz]);
    for (const { conv, norm, attention } of this.blocks) {
      x = conv.forward(x, context);
      if (norm) x = norm.forward(x, context);
      if (attention) x = attention.forward(x, context);
    }
    return tanh(this.output.forward(x, context));
  }
}

/** Images `[N, R, R, C]` to logits `[N]`. */
export class SaganDiscriminator extends Module {
  /** From the image down to the 4x4 map. */
  readonly blocks: readonly StepOfD[];
  /** Adds what the batch's images have in common to the 4x4 map. */
  readonly discrimination?: MinibatchDiscrimination;
  /** From the 4x4 map, or behind residual blocks from the sum of its pixels, to one logit. */
  readonly output: Conv2d;
  readonly #stddev: boolean;
  readonly #residual: boolean;

  /** Its first weights are drawn by `random`. */
  constructor(options: SaganOptions, random: HostRandom) {
    super();
    const { resolution, ndf, minibatch, classCount = 0, residual = false } = options;
    const make = new Maker(options, random);
    this.blocks = residual ? residualOfD(options, make) : ladderOfD(options, make);
    const features = ndf * 2 ** (levels(resolution) - 1);
    let seen = features;
    if (minibatch === "discrimination") {
      this.discrimination = new MinibatchDiscrimination(features, KERNELS, DIMS, make.conv);
      seen += KERNELS;
    }
    this.#stddev = minibatch === "stddev";
    if (this.#stddev) seen++;
    this.#residual = residual;
    const kind = residual ? make.same(1) : { ...make.first, bias: true };
    this.output = new Conv2d(seen, 1 + classCount, kind, make.conv);
  }

  /** The 4x4 map of images, `[N, R, R, C]` to `[N, 4, 4, features]`. */
  features(x: Tensor, context: Context): Tensor {
    for (const { conv, norm, attention, dropout } of this.blocks) {
      x = conv.forward(x, context);
      if (norm) x = norm.forward(x, context);
      if (attention) x = attention.forward(x, context);
      if (dropout) x = dropout.forward(x, context);
    }
    return this.#residual ? relu(x) : x;
  }

  /** `[N, R, R, C]` to `[N]`. */
  override forward(x: Tensor, context: Context): Tensor {
    let seen = this.features(x, context);
    if (this.discrimination) seen = this.discrimination.forward(seen, context);
    if (this.#stddev) seen = minibatchStddev(seen, context.batches);
    if (this.#residual) seen = sumTo(seen, [x.shape[0], 1, 1, seen.shape[3]]);
    return logitsOf(this.output.forward(seen, context), context);
  }
}
