import { attention, attentionMap } from "../kernels/attention.ts";
import { add, mul } from "../kernels/elementwise.ts";
import { maxPool } from "../kernels/pool.ts";
import { reshape } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { constantInit, type Init, parameter } from "./init.ts";
import { Conv2d } from "./layers.ts";
import { Module } from "./module.ts";

/** What attention is made of. */
export interface SelfAttentionOptions {
  /** Queries and keys have the map's channels over this: 8 in the paper. */
  readonly reduction: number;
  /** Values have the map's channels over this: 2 in the paper, with a convolution back; 1 for none. */
  readonly valueReduction: number;
  /** Whether keys and values are the maxima of 2x2 pixels. */
  readonly pool: boolean;
  /** Whether the weights are spectrally normalised. */
  readonly spectral: boolean;
}

/**
 * Self-attention over the pixels of a map: `y = x + gamma o`, where `o` at a pixel is a mean of values
 * of all pixels, weighted by the softmax of its query with their keys. `gamma` begins at 0.
 *
 * @see Zhang et al. 2019, https://arxiv.org/abs/1805.08318, section 3, and the authors' code
 */
export class SelfAttention extends Module {
  /** Makes keys, `[1, 1, channels, channels / reduction]`. */
  readonly f: Conv2d;
  /** Makes queries. */
  readonly g: Conv2d;
  /** Makes values. */
  readonly h: Conv2d;
  /** Makes maps of all channels from sums of values that have fewer. */
  readonly v?: Conv2d;
  /** How much attention counts, `[1]`. */
  readonly gamma: Tensor;
  readonly #pool: boolean;

  /** Over maps of `channels`; the convolutions have no biases and begin as `init` says. */
  constructor(
    channels: number,
    { reduction, valueReduction, pool, spectral }: SelfAttentionOptions,
    init: Init,
  ) {
    super();
    const d = Math.max(1, Math.floor(channels / reduction));
    const e = Math.max(1, Math.floor(channels / valueReduction));
    const kind = { kernel: 1, stride: 1, padding: 0, bias: false, spectral } as const;
    this.f = new Conv2d(channels, d, kind, init);
    this.g = new Conv2d(channels, d, kind, init);
    this.h = new Conv2d(channels, e, kind, init);
    if (e !== channels) this.v = new Conv2d(e, channels, kind, init);
    this.gamma = parameter([1], constantInit(0));
    this.#pool = pool;
  }

  /** Whether keys and values are the maxima of 2x2 pixels. */
  get pooled(): boolean {
    return this.#pool;
  }

  /** `[N, H, W, channels]`, of the same shape. */
  override forward(x: Tensor): Tensor {
    const [N, H, W] = x.shape, values = rows(this.#seen(this.h.forward(x)));
    const sums = attention(rows(this.g.forward(x)), this.#keys(x), values);
    const o = reshape(sums, [N, H, W, sums.shape[2]]);
    return add(mul(this.v?.forward(o) ?? o, this.gamma), x);
  }

  /**
   * How much each pixel looks at each (pooled) pixel, `[N, H W, J]`; it holds the whole map.
   *
   * @param x `[N, H, W, channels]`.
   */
  map(x: Tensor): Tensor {
    return attentionMap(rows(this.g.forward(x)), this.#keys(x));
  }

  #keys(x: Tensor): Tensor {
    return rows(this.#seen(this.f.forward(x)));
  }

  #seen(x: Tensor): Tensor {
    return this.#pool ? maxPool(x, { kernel: 2, stride: 2, pad: 0 }) : x;
  }
}

/** `[N, H, W, C]` as `[N, H W, C]`. */
function rows(x: Tensor): Tensor {
  const [N, H, W, C] = x.shape;
  return reshape(x, [N, H * W, C]);
}
