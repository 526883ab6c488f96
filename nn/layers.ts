/**
 * Layers, with PyTorch's names for options and tensors. Images are `[N, H, W, C]`.
 *
 * @module
 */
import { batchNorm } from "../kernels/batch_norm.ts";
import { conv2d, conv2dInput } from "../kernels/conv2d.ts";
import type { Geometry } from "../kernels/conv2d_sizes.ts";
import { leakyRelu } from "../kernels/elementwise.ts";
import { matmul } from "../kernels/matmul.ts";
import { downConv2d, upConv2d } from "../kernels/resampled_conv.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { type Context, EVALUATION } from "./context.ts";
import { constantInit, type Init, parameter } from "./init.ts";
import { Module } from "./module.ts";
import { Weighted } from "./weighted.ts";

/** What holds for each layer with a weight. */
export interface LayerOptions {
  /** Whether something is added to each output, and what it begins as, if not as the weight. */
  readonly bias?: boolean | Init;
  /** Whether the weight is divided by its largest singular value; false if left out. */
  readonly spectral?: boolean;
  /**
   * What the weight is multiplied by each time it is used: with weights of variance 1 and
   * `gain / sqrt(fanIn)` the equalised learning rate (Karras et al. 2018, section 4.1).
   */
  readonly scale?: number;
  /** Of the leaky ReLU behind the layer: 0 for a ReLU, 1 (the default) for none. */
  readonly slope?: number;
}

/** `y = x W^T + b`, `[N, inputs] -> [N, outputs]`; the weight is `[outputs, inputs]`. */
export class Linear extends Weighted {
  /** `[outputs]`. */
  readonly bias?: Tensor;
  readonly #scale: number;
  readonly #slope: number;

  /**
   * Its first values come from `init`, with a fan-in of `inputs`.
   *
   * @param options.spectral Whether the weight is divided by its largest singular value.
   */
  constructor(
    inputs: number,
    outputs: number,
    init: Init,
    { bias = true, spectral = false, scale = 1, slope = 1 }: LayerOptions = {},
  ) {
    super({ shape: [outputs, inputs], axis: 0, fanIn: inputs, init, spectral });
    this.#scale = scale;
    if (bias) this.bias = parameter([outputs], bias === true ? init : bias, inputs);
    this.#slope = slope;
  }

  /** `[N, inputs]` to `[N, outputs]`. */
  override forward(x: Tensor, { precision }: Context = EVALUATION): Tensor {
    const epilogue = { bias: this.bias, slope: this.#slope };
    return matmul(x, this.used(), { b: true, scale: this.#scale, precision }, epilogue);
  }
}

/** The same padding along both axes, as layers have it. */
export interface LayerGeometry extends Geometry {
  /** Pixels of zeros round the image. */
  readonly padding: number;
}

/** What a convolution is made of. */
export interface ConvOptions extends LayerOptions {
  /** Side of the square kernel, in pixels. */
  readonly kernel: number;
  /** Pixels between two places of the kernel. */
  readonly stride: number;
  /** Zeros around the image, in pixels. */
  readonly padding: number;
  /** Into how many groups the channels of both sides fall, each seeing its own; 1 if left out. */
  readonly groups?: number;
}

/** A convolution that may change sides by 2 besides. */
export interface Conv2dOptions extends ConvOptions {
  /**
   * `up` repeats each pixel twice along both axes before the convolution, `down` takes means of 2x2 behind
   * it (which excludes a slope); only with a stride of 1 and without groups.
   */
  readonly resample?: "up" | "down" | undefined;
}

/**
 * A convolution; the weight is `[k, k, in / groups, out]` here and `[out, in / groups, k, k]` in
 * checkpoints.
 */
export class Conv2d extends Weighted {
  /** `[outputs]`. */
  readonly bias?: Tensor;
  readonly #geometry: LayerGeometry;
  readonly #slope: number;
  readonly #resample: "up" | "down" | undefined;

  /**
   * From `inputs` to `outputs` channels; the first values come from `init`.
   *
   * @throws {RangeError} If it changes sides with a stride, groups, or a slope before the means.
   */
  constructor(inputs: number, outputs: number, options: Conv2dOptions, init: Init) {
    const { kernel, stride, padding, bias = true, spectral = false, scale, slope = 1 } = options;
    const { groups = 1, resample } = options;
    if (resample && (stride !== 1 || groups !== 1 || (resample === "down" && slope !== 1))) {
      throw new RangeError(
        `Conv2d: resample "${resample}" got stride ${stride}, ${groups} groups and slope ${slope}, ` +
          "expected 1 of each (any slope with up)",
      );
    }
    const fanIn = inputs / groups * kernel ** 2;
    super({ shape: [kernel, kernel, inputs / groups, outputs], axis: 3, fanIn, init, spectral });
    if (bias) this.bias = parameter([outputs], bias === true ? init : bias, fanIn);
    this.#geometry = { stride, padding, scale, groups };
    this.#slope = slope;
    this.#resample = resample;
  }

  /** Stride, padding, what the weight is multiplied by, and the slope of the leaky ReLU behind it. */
  get geometry(): LayerGeometry & { readonly slope: number } {
    return { ...this.#geometry, slope: this.#slope };
  }

  /** `[N, H, W, inputs]` to `[N, (H + 2 padding - k) / stride + 1, ..., outputs]`, if sides do not change. */
  override forward(x: Tensor, { precision }: Context = EVALUATION): Tensor {
    const epilogue = { bias: this.bias, slope: this.#slope }, w = this.used();
    const { padding, scale } = this.#geometry, resampled = { padding, scale, precision };
    if (this.#resample === "up") return upConv2d(x, w, resampled, epilogue);
    if (this.#resample === "down") return downConv2d(x, w, resampled, this.bias);
    return conv2d(x, w, { ...this.#geometry, precision }, epilogue);
  }
}

/**
 * A transposed convolution, `[N, H, W, in] -> [N, (H - 1) stride - 2 padding + kernel, ..., out]`;
 * the weight is `[k, k, out / groups, in]` here and `[in, out / groups, k, k]` in checkpoints.
 */
export class ConvTranspose2d extends Weighted {
  /** `[outputs]`. */
  readonly bias?: Tensor;
  readonly #geometry: LayerGeometry;
  readonly #slope: number;

  /** From `inputs` to `outputs` channels; the first values come from `init`. */
  constructor(inputs: number, outputs: number, options: ConvOptions, init: Init) {
    const { kernel, stride, padding, bias = true, spectral = false, scale, slope = 1 } = options;
    // PyTorch counts the fan-in of a transposed convolution by its outputs.
    const { groups = 1 } = options, fanIn = outputs / groups * kernel ** 2;
    super({ shape: [kernel, kernel, outputs / groups, inputs], axis: 2, fanIn, init, spectral });
    if (bias) this.bias = parameter([outputs], bias === true ? init : bias, fanIn);
    this.#geometry = { stride, padding, scale, groups };
    this.#slope = slope;
  }

  /** Stride, padding, what the weight is multiplied by, and the slope of the leaky ReLU behind it. */
  get geometry(): LayerGeometry & { readonly slope: number } {
    return { ...this.#geometry, slope: this.#slope };
  }

  /** `[N, H, W, inputs]` to `[N, (H - 1) stride - 2 padding + k, ..., outputs]`. */
  override forward(x: Tensor, { precision }: Context = EVALUATION): Tensor {
    const weight = this.used();
    const [N, H, W] = x.shape, [k, , outputs] = weight.shape;
    const { stride, padding, groups = 1 } = this.#geometry;
    const along = (size: number) => (size - 1) * stride - 2 * padding + k;
    const shape = [N, along(H), along(W), groups * outputs];
    const epilogue = { bias: this.bias, slope: this.#slope };
    return conv2dInput(x, weight, shape, { ...this.#geometry, precision }, epilogue);
  }
}

/** Batch normalisation over all but the last axis, with the (leaky) ReLU behind it, if any. */
export class BatchNorm2d extends Module {
  /** gamma, `[channels]`. */
  readonly weight: Tensor;
  /** beta, `[channels]`. */
  readonly bias: Tensor;
  /** Mean of a channel, `[channels]`, used outside of training. */
  readonly running_mean: Tensor;
  /** Variance of a channel, `[channels]`, used outside of training. */
  readonly running_var: Tensor;
  readonly #options: { eps: number; momentum: number; slope: number };

  /**
   * `weight` begins as `init` says.
   *
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

  /** What is added to variances, and the slope of the leaky ReLU behind it. */
  get constants(): { readonly eps: number; readonly slope: number } {
    return this.#options;
  }

  /** `[..., channels]`, of the same shape. */
  override forward(x: Tensor, { training, batches }: Context): Tensor {
    return batchNorm(x, this, { training, ...this.#options }, batches);
  }
}

/** Applies a function that has no state. */
export class Activation extends Module {
  readonly #f: (x: Tensor) => Tensor;

  /** Applies `f`. */
  constructor(f: (x: Tensor) => Tensor) {
    super();
    this.#f = f;
  }

  /** What `f` makes of the input. */
  override forward(x: Tensor): Tensor {
    return this.#f(x);
  }
}

/** A leaky ReLU as a layer. */
export class LeakyReLU extends Activation {
  /** `slope` is for negative inputs. */
  constructor(slope = 0.2) {
    super((x) => leakyRelu(x, slope));
  }
}

/** Layers one after another; their paths are `0`, `1`, ... */
export class Sequential extends Module {
  /** The layers, in order. */
  readonly [index: number]: Module;

  /** Takes the layers in the order in which they are applied. */
  constructor(...layers: Module[]) {
    super();
    Object.assign(this, layers);
  }

  /** From the first layer to the last. */
  override forward(x: Tensor, context: Context): Tensor {
    return Object.values(this).reduce((h, layer) => layer.forward(h, context), x);
  }
}
