import { part, release } from "../gpu/memory.ts";
import type { Live } from "../gpu/record.ts";
import { SCALING, settle } from "../kernels/grad_scaler.ts";
import { Tensor, tensor } from "../tensor/tensor.ts";

/** As PyTorch's GradScaler names them, with its defaults. */
export interface GradScalerOptions {
  /** The first scale; 65536 if left out. A power of two, so that scaling does not round. */
  readonly initScale?: number;
  /** By which the scale grows; 2. */
  readonly growthFactor?: number;
  /** By which it shrinks after an overflow; 0.5. */
  readonly backoffFactor?: number;
  /** Steps without an overflow from one growth to the next; 2000. */
  readonly growthInterval?: number;
}

// Gradients that vanish in f16 at this scale are below 4e-15; beyond it, only those that are 0.
const MOST = 2 ** 24;
// Below this it is not the scale why gradients are not finite: 27 halvings of the first one.
const LEAST = 2 ** -10;

/**
 * Dynamic loss scaling for one optimiser whose gradients pass through half precision: the loss is
 * multiplied by `scale` before it is differentiated, so that small gradients do not vanish, and the
 * optimiser divides by it. If a gradient is infinite or NaN, the step is left out and the scale is
 * halved; after many steps without that it is doubled.
 *
 * All of it is decided on the device, for which the host never waits.
 *
 * @see Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740, section 3.2
 */
export class GradScaler {
  /** What a checkpoint keeps, `[5]`: kernels/grad_scaler.wgsl names the numbers. */
  readonly state: Tensor;
  /** What to begin the backward pass with in place of 1, `[]`. */
  readonly scale: Tensor;
  /**
   * What Adam stops by, `[2]` as bits: set once the scale falls below 2^-10, as no scale is small enough; set
   * once a weight or a moment is not finite.
   */
  readonly flags: Tensor = tensor([0, 0], [2]);
  readonly #bad: Tensor = tensor([0], [1]);
  readonly #options: Required<GradScalerOptions>;

  /**
   * Takes its memory outside of any scope.
   *
   * @param options What differs from PyTorch's defaults.
   */
  constructor(options: GradScalerOptions = {}) {
    this.#options = {
      initScale: 65_536,
      growthFactor: 2,
      backoffFactor: 0.5,
      growthInterval: 2000,
      ...options,
    };
    this.state = tensor([this.#options.initScale, 0, 1, 1, 0], [SCALING]);
    this.scale = new Tensor([], part(this.state.storage, 0, 4));
  }

  /**
   * Takes the gradients of a scaled loss, all in one tensor: decides whether they are used, and the next scale.
   *
   * @param betas The optimiser's, whose powers count steps that were made.
   */
  settle(gradients: Tensor, [beta1, beta2]: readonly [Live<number>, Live<number>]): void {
    const { growthFactor: growth, backoffFactor: backoff, growthInterval: interval } =
      this.#options;
    const how = { growth, backoff, least: LEAST, most: MOST, interval, beta1, beta2 };
    settle(gradients, { state: this.state, bad: this.#bad, flags: this.flags }, how);
  }

  /** The scale as it is now, and the steps since it changed; it waits for the device. */
  async read(): Promise<{ scale: number; good: number }> {
    const [scale, good] = await this.state.read();
    return { scale, good };
  }

  /** Gives its memory back. */
  free(): void {
    for (const { storage } of [this.state, this.flags, this.#bad]) release(storage);
  }
}
