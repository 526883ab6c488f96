import { part, release } from "../gpu/memory.ts";
import { effect } from "../gpu/record.ts";
import { adamStep } from "../kernels/adam.ts";
import { Tensor } from "../tensor/tensor.ts";
import { changed, type Flat, flatten, layOut } from "./flat.ts";
import type { GradScaler } from "./grad_scaler.ts";

/** As PyTorch names them. */
export interface AdamOptions {
  /** Learning rate. */
  readonly lr: number;
  /** Decays of the mean gradient and of the mean square. */
  readonly betas: readonly [number, number];
  /** Added to the root of the mean square; 1e-8 if left out. */
  readonly eps?: number;
  /** Set where gradients are those of a loss times its `scale`. */
  readonly scaler?: GradScaler;
}

/**
 * Adam with bias correction, `eps` outside the root as in PyTorch. Parameters are updated in place.
 *
 * @see Kingma & Ba 2015, algorithm 1
 */
export class Adam {
  /** Steps so far, with those that a scaler left out. */
  steps = 0;
  /** Moments by the parameters' order; they are views of two long buffers. */
  readonly moments: readonly { m: Tensor; v: Tensor }[];
  readonly #flat: Flat;
  readonly #m: Flat;
  readonly #v: Flat;

  /** Moves `params`, which are trained, into one long buffer. */
  constructor(readonly params: readonly Tensor[], readonly options: AdamOptions) {
    this.#flat = flatten(params);
    this.#m = zeros(params);
    this.#v = zeros(params);
    this.moments = params.map((_, i) => ({ m: this.#m.tensors[i], v: this.#v.tensors[i] }));
  }

  /**
   * Makes one step.
   *
   * @param grads In the order of the parameters.
   * @param lr Instead of the one given at first, for a schedule.
   */
  step(grads: readonly Tensor[], lr: number = this.options.lr): void {
    const { betas, eps = 1e-8, scaler } = this.options, [beta1, beta2] = betas;
    effect(() => this.steps++);
    scaler?.settle(grads, betas);
    // In double precision: float32's pow is 6e-4 off after 10,000 steps.
    const step = scaler ? lr : () => lr / (1 - beta1 ** this.steps);
    const c2 = () => 1 - beta2 ** this.steps;
    const state = { param: this.#flat.whole, m: this.#m.whole, v: this.#v.whole };
    adamStep(state, grads, this.#flat.offsets, { step, beta1, beta2, eps, c2 }, scaler?.state);
    for (const flat of [this.#flat, this.#m, this.#v]) changed(flat);
  }

  /** Gives the memory of the moments back, and of the scaler. */
  free(): void {
    this.options.scaler?.free();
    for (const { whole } of [this.#m, this.#v]) release(whole);
  }
}

function zeros(params: readonly Tensor[]): Flat {
  const { whole, offsets } = layOut(params);
  const tensors = params.map(({ shape, size }, i) =>
    new Tensor(shape, part(whole, offsets[i], 4 * size))
  );
  for (const t of tensors) t.write(new Float32Array(t.size));
  return { tensors, whole, offsets };
}
