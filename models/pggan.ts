/**
 * The networks of progressive growing, G and D mirrored: a level for each doubling of 4x4 pixels, built
 * up to a stage. A level that is new is mixed with what the level below it makes: in G both as
 * images, in D both as maps.
 *
 * Weights of a level depend on the random stream and the level alone, so that a network which grows and
 * one built larger begin alike.
 *
 * @see Karras et al. 2018, https://arxiv.org/abs/1710.10196, table 2
 * @module
 */
import { tanh } from "../kernels/elementwise.ts";
import { minibatchStddev } from "../kernels/minibatch_stddev.ts";
import { pixelNorm } from "../kernels/pixel_norm.ts";
import { downAverage, upNearest } from "../kernels/resample.ts";
import { type Context, logitsOf } from "../nn/context.ts";
import { constantInit, type Init, normalInit } from "../nn/init.ts";
import { BatchNorm2d, Conv2d, ConvTranspose2d, type LayerOptions, Linear } from "../nn/layers.ts";
import { MinibatchDiscrimination } from "../nn/minibatch_discrimination.ts";
import { Module } from "../nn/module.ts";
import type { HostRandom } from "../nn/random.ts";
import { reshape } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { FIRST, levelOf, mix, type Stage } from "./stage.ts";

/** Sizes and kinds of the networks. */
export interface PgganOptions {
  /** Length of a latent. */
  readonly nz: number;
  /** Channels of a map are this over its side, times 2: 256 at 64 pixels for 8192 ... */
  readonly fmapBase: number;
  /** ... but at most this many. */
  readonly fmapMax: number;
  /**
   * `pixel`: G's maps and latents are normalised by pixel, its images are linear; `batch`: batch
   * norm in both networks, images through tanh; `none`: as `pixel`, without it.
   */
  readonly norm: string;
  /** With an `equalised` learning rate, `spectral`ly normalised, or `plain`. */
  readonly weights: string;
  /** What tells D how images of a batch differ: `stddev`, `discrimination` or `none`. */
  readonly minibatch: string;
  /** Of how many classes D tells images; 0 if left out. */
  readonly classCount?: number;
  /** Channels C of images; 3 if left out. */
  readonly imageChannels?: number;
}

const SLOPE = 0.2; // of the leaky ReLUs
const KERNELS = 100, DIMS = 5; // of minibatch discrimination (Salimans et al. 2016)

/** Channels of the map at a level; level -1 is D's last hidden layer. */
function channels({ fmapBase, fmapMax }: PgganOptions, level: number): number {
  return Math.max(1, Math.min(Math.floor(fmapBase / 2 ** (level + 1)), fmapMax));
}

/** A stream of its own for each level. */
function streams(random: HostRandom, count: number): HostRandom[] {
  return Array.from({ length: count }, () => random.fork());
}

/** A convolution with the leaky ReLU behind it, and a norm, if there is one. */
export interface PgganLayer {
  /** From `[N, H, W, inputs]` to as many outputs. */
  readonly conv: Module;
  /** With it, the leaky ReLU is part of the norm. */
  readonly norm?: BatchNorm2d;
}

/** Makes the layers of one level. */
class Maker {
  readonly #options: PgganOptions;
  readonly #init: Init;

  constructor(options: PgganOptions, random: HostRandom) {
    this.#options = options;
    this.#init = normalInit(random, options.weights === "equalised" ? 1 : 0.02);
  }

  /** A leaky ReLU's gain is sqrt(2) (He et al. 2015); 1 where there is none behind the layer. */
  #kind(fanIn: number, leaky: boolean, norm?: Module): LayerOptions {
    const { weights } = this.#options, gain = leaky ? Math.SQRT2 : 1;
    return {
      bias: !norm && constantInit(0),
      slope: leaky && !norm ? SLOPE : 1,
      ...weights === "equalised" && { scale: gain / Math.sqrt(fanIn) },
      ...weights === "spectral" && { spectral: true },
    };
  }

  /** From or to RGB. */
  rgb(inputs: number, outputs: number, leaky: boolean): Module {
    const size = { kernel: 1, stride: 1, padding: 0 };
    return new Conv2d(
      inputs,
      outputs,
      { ...size, ...this.#kind(inputs, leaky) },
      this.#init,
    );
  }

  /** A convolution with what follows it; with batch norm, the leaky ReLU is part of that. */
  step(
    inputs: number,
    outputs: number,
    kernel: number,
    padding: number,
    resample?: "up",
  ): PgganLayer {
    const size = { kernel, padding, stride: 1, resample }, norm = this.#norm(outputs);
    const kind = this.#kind(inputs * kernel ** 2, true, norm);
    const conv = new Conv2d(inputs, outputs, { ...size, ...kind }, this.#init);
    return { conv, ...norm && { norm } };
  }

  /** From latents to 4x4; the fan-in counts these pixels, too, as in the authors' code. */
  spread(inputs: number, outputs: number): PgganLayer {
    const size = { kernel: FIRST, stride: 1, padding: 0 }, norm = this.#norm(outputs);
    const kind = this.#kind(inputs * FIRST ** 2, true, norm);
    const conv = new ConvTranspose2d(inputs, outputs, { ...size, ...kind }, this.#init);
    return { conv, ...norm && { norm } };
  }

  /** What tells apart images that are too much alike, by their last hidden layer. */
  discrimination(features: number): MinibatchDiscrimination {
    return new MinibatchDiscrimination(features, KERNELS, DIMS, this.#init);
  }

  /** To one logit, and one more for each class. */
  logits(inputs: number): Module {
    const outputs = 1 + (this.#options.classCount ?? 0);
    return new Linear(inputs, outputs, this.#init, this.#kind(inputs, false));
  }

  #norm(channels: number): BatchNorm2d | undefined {
    return this.#options.norm === "batch"
      ? new BatchNorm2d(channels, constantInit(1), { slope: SLOPE })
      : undefined;
  }
}

function through({ conv, norm }: PgganLayer, x: Tensor, context: Context): Tensor {
  const y = conv.forward(x, context);
  return norm ? norm.forward(y, context) : y;
}

/** What makes `[N, R, R, C]` of a map, or the reverse, for the newest level and the one fading out. */
function rgbLayers<L>(
  { resolution, fading }: Stage,
  make: (level: number) => L,
): Readonly<Record<number, L>> {
  const top = levelOf(resolution), old = fading && top > 0 ? [top - 1] : [];
  return Object.fromEntries([...old, top].map((level) => [level, make(level)]));
}

/** Latents `[N, nz]` to images `[N, R, R, C]` of its stage. */
export class PgganGenerator extends Module {
  /** From 4x4 upwards. */
  readonly blocks: readonly (readonly PgganLayer[])[];
  /** By level: to C channels. */
  readonly toRgb: Readonly<Record<number, Module>>;
  readonly #options: PgganOptions;
  readonly #stage: Stage;

  /** Its first weights are drawn by `random`; `stage.alpha` is looked at in each forward. */
  constructor(options: PgganOptions, random: HostRandom, stage: Stage) {
    super();
    [this.#options, this.#stage] = [options, stage];
    const makers = streams(random, levelOf(stage.resolution) + 1)
      .map((stream) => new Maker(options, stream));
    this.blocks = makers.map((make, level) => {
      const inputs = channels(options, level - 1), outputs = channels(options, level);
      const first = level === 0
        ? make.spread(options.nz, outputs)
        : make.step(inputs, outputs, 3, 1, "up");
      return [first, make.step(outputs, outputs, 3, 1)];
    });
    this.toRgb = rgbLayers(
      stage,
      (level) => makers[level].rgb(channels(options, level), options.imageChannels ?? 3, false),
    );
  }

  /** `[N, nz]` to `[N, R, R, C]`. */
  override forward(z: Tensor, context: Context): Tensor {
    const [N, nz] = z.shape, { norm } = this.#options, { fading } = this.#stage;
    const normed = (x: Tensor) => norm === "pixel" ? pixelNorm(x) : x;
    let x = reshape(normed(z), [N, 1, 1, nz]), below = x;
    for (const block of this.blocks) {
      below = x;
      for (const step of block) x = normed(through(step, x, context));
    }
    const top = this.blocks.length - 1;
    let rgb = this.toRgb[top].forward(x, context);
    if (fading && top > 0) {
      rgb = mix(upNearest(this.toRgb[top - 1].forward(below, context), 2), rgb, this.#stage);
    }
    return norm === "batch" ? tanh(rgb) : rgb;
  }
}

/** Images `[N, R, R, C]` of its stage to logits `[N]`. */
export class PgganDiscriminator extends Module {
  /** By level: from C channels. */
  readonly fromRgb: Readonly<Record<number, Module>>;
  /** By level; the last two layers, at 4x4, come first. */
  readonly blocks: readonly (readonly PgganLayer[])[];
  /** Behind the last hidden layer. */
  readonly discrimination?: MinibatchDiscrimination;
  /** To one logit. */
  readonly output: Module;
  readonly #options: PgganOptions;
  readonly #stage: Stage;

  /** Its first weights are drawn by `random`; `stage.alpha` is looked at in each forward. */
  constructor(options: PgganOptions, random: HostRandom, stage: Stage) {
    super();
    [this.#options, this.#stage] = [options, stage];
    const [last, ...makers] = streams(random, levelOf(stage.resolution) + 2)
      .map((stream) => new Maker(options, stream));
    this.blocks = makers.map((make, level) => {
      const inputs = channels(options, level), outputs = channels(options, level - 1);
      const seen = level === 0 && options.minibatch === "stddev" ? inputs + 1 : inputs;
      const second = level === 0
        ? make.step(inputs, outputs, FIRST, 0)
        : make.step(inputs, outputs, 3, 1);
      return [make.step(seen, inputs, 3, 1), second];
    });
    this.fromRgb = rgbLayers(
      stage,
      (level) => makers[level].rgb(options.imageChannels ?? 3, channels(options, level), true),
    );
    const hidden = channels(options, -1), discriminates = options.minibatch === "discrimination";
    if (discriminates) this.discrimination = last.discrimination(hidden);
    this.output = last.logits(hidden + (discriminates ? KERNELS : 0));
  }

  /** `[N, R, R, C]` to `[N]`. */
  override forward(image: Tensor, context: Context): Tensor {
    const N = image.shape[0], { fading } = this.#stage, top = this.blocks.length - 1;
    const seen = (level: number, image: Tensor) => this.fromRgb[level].forward(image, context);
    let x = seen(top, image);
    for (let level = top; level >= 0; level--) {
      if (level === 0 && this.#options.minibatch === "stddev") {
        x = minibatchStddev(x, context.batches);
      }
      for (const step of this.blocks[level]) x = through(step, x, context);
      if (level > 0) x = downAverage(x, 2);
      if (level === top && fading && top > 0) {
        x = mix(seen(top - 1, downAverage(image, 2)), x, this.#stage);
      }
    }
    if (this.discrimination) x = this.discrimination.forward(x, context);
    return logitsOf(this.output.forward(reshape(x, [N, x.shape[3]]), context), context);
  }
}
