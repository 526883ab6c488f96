/**
 * What Inception-v3 is built of, with torchvision's names.
 *
 * @module
 */
import { conv2d } from "../kernels/conv2d.ts";
import type { Geometry } from "../kernels/conv2d_sizes.ts";
import { add, relu } from "../kernels/elementwise.ts";
import { averagePool, maxPool } from "../kernels/pool.ts";
import { concat } from "../kernels/slice.ts";
import { Module } from "../nn/module.ts";
import { consuming, scoped, type Tensor } from "../tensor/tensor.ts";

/** A convolution with its batch norm folded in, and a ReLU. */
export interface ConvWeights {
  /** `[kh, kw, C, O]`. */
  readonly weight: Tensor;
  /** `[O]`. */
  readonly bias: Tensor;
}

/** What to draw a block from: paths are below the block's. */
export type Draw = (name: string, kh: number, kw: number, options?: Placement) => Conv;

/** How a convolution lies in its image. */
export interface Placement {
  /** Pixels from one window to the next; 1 if left out. */
  readonly stride?: number;
  /** Whether zeros keep the size; true if left out. */
  readonly same?: boolean;
}

/** A convolution with a ReLU. */
export class Conv extends Module {
  readonly conv: ConvWeights;
  readonly #stride: number;
  readonly #same: boolean;

  constructor(conv: ConvWeights, { stride = 1, same = true }: Placement = {}) {
    super();
    this.conv = conv;
    this.#stride = stride;
    this.#same = same;
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias } = this.conv;
    return conv2d(x, weight, this.#geometry(), { bias, slope: 0 });
  }

  /**
   * Of the mean of 3x3 pixels, of those inside of the image. A 1x1 convolution of means is the mean of
   * convolutions, and these have fewer channels.
   */
  ofMeans(x: Tensor): Tensor {
    const { weight, bias } = this.conv, windows = { kernel: 3, stride: 1, pad: 1 };
    return scoped(() => {
      const y = conv2d(x, weight, this.#geometry());
      return relu(add(averagePool(y, { ...windows, countPadding: false }), bias));
    });
  }

  #geometry(): Geometry {
    const [kh, kw] = this.conv.weight.shape, stride = this.#stride;
    return { stride, padding: this.#same ? [(kh - 1) / 2, (kw - 1) / 2] : 0 };
  }
}

/** Convolutions one after another. */
function chain(x: Tensor, ...convs: Conv[]): Tensor {
  return scoped(() => convs.reduce((h, conv) => consuming([h], () => conv.forward(h)), x));
}

function concatChannels(...xs: Tensor[]): Tensor {
  return concat(xs, 3);
}

/** Halves the sides, and so does each block that ends in `a`. */
export function maxHalf(x: Tensor): Tensor {
  return maxPool(x, { kernel: 3, stride: 2, pad: 0 });
}

/** Halves the sides without a frame of zeros. */
export const HALVE: Placement = { stride: 2, same: false };

/** 35x35: 1x1, 5x5, two 3x3, pool. */
export class BlockA extends Module {
  readonly branch1x1: Conv;
  readonly branch5x5_1: Conv;
  readonly branch5x5_2: Conv;
  readonly branch3x3dbl_1: Conv;
  readonly branch3x3dbl_2: Conv;
  readonly branch3x3dbl_3: Conv;
  readonly branch_pool: Conv;

  constructor(draw: Draw) {
    super();
    this.branch1x1 = draw("branch1x1", 1, 1);
    this.branch5x5_1 = draw("branch5x5_1", 1, 1);
    this.branch5x5_2 = draw("branch5x5_2", 5, 5);
    this.branch3x3dbl_1 = draw("branch3x3dbl_1", 1, 1);
    this.branch3x3dbl_2 = draw("branch3x3dbl_2", 3, 3);
    this.branch3x3dbl_3 = draw("branch3x3dbl_3", 3, 3);
    this.branch_pool = draw("branch_pool", 1, 1);
  }

  override forward(x: Tensor): Tensor {
    return concatChannels(
      chain(x, this.branch1x1),
      chain(x, this.branch5x5_1, this.branch5x5_2),
      chain(x, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3),
      this.branch_pool.ofMeans(x),
    );
  }
}

/** 35x35 to 17x17. */
export class BlockB extends Module {
  readonly branch3x3: Conv;
  readonly branch3x3dbl_1: Conv;
  readonly branch3x3dbl_2: Conv;
  readonly branch3x3dbl_3: Conv;

  constructor(draw: Draw) {
    super();
    this.branch3x3 = draw("branch3x3", 3, 3, HALVE);
    this.branch3x3dbl_1 = draw("branch3x3dbl_1", 1, 1);
    this.branch3x3dbl_2 = draw("branch3x3dbl_2", 3, 3);
    this.branch3x3dbl_3 = draw("branch3x3dbl_3", 3, 3, HALVE);
  }

  override forward(x: Tensor): Tensor {
    return concatChannels(
      chain(x, this.branch3x3),
      chain(x, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3),
      maxHalf(x),
    );
  }
}

/** 17x17: 1x1, 7x7 in two parts, twice that, pool. */
export class BlockC extends Module {
  readonly branch1x1: Conv;
  readonly branch7x7_1: Conv;
  readonly branch7x7_2: Conv;
  readonly branch7x7_3: Conv;
  readonly branch7x7dbl_1: Conv;
  readonly branch7x7dbl_2: Conv;
  readonly branch7x7dbl_3: Conv;
  readonly branch7x7dbl_4: Conv;
  readonly branch7x7dbl_5: Conv;
  readonly branch_pool: Conv;

  constructor(draw: Draw) {
    super();
    this.branch1x1 = draw("branch1x1", 1, 1);
    this.branch7x7_1 = draw("branch7x7_1", 1, 1);
    this.branch7x7_2 = draw("branch7x7_2", 1, 7);
    this.branch7x7_3 = draw("branch7x7_3", 7, 1);
    this.branch7x7dbl_1 = draw("branch7x7dbl_1", 1, 1);
    this.branch7x7dbl_2 = draw("branch7x7dbl_2", 7, 1);
    this.branch7x7dbl_3 = draw("branch7x7dbl_3", 1, 7);
    this.branch7x7dbl_4 = draw("branch7x7dbl_4", 7, 1);
    this.branch7x7dbl_5 = draw("branch7x7dbl_5", 1, 7);
    this.branch_pool = draw("branch_pool", 1, 1);
  }

  override forward(x: Tensor): Tensor {
    return concatChannels(
      chain(x, this.branch1x1),
      chain(x, this.branch7x7_1, this.branch7x7_2, this.branch7x7_3),
      chain(
        x,
        this.branch7x7dbl_1,
        this.branch7x7dbl_2,
        this.branch7x7dbl_3,
        this.branch7x7dbl_4,
        this.branch7x7dbl_5,
      ),
      this.branch_pool.ofMeans(x),
    );
  }
}

/** 17x17 to 8x8. */
export class BlockD extends Module {
  readonly branch3x3_1: Conv;
  readonly branch3x3_2: Conv;
  readonly branch7x7x3_1: Conv;
  readonly branch7x7x3_2: Conv;
  readonly branch7x7x3_3: Conv;
  readonly branch7x7x3_4: Conv;

  constructor(draw: Draw) {
    super();
    this.branch3x3_1 = draw("branch3x3_1", 1, 1);
    this.branch3x3_2 = draw("branch3x3_2", 3, 3, HALVE);
    this.branch7x7x3_1 = draw("branch7x7x3_1", 1, 1);
    this.branch7x7x3_2 = draw("branch7x7x3_2", 1, 7);
    this.branch7x7x3_3 = draw("branch7x7x3_3", 7, 1);
    this.branch7x7x3_4 = draw("branch7x7x3_4", 3, 3, HALVE);
  }

  override forward(x: Tensor): Tensor {
    return concatChannels(
      chain(x, this.branch3x3_1, this.branch3x3_2),
      chain(x, this.branch7x7x3_1, this.branch7x7x3_2, this.branch7x7x3_3, this.branch7x7x3_4),
      maxHalf(x),
    );
  }
}

/** 8x8: 1x1, 3x3 in two halves side by side, after a 3x3 the same, pool. */
export class BlockE extends Module {
  readonly branch1x1: Conv;
  readonly branch3x3_1: Conv;
  readonly branch3x3_2a: Conv;
  readonly branch3x3_2b: Conv;
  readonly branch3x3dbl_1: Conv;
  readonly branch3x3dbl_2: Conv;
  readonly branch3x3dbl_3a: Conv;
  readonly branch3x3dbl_3b: Conv;
  readonly branch_pool: Conv;
  readonly #pool: "average" | "maximum";

  /** The first of the two has an average pool, the second a maximum pool. */
  constructor(draw: Draw, pool: "average" | "maximum") {
    super();
    this.branch1x1 = draw("branch1x1", 1, 1);
    this.branch3x3_1 = draw("branch3x3_1", 1, 1);
    this.branch3x3_2a = draw("branch3x3_2a", 1, 3);
    this.branch3x3_2b = draw("branch3x3_2b", 3, 1);
    this.branch3x3dbl_1 = draw("branch3x3dbl_1", 1, 1);
    this.branch3x3dbl_2 = draw("branch3x3dbl_2", 3, 3);
    this.branch3x3dbl_3a = draw("branch3x3dbl_3a", 1, 3);
    this.branch3x3dbl_3b = draw("branch3x3dbl_3b", 3, 1);
    this.branch_pool = draw("branch_pool", 1, 1);
    this.#pool = pool;
  }

  override forward(x: Tensor): Tensor {
    const half = this.branch3x3_1.forward(x);
    const dbl = chain(x, this.branch3x3dbl_1, this.branch3x3dbl_2);
    return concatChannels(
      chain(x, this.branch1x1),
      chain(half, this.branch3x3_2a),
      chain(half, this.branch3x3_2b),
      chain(dbl, this.branch3x3dbl_3a),
      chain(dbl, this.branch3x3dbl_3b),
      this.#pool === "average"
        ? this.branch_pool.ofMeans(x)
        : chain(maxPool(x, { kernel: 3, stride: 1, pad: 1 }), this.branch_pool),
    );
  }
}
