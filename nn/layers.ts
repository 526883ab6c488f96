/**
 * Layers, with PyTorch's names for options and tensors. Pictures are `[N, H, W, C]`.
 *
 * @module
 */
import { batchNorm } from "../kernels/batch_norm.ts";
import { conv2d, conv2dInput, type Geometry } from "../kernels/conv2d.ts";
import { add, leakyRelu } from "../kernels/elementwise.ts";
import { matmul } from "../kernels/matmul.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { constantInit, type Init, parameter } from "./init.ts";
import { Module } from "./module.ts";

/** `y = x W^T + b`, `[N, inputs] -> [N, outputs]`; the weight is `[outputs, inputs]`. */
export class Linear extends Module {
  readonly weight: Tensor;
  readonly bias?: Tensor;

  constructor(inputs: number, outputs: number, init: Init, { bias = true } = {}) {
    super();
    this.weight = parameter([outputs, inputs], init, inputs);
    if (bias) this.bias = parameter([outputs], init, inputs);
  }

  override forward(x: Tensor): Tensor {
    const y = matmul(x, this.weight, { b: true });
    return this.bias ? add(y, this.bias) : y;
  }
}

/** What a convolution is made of. */
export interface ConvOptions {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly bias?: boolean;
}

/** A convolution; the weight is `[k, k, in, out]` here and `[out, in, k, k]` in checkpoints. */
export class Conv2d extends Module {
  readonly weight: Tensor;
  readonly bias?: Tensor;
  readonly #geometry: Geometry;

  constructor(
    inputs: number,
    outputs: number,
    { kernel, stride, padding, bias = true }: ConvOptions,
    init: Init,
  ) {
    super();
    const fanIn = inputs * kernel ** 2;
    this.weight = parameter([kernel, kernel, inputs, outputs], init, fanIn);
    if (bias) this.bias = parameter([outputs], init, fanIn);
    this.#geometry = { stride, padding };
  }

  override forward(x: Tensor): Tensor {
    const y = conv2d(x, this.weight, this.#geometry);
    return this.bias ? add(y, this.bias) : y;
  }
}

/**
 * A transposed convolution, `[N, H, W, in] -> [N, (H - 1) stride - 2 padding + kernel, ..., out]`;
 * the weight is `[k, k, out, in]` here and `[in, out, k, k]` in checkpoints.
 */
export class ConvTranspose2d extends Module {
  readonly weight: Tensor;
  readonly bias?: Tensor;
  readonly #geometry: Geometry;

  constructor(
    inputs: number,
    outputs: number,
    { kernel, stride, padding, bias = true }: ConvOptions,
    init: Init,
  ) {
    super();
    // PyTorch counts the fan-in of a transposed convolution by its outputs.
    const fanIn = outputs * kernel ** 2;
    this.weight = parameter([kernel, kernel, outputs, inputs], init, fanIn);
    if (bias) this.bias = parameter([outputs], init, fanIn);
    this.#geometry = { stride, padding };
  }

  override forward(x: Tensor): Tensor {
    const [N, H, W] = x.shape, [k, , outputs] = this.weight.shape;
    const { stride, padding } = this.#geometry;
    const along = (size: number) => (size - 1) * stride - 2 * padding + k;
    const shape = [N, along(H), along(W), outputs];
    const y = conv2dInput(x, this.weight, shape, this.#geometry);
    return this.bias ? add(y, this.bias) : y;
  }
}

/** Batch normalisation over all but the last axis, with the (leaky) ReLU behind it, if any. */
export class BatchNorm2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly running_mean: Tensor;
  readonly running_var: Tensor;
  readonly #options: { eps: number; momentum: number; slope: number };

  /**
   * @param options.slope Of the leaky ReLU: 0 for a ReLU, 1 (the default) for none.
   */
  constructor(
    channels: number,
    init: Init = constantInit(1),
    { eps = 1e-5, momentum = 0.1, slope = 1 } = {},
  ) {
    super();
    this.weight = parameter([channels], init);
    this.bias = parameter([channels], constantInit(0));
    this.running_mean = tensor(new Float32Array(channels), [channels]);
    this.running_var = tensor(new Float32Array(channels).fill(1), [channels]);
    this.#options = { eps, momentum, slope };
  }

  override forward(x: Tensor, training: boolean): Tensor {
    return batchNorm(x, this, { training, ...this.#options });
  }
}

/** Applies a function that has no state. */
export class Activation extends Module {
  readonly #f: (x: Tensor) => Tensor;

  constructor(f: (x: Tensor) => Tensor) {
    super();
    this.#f = f;
  }

  override forward(x: Tensor): Tensor {
    return this.#f(x);
  }
}

/** A leaky ReLU as a layer. */
export class LeakyReLU extends Activation {
  constructor(slope = 0.2) {
    super((x) => leakyRelu(x, slope));
  }
}

/** Layers one after another; their paths are `0`, `1`, ... */
export class Sequential extends Module {
  readonly [index: number]: Module;

  constructor(...layers: Module[]) {
    super();
    Object.assign(this, layers);
  }

  override forward(x: Tensor, training: boolean): Tensor {
    return Object.values(this).reduce((h, layer) => layer.forward(h, training), x);
  }
}
