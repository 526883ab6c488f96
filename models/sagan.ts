/**
 * The networks of SAGAN: DCGAN's ladder of transposed convolutions in G and strided ones in D, with spectral
 * norm and self-attention, each of which can be left out. (The authors' own networks have residual blocks.)
 *
 * @see Zhang et al. 2019, https://arxiv.org/abs/1805.08318
 * @module
 */
import { tanh } from "../kernels/elementwise.ts";
import { minibatchStddev } from "../kernels/minibatch_stddev.ts";
import { type Context, logitsOf } from "../nn/context.ts";
import { Dropout } from "../nn/dropout.ts";
import { type Init, normalInit } from "../nn/init.ts";
import { BatchNorm2d, Conv2d, ConvTranspose2d } from "../nn/layers.ts";
import { MinibatchDiscrimination } from "../nn/minibatch_discrimination.ts";
import { Module } from "../nn/module.ts";
import type { HostRandom } from "../nn/random.ts";
import { SelfAttention } from "../nn/self_attention.ts";
import { reshape } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Sizes and parts of the networks. */
export interface SaganOptions {
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
  /** Whether all convolutions of both networks are spectrally normalised. */
  readonly spectralNorm: boolean;
  /** Sides of the maps that attend to themselves, as `32,16`, or `none`: {@linkcode attentionSizes}. */
  readonly attention: string;
  /** Queries and keys have a map's channels over this. */
  readonly attentionReduction: number;
  /** Values have `full` or `half` a map's channels. */
  readonly attentionValues: string;
  /** Whether keys and values are maxima of 2x2 pixels. */
  readonly attentionPool: boolean;
  /** D's norm: `batch` or `none`. */
  readonly normD: string;
  /** What shows D how images of a batch differ: `discrimination`, `stddev` or `none`. */
  readonly minibatch: string;
  /** The probability with which D's hidden elements are dropped. */
  readonly dropout: number;
}

const KERNELS = 100, DIMS = 5; // of minibatch discrimination, as in Salimans et al. 2016

/** Levels between the 4x4 map and the image: 3 at 32 pixels. */
function levels(resolution: number): number {
  const n = Math.log2(resolution / 4);
  if (!Number.isInteger(n) || n < 1) {
    throw new RangeError(`resolution ${resolution} is not a power of two of at least 8`);
  }
  return n;
}

/**
 * Which maps attend to themselves: for each number of a list such as `32,16` the largest map of the
 * networks not above it. The largest of all has half the image's side.
 *
 * @throws {RangeError} If the text is neither such a list of powers of two from 4 up nor `none`.
 */
export function attentionSizes(text: string, resolution: number): number[] {
  if (text === "none") return [];
  const sizes = text.split(",").map((part) => /^\d+$/.test(part.trim()) ? Number(part) : NaN);
  if (!sizes.every((size) => size >= 4 && Number.isInteger(Math.log2(size)))) {
    throw new RangeError(
      `attention ${text}: expected sides of maps, powers of two from 4 up as in 32,16, or none`,
    );
  }
  return [...new Set(sizes.map((size) => Math.min(size, resolution / 2)))];
}

/** Makes layers that both networks have. */
class Maker {
  readonly #options: SaganOptions;
  readonly #sizes: readonly number[];
  readonly conv: Init;
  readonly norm: Init;

  constructor(options: SaganOptions, random: HostRandom) {
    this.#options = options;
    this.#sizes = attentionSizes(options.attention, options.resolution);
    this.conv = normalInit(random, 0.02);
    this.norm = normalInit(random, 0.02, 1);
  }

  /** From 1x1 to 4x4, or the reverse. */
  get first() {
    return { kernel: 4, stride: 1, padding: 0, bias: false, ...this.#spectral };
  }

  /** To twice or half the side. */
  get step() {
    return { kernel: 4, stride: 2, padding: 1, bias: false, ...this.#spectral };
  }

  get #spectral() {
    return { spectral: this.#options.spectralNorm };
  }

  /** The attention of a map, if it is to have one. */
  attention(size: number, channels: number): { attention?: SelfAttention } {
    if (!this.#sizes.includes(size)) return {};
    const { attentionReduction, attentionValues, attentionPool, spectralNorm } = this.#options;
    const options = {
      reduction: attentionReduction,
      valueReduction: attentionValues === "half" ? 2 : 1,
      pool: attentionPool,
      spectral: spectralNorm,
    };
    return { attention: new SelfAttention(channels, options, this.conv) };
  }
}

/** Latents `[N, nz]` to images `[N, R, R, C]` in [-1, 1]. */
export class SaganGenerator extends Module {
  /** From the 4x4 map upwards. */
  readonly blocks: readonly {
    readonly conv: ConvTranspose2d;
    readonly norm: BatchNorm2d;
    readonly attention?: SelfAttention;
  }[];
  /** From `ngf` channels to C, doubling the sides. */
  readonly output: ConvTranspose2d;

  /** Its first weights are drawn by `random`. */
  constructor(options: SaganOptions, random: HostRandom) {
    super();
    const { resolution, nz, ngf, imageChannels: C = 3 } = options, n = levels(resolution);
    const make = new Maker(options, random);
    this.blocks = Array.from({ length: n }, (_, i) => {
      const outputs = ngf * 2 ** (n - 1 - i);
      return {
        conv: i === 0
          ? new ConvTranspose2d(nz, outputs, make.first, make.conv)
          : new ConvTranspose2d(2 * outputs, outputs, make.step, make.conv),
        norm: new BatchNorm2d(outputs, make.norm, { slope: 0 }),
        ...make.attention(4 * 2 ** i, outputs),
      };
    });
    this.output = new ConvTranspose2d(ngf, C, { ...make.step, bias: true }, make.conv);
  }

  /** `[N, nz]` to `[N, R, R, C]`. */
  override forward(z: Tensor, context: Context): Tensor {
    const [N, nz] = z.shape;
    let x = reshape(z, [N, 1, 1, nz]);
    for (const { conv, norm, attention } of this.blocks) {
      x = norm.forward(conv.forward(x, context), context);
      if (attention) x = attention.forward(x, context);
    }
    return tanh(this.output.forward(x, context));
  }
}

/** Images `[N, R, R, C]` to logits `[N]`. */
export class SaganDiscriminator extends Module {
  /** From the image down to the 4x4 map; the first has no norm. */
  readonly blocks: readonly {
    readonly conv: Conv2d;
    readonly norm?: BatchNorm2d;
    readonly attention?: SelfAttention;
    readonly dropout?: Dropout;
  }[];
  /** Adds what the batch's images have in common to the 4x4 map. */
  readonly discrimination?: MinibatchDiscrimination;
  /** From the 4x4 map to one logit. */
  readonly output: Conv2d;
  readonly #stddev: boolean;

  /** Its first weights are drawn by `random`. */
  constructor(options: SaganOptions, random: HostRandom) {
    super();
    const { resolution, ndf, normD, minibatch, dropout, classCount = 0, imageChannels: C = 3 } =
      options;
    const n = levels(resolution);
    const make = new Maker(options, random);
    this.blocks = Array.from({ length: n }, (_, i) => {
      const outputs = ndf * 2 ** i, normed = i > 0 && normD === "batch";
      return {
        conv: new Conv2d(
          i === 0 ? C : outputs / 2,
          outputs,
          { ...make.step, bias: !normed, slope: normed ? 1 : 0.2 },
          make.conv,
        ),
        ...normed && { norm: new BatchNorm2d(outputs, make.norm, { slope: 0.2 }) },
        ...make.attention(resolution / 2 ** (i + 1), outputs),
        ...dropout > 0 && { dropout: new Dropout(dropout) },
      };
    });
    const features = ndf * 2 ** (n - 1);
    let seen = features;
    if (minibatch === "discrimination") {
      this.discrimination = new MinibatchDiscrimination(features, KERNELS, DIMS, make.conv);
      seen += KERNELS;
    }
    this.#stddev = minibatch === "stddev";
    if (this.#stddev) seen++;
    this.output = new Conv2d(seen, 1 + classCount, { ...make.first, bias: true }, make.conv);
  }

  /** The 4x4 map of images, `[N, R, R, C]` to `[N, 4, 4, features]`. */
  features(x: Tensor, context: Context): Tensor {
    for (const { conv, norm, attention, dropout } of this.blocks) {
      x = conv.forward(x, context);
      if (norm) x = norm.forward(x, context);
      if (attention) x = attention.forward(x, context);
      if (dropout) x = dropout.forward(x, context);
    }
    return x;
  }

  /** `[N, R, R, C]` to `[N]`. */
  override forward(x: Tensor, context: Context): Tensor {
    let seen = this.features(x, context);
    if (this.discrimination) seen = this.discrimination.forward(seen, context);
    if (this.#stddev) seen = minibatchStddev(seen, context.batches);
    return logitsOf(this.output.forward(seen, context), context);
  }
}
