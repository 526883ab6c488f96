/**
 * The residual blocks of SAGAN and SNGAN: two 3x3 convolutions, and beside them a 1x1 convolution where
 * channels or sides change.
 *
 * @see Miyato et al. 2018, https://arxiv.org/abs/1802.05957, appendix B.4, and SAGAN's authors' code
 * @module
 */
import { add, relu } from "../kernels/elementwise.ts";
import { downAverage, upNearest } from "../kernels/resample.ts";
import type { Context } from "../nn/context.ts";
import { constantInit, type Init } from "../nn/init.ts";
import { BatchNorm2d, Conv2d } from "../nn/layers.ts";
import { Module } from "../nn/module.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What the blocks' convolutions have in common. */
export interface BlockOptions {
  /** Whether they are spectrally normalised. */
  readonly spectral: boolean;
  /** First weights. */
  readonly init: Init;
}

const THREE = { kernel: 3, stride: 1, padding: 1 };
const ONE = { kernel: 1, stride: 1, padding: 0, bias: false };

/** Doubles the side, in G: batch norm and ReLU before each convolution. Biases would vanish in the norms. */
export class UpBlock extends Module {
  /** With a ReLU. */
  readonly norm1: BatchNorm2d;
  /** To twice the side. */
  readonly conv1: Conv2d;
  /** With a ReLU. */
  readonly norm2: BatchNorm2d;
  /** As many channels again. */
  readonly conv2: Conv2d;
  /** Beside them. */
  readonly skip: Conv2d;

  /** From `inputs` to `outputs` channels. */
  constructor(inputs: number, outputs: number, { spectral, init }: BlockOptions) {
    super();
    this.norm1 = new BatchNorm2d(inputs, constantInit(1), { slope: 0 });
    const three = { ...THREE, bias: false, spectral };
    this.conv1 = new Conv2d(inputs, outputs, { ...three, resample: "up" }, init);
    this.norm2 = new BatchNorm2d(outputs, constantInit(1), { slope: 0 });
    this.conv2 = new Conv2d(outputs, outputs, three, init);
    this.skip = new Conv2d(inputs, outputs, { ...ONE, spectral }, init);
  }

  /** `[N, H, W, inputs]` to `[N, 2 H, 2 W, outputs]`. */
  override forward(x: Tensor, context: Context): Tensor {
    const inside = this.conv1.forward(this.norm1.forward(x, context), context);
    const outside = this.conv2.forward(this.norm2.forward(inside, context), context);
    // Behind a 1x1 convolution the same as before it, with a quarter of the work.
    const beside = upNearest(this.skip.forward(x, context), 2);
    return add(outside, beside);
  }
}

/** How a {@linkcode DownBlock} differs from the others. */
export interface DownOptions extends BlockOptions {
  /** Of images: no ReLU before the first convolution. */
  readonly first?: boolean;
  /** The side stays, and so do the channels, without a convolution beside. */
  readonly last?: boolean;
}

/** Halves the side, in D: a ReLU before each convolution, means of 2x2 pixels behind them. */
export class DownBlock extends Module {
  /** With a ReLU behind it. */
  readonly conv1: Conv2d;
  /** As many channels again. */
  readonly conv2: Conv2d;
  /** Beside them; the last block has none. */
  readonly skip?: Conv2d;
  readonly #first: boolean;

  /** From `inputs` to `outputs` channels. */
  constructor(
    inputs: number,
    outputs: number,
    { spectral, init, first = false, last = false }: DownOptions,
  ) {
    super();
    const three = { ...THREE, bias: constantInit(0), spectral };
    this.conv1 = new Conv2d(inputs, outputs, { ...three, slope: 0 }, init);
    this.conv2 = new Conv2d(outputs, outputs, { ...three, ...!last && { resample: "down" } }, init);
    if (!last) this.skip = new Conv2d(inputs, outputs, { ...ONE, spectral }, init);
    this.#first = first;
  }

  /** `[N, H, W, inputs]` to `[N, H / 2, W / 2, outputs]`; of the last block `[N, H, W, outputs]`. */
  override forward(x: Tensor, context: Context): Tensor {
    const before = this.#first ? x : relu(x);
    const inside = this.conv2.forward(this.conv1.forward(before, context), context);
    if (!this.skip) return add(inside, x);
    // Before a 1x1 convolution the same as behind it, with a quarter of the work.
    return add(inside, this.skip.forward(downAverage(x, 2), context));
  }
}
