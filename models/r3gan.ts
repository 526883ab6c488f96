/**
 * The networks of R3GAN: residual blocks of grouped convolutions without normalisation, mirrored in G and
 * D, which are resampled with the filter [1, 2, 1].
 *
 * @see Huang et al. 2024, https://arxiv.org/abs/2501.05441, and the authors' code
 * @module
 */
import { add } from "../kernels/elementwise.ts";
import { downSmooth, upSmooth } from "../kernels/resample.ts";
import { type Context, logitsOf } from "../nn/context.ts";
import { constantInit, type Init, normalInit } from "../nn/init.ts";
import { Conv2d, ConvTranspose2d } from "../nn/layers.ts";
import { Module } from "../nn/module.ts";
import type { HostRandom } from "../nn/random.ts";
import { reshape } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { FIRST, levelOf } from "./stage.ts";

/** Sizes of the networks. */
export interface R3ganOptions {
  /** A power of two, at least 4. */
  readonly resolution: number;
  /** Length of a latent. */
  readonly nz: number;
  /** Channels of a map are this over its side, times 2: 384 at 64 pixels for 12288 ... */
  readonly fmapBase: number;
  /** ... but at most this many. */
  readonly fmapMax: number;
  /** Residual blocks a level. */
  readonly blocks: number;
  /** Channels of one group of a block's 3x3 convolution. */
  readonly groupWidth: number;
  /** Of how many classes D tells images; 0 if left out. */
  readonly classCount?: number;
  /** Channels C of images; 3 if left out. */
  readonly imageChannels?: number;
}

const SLOPE = 0.2; // of the leaky ReLUs
/** He et al. 2015, equation 14: keeps the variance of what goes through a leaky ReLU. */
const GAIN = Math.sqrt(2 / (1 + SLOPE ** 2));
/** How much wider a block is inside. */
const EXPANSION = 2;

/** Channels of the maps of each level, from 4x4 up. */
export function widthsOf(
  { resolution, fmapBase, fmapMax }: Pick<R3ganOptions, "resolution" | "fmapBase" | "fmapMax">,
): number[] {
  return Array.from(
    { length: levelOf(resolution) + 1 },
    (_, level) => Math.min(Math.floor(fmapBase / 2 ** (level + 1)), fmapMax),
  );
}

/** From N(0, gain^2 / fan-in). */
function scaledInit(random: HostRandom, gain: number): Init {
  return (shape, fanIn) => normalInit(random, gain / Math.sqrt(fanIn))(shape, fanIn);
}

/** A convolution without anything behind it. */
function linear(inputs: number, outputs: number, random: HostRandom): Conv2d {
  const options = { kernel: 1, stride: 1, padding: 0, bias: false };
  return new Conv2d(inputs, outputs, options, scaledInit(random, 1));
}

/** The convolution of a transition between levels, needed only where channels change. */
function transition(
  inputs: number | undefined,
  outputs: number | undefined,
  random: HostRandom,
): { conv?: Conv2d } {
  if (!inputs || !outputs || inputs === outputs) return {};
  return { conv: linear(inputs, outputs, random) };
}

/** `x` plus what 1x1, grouped 3x3 and 1x1 convolutions make of it: at first nothing. */
export class ResidualBlock extends Module {
  /** To more channels. */
  readonly conv1: Conv2d;
  /** In groups. */
  readonly conv2: Conv2d;
  /** Back. It begins as 0. */
  readonly conv3: Conv2d;

  /** @param depth Residual blocks of the whole network: with more of them, first weights are smaller. */
  constructor(channels: number, { groupWidth }: R3ganOptions, depth: number, random: HostRandom) {
    super();
    const inside = EXPANSION * channels;
    if (inside % groupWidth) {
      throw new RangeError(
        `R3GAN: got ${channels} channels, expected a multiple of ${groupWidth / EXPANSION}`,
      );
    }
    // Of variances 1/sqrt(depth) each: with two such layers, a block's is 1/depth of its input's.
    const init = scaledInit(random, GAIN * depth ** -0.25);
    const one = { kernel: 1, stride: 1, padding: 0 };
    const leaky = { bias: constantInit(0), slope: SLOPE };
    const groups = inside / groupWidth;
    this.conv1 = new Conv2d(channels, inside, { ...one, ...leaky }, init);
    this.conv2 = new Conv2d(
      inside,
      inside,
      { kernel: 3, stride: 1, padding: 1, groups, ...leaky },
      init,
    );
    this.conv3 = new Conv2d(inside, channels, { ...one, bias: false }, constantInit(0));
  }

  /** `[N, H, W, channels]`, of the same shape. */
  override forward(x: Tensor, context: Context): Tensor {
    const inside = this.conv2.forward(this.conv1.forward(x, context), context);
    return add(x, this.conv3.forward(inside, context));
  }
}

/** The residual blocks of a level. */
function blocksOf(channels: number, options: R3ganOptions, random: HostRandom): ResidualBlock[] {
  const depth = options.blocks * widthsOf(options).length;
  return Array.from(
    { length: options.blocks },
    () => new ResidualBlock(channels, options, depth, random),
  );
}

/** Latents `[N, nz]` to images `[N, R, R, C]`, which nothing keeps in [-1, 1]. */
export class R3ganGenerator extends Module {
  /** How much of each channel's map, of each latent. */
  readonly latent: Conv2d;
  /** A map of 4x4 pixels for each channel. */
  readonly basis: ConvTranspose2d;
  /** From 4x4 upwards. */
  readonly levels: readonly { readonly conv?: Conv2d; readonly blocks: readonly ResidualBlock[] }[];
  /** To C channels. */
  readonly output: Conv2d;

  /** Its first weights are drawn by `random`. */
  constructor(options: R3ganOptions, random: HostRandom) {
    super();
    const widths = widthsOf(options), first = widths[0];
    this.latent = linear(options.nz, first, random);
    const basis = { kernel: FIRST, stride: 1, padding: 0, bias: false, groups: first };
    this.basis = new ConvTranspose2d(first, first, basis, normalInit(random, 1));
    this.levels = widths.map((channels, level) => ({
      ...transition(widths[level - 1], channels, random),
      blocks: blocksOf(channels, options, random),
    }));
    this.output = linear(widths.at(-1)!, options.imageChannels ?? 3, random);
  }

  /** `[N, nz]` to `[N, R, R, C]`. */
  override forward(z: Tensor, context: Context): Tensor {
    const [N, nz] = z.shape;
    let x = this.latent.forward(reshape(z, [N, 1, 1, nz]), context);
    x = this.basis.forward(x, context);
    for (const [level, { conv, blocks }] of this.levels.entries()) {
      if (conv) x = conv.forward(x, context);
      if (level > 0) x = upSmooth(x);
      for (const block of blocks) x = block.forward(x, context);
    }
    return this.output.forward(x, context);
  }
}

/** Images `[N, R, R, C]` to logits `[N]`. */
export class R3ganDiscriminator extends Module {
  /** From C channels. */
  readonly input: Conv2d;
  /** From the image down to 4x4. */
  readonly levels: readonly { readonly blocks: readonly ResidualBlock[]; readonly conv?: Conv2d }[];
  /** From 4x4 pixels to one, each channel by itself. */
  readonly basis: Conv2d;
  /** To one logit. */
  readonly output: Conv2d;

  /** Its first weights are drawn by `random`. */
  constructor(options: R3ganOptions, random: HostRandom) {
    super();
    const widths = widthsOf(options).reverse(), last = widths.at(-1)!;
    this.input = linear(options.imageChannels ?? 3, widths[0], random);
    this.levels = widths.map((channels, i) => ({
      blocks: blocksOf(channels, options, random),
      ...transition(channels, widths[i + 1], random),
    }));
    const basis = { kernel: FIRST, stride: 1, padding: 0, bias: false, groups: last };
    this.basis = new Conv2d(last, last, basis, scaledInit(random, 1));
    this.output = linear(last, 1 + (options.classCount ?? 0), random);
  }

  /** `[N, R, R, C]` to `[N]`. */
  override forward(image: Tensor, context: Context): Tensor {
    let x = this.input.forward(image, context);
    for (const [i, { blocks, conv }] of this.levels.entries()) {
      for (const block of blocks) x = block.forward(x, context);
      if (i < this.levels.length - 1) x = downSmooth(x);
      if (conv) x = conv.forward(x, context);
    }
    x = this.basis.forward(x, context);
    return logitsOf(this.output.forward(x, context), context);
  }
}
