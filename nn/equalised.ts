/**
 * Layers with an equalised learning rate: weights are kept at variance 1 and multiplied by
 * `gain / sqrt(fanIn)` each time they are used, so that Adam, whose steps do not know how large a
 * weight is, moves all of them alike.
 *
 * @see Karras et al. 2018, section 4.1
 * @module
 */
import { conv2d, conv2dInput, type Geometry } from "../kernels/conv2d.ts";
import { add, scale } from "../kernels/elementwise.ts";
import { matmul } from "../kernels/matmul.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { constantInit, normalInit, parameter } from "./init.ts";
import type { ConvOptions } from "./layers.ts";
import { Module } from "./module.ts";
import type { HostRandom } from "./random.ts";

/** What holds for each layer here. */
export interface EqualisedOptions {
  /** Of the activation behind it: sqrt(2), the default, for a leaky ReLU, 1 for none. */
  readonly gain?: number;
}

/** He's constant (He et al. 2015). */
function runtimeScale(gain: number, fanIn: number): number {
  return gain / Math.sqrt(fanIn);
}

/** `y = x (c W)^T + b`, `[N, inputs] -> [N, outputs]`; W begins as N(0, 1), b as 0. */
export class EqualisedLinear extends Module {
  /** `[outputs, inputs]`. */
  readonly weight: Tensor;
  /** `[outputs]`. */
  readonly bias: Tensor;
  readonly #scale: number;

  /** Its first weights are drawn by `random`. */
  constructor(
    inputs: number,
    outputs: number,
    random: HostRandom,
    { gain = Math.SQRT2 }: EqualisedOptions = {},
  ) {
    super();
    this.weight = parameter([outputs, inputs], normalInit(random, 1));
    this.bias = parameter([outputs], constantInit(0));
    this.#scale = runtimeScale(gain, inputs);
  }

  /** `[N, inputs]` to `[N, outputs]`. */
  override forward(x: Tensor): Tensor {
    return add(matmul(x, scale(this.weight, this.#scale), { b: true }), this.bias);
  }
}

/** A convolution with `c W`; shapes as in `Conv2d`. W begins as N(0, 1), the bias as 0. */
export class EqualisedConv2d extends Module {
  /** `[k, k, inputs, outputs]`. */
  readonly weight: Tensor;
  /** `[outputs]`. */
  readonly bias: Tensor;
  readonly #scale: number;
  readonly #geometry: Geometry;

  /** From `inputs` to `outputs` channels; the first weights are drawn by `random`. */
  constructor(
    inputs: number,
    outputs: number,
    { kernel, stride, padding, gain = Math.SQRT2 }: ConvOptions & EqualisedOptions,
    random: HostRandom,
  ) {
    super();
    this.weight = parameter([kernel, kernel, inputs, outputs], normalInit(random, 1));
    this.bias = parameter([outputs], constantInit(0));
    this.#scale = runtimeScale(gain, inputs * kernel ** 2);
    this.#geometry = { stride, padding };
  }

  /** `[N, H, W, inputs]` to `[N, (H + 2 padding - k) / stride + 1, ..., outputs]`. */
  override forward(x: Tensor): Tensor {
    return add(conv2d(x, scale(this.weight, this.#scale), this.#geometry), this.bias);
  }
}

/**
 * The transposed convolution of one pixel with `c W`, `[N, 1, 1, in] -> [N, k, k, out]`: what makes
 * the first map of latents. Its fan-in counts the pixels of the result, too, as in the authors'
 * code.
 */
export class EqualisedSpread extends Module {
  /** `[k, k, outputs, inputs]`. */
  readonly weight: Tensor;
  /** `[outputs]`. */
  readonly bias: Tensor;
  readonly #scale: number;

  /** From `inputs` to `outputs` channels; the first weights are drawn by `random`. */
  constructor(
    inputs: number,
    outputs: number,
    { kernel, gain = Math.SQRT2 }: EqualisedOptions & Pick<ConvOptions, "kernel">,
    random: HostRandom,
  ) {
    super();
    this.weight = parameter([kernel, kernel, outputs, inputs], normalInit(random, 1));
    this.bias = parameter([outputs], constantInit(0));
    this.#scale = runtimeScale(gain, inputs * kernel ** 2);
  }

  /** `[N, 1, 1, inputs]` to `[N, k, k, outputs]`. */
  override forward(x: Tensor): Tensor {
    const [k, , outputs] = this.weight.shape, shape = [x.shape[0], k, k, outputs];
    const weight = scale(this.weight, this.#scale);
    return add(conv2dInput(x, weight, shape, { stride: 1, padding: 0 }), this.bias);
  }
}
