/**
 * What SAGAN's networks consist of, step by step: the ladder's convolutions or residual blocks, each with
 * what stands behind it.
 *
 * @module
 */
import { Dropout } from "../nn/dropout.ts";
import { constantInit, type Init, normalInit, xavierInit } from "../nn/init.ts";
import { BatchNorm2d, Conv2d, ConvTranspose2d } from "../nn/layers.ts";
import type { HostRandom } from "../nn/random.ts";
import { SelfAttention } from "../nn/self_attention.ts";
import { DownBlock, UpBlock } from "./sagan_blocks.ts";

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
  /**
   * Whether both networks have the authors' residual blocks instead of the ladder; false if left out. D has no
   * batch norm then.
   */
  readonly residual?: boolean;
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

/** Levels between the 4x4 map and the image: 3 at 32 pixels. */
export function levels(resolution: number): number {
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
export class Maker {
  readonly #options: SaganOptions;
  readonly #sizes: readonly number[];
  /** First weights. */
  readonly conv: Init;
  /** First weights of the ladder's batch norms. */
  readonly norm: Init;

  constructor(options: SaganOptions, random: HostRandom) {
    this.#options = options;
    this.#sizes = attentionSizes(options.attention, options.resolution);
    this.conv = options.residual ? xavierInit(random) : normalInit(random, 0.02);
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

  /** With the same side. */
  same(kernel: number) {
    const bias = constantInit(0);
    return { kernel, stride: 1, padding: (kernel - 1) / 2, bias, ...this.#spectral };
  }

  /** A residual block. */
  get block() {
    return { init: this.conv, ...this.#spectral };
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

/** A step of G: to the 4x4 map, or to twice the side. */
export interface StepOfG {
  readonly conv: ConvTranspose2d | UpBlock;
  readonly norm?: BatchNorm2d;
  readonly attention?: SelfAttention;
}

/** Transposed convolutions, to half the image's side. */
export function ladderOfG({ resolution, nz, ngf }: SaganOptions, make: Maker): StepOfG[] {
  const n = levels(resolution);
  return Array.from({ length: n }, (_, i) => {
    const outputs = ngf * 2 ** (n - 1 - i);
    return {
      conv: i === 0
        ? new ConvTranspose2d(nz, outputs, make.first, make.conv)
        : new ConvTranspose2d(2 * outputs, outputs, make.step, make.conv),
      norm: new BatchNorm2d(outputs, make.norm, { slope: 0 }),
      ...make.attention(4 * 2 ** i, outputs),
    };
  });
}

/**
 * Residual blocks, to the image's side; a norm behind the last alone. The authors' first layer is dense: the
 * same, but for the matrix that its spectral norm is of.
 */
export function residualOfG({ resolution, nz, ngf }: SaganOptions, make: Maker): StepOfG[] {
  const n = levels(resolution), width = (i: number) => ngf * 2 ** Math.min(n - 1, n - i);
  return Array.from({ length: n + 1 }, (_, i) => ({
    conv: i === 0
      ? new ConvTranspose2d(nz, width(i), make.first, make.conv)
      : new UpBlock(width(i - 1), width(i), make.block),
    ...i === n && { norm: new BatchNorm2d(ngf, constantInit(1), { slope: 0 }) },
    ...make.attention(4 * 2 ** i, width(i)),
  }));
}

/** A step of D: to half the side, but for the last residual block. */
export interface StepOfD {
  readonly conv: Conv2d | DownBlock;
  readonly norm?: BatchNorm2d;
  readonly attention?: SelfAttention;
  readonly dropout?: Dropout;
}

/** Strided convolutions, to the 4x4 map; the first has no norm. */
export function ladderOfD(options: SaganOptions, make: Maker): StepOfD[] {
  const { resolution, ndf, normD, dropout, imageChannels: C = 3 } = options;
  return Array.from({ length: levels(resolution) }, (_, i) => {
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
}

/** Residual blocks, to the 4x4 map, where the last stays. */
export function residualOfD(options: SaganOptions, make: Maker): StepOfD[] {
  const { resolution, ndf, dropout, imageChannels: C = 3 } = options, n = levels(resolution);
  const width = (i: number) => i < 0 ? C : ndf * 2 ** Math.min(i, n - 1);
  return Array.from({ length: n + 1 }, (_, i) => ({
    conv: new DownBlock(
      width(i - 1),
      width(i),
      { ...make.block, first: i === 0, last: i === n },
    ),
    ...make.attention(i === n ? 0 : resolution / 2 ** (i + 1), width(i)),
    ...dropout > 0 && { dropout: new Dropout(dropout) },
  }));
}
