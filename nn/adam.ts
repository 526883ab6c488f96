import { clear, copy } from "../gpu/copy.ts";
import { part, release, type Storage } from "../gpu/memory.ts";
import { read } from "../gpu/read.ts";
import { effect, type Live, now } from "../gpu/record.ts";
import { adamStep } from "../kernels/adam.ts";
import { noteNonFinite } from "../kernels/finite.ts";
import { Tensor, tensor } from "../tensor/tensor.ts";
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
  /** True to stop for good, on the device, at the first gradient that is not finite. */
  readonly guard?: boolean;
}

/**
 * Adam with bias correction, `eps` outside the root as in PyTorch. Parameters are updated in place.
 *
 * Parameters, gradients and moments lie end to end in a buffer each: one dispatch updates a network.
 *
 * @see Kingma & Ba 2015, algorithm 1
 */
export class Adam {
  /** Steps so far, with those that a scaler left out. */
  steps = 0;
  /** Moments in the parameters' order. */
  readonly moments: readonly { m: Tensor; v: Tensor }[];
  /** The gradients that were packed last, end to end, `[n]`, with zeros between them. */
  readonly gradients: Tensor;
  /** Their parts, in the parameters' order. */
  readonly parts: readonly Tensor[];
  readonly #params: Flat;
  readonly #g: Flat;
  readonly #m: Flat;
  readonly #v: Flat;
  readonly #overflow: Tensor | undefined;

  /** Moves `params`, which are trained, into one buffer. */
  constructor(readonly params: readonly Tensor[], readonly options: AdamOptions) {
    this.#params = flatten(params);
    [this.#g, this.#m, this.#v] = [zeros(params), zeros(params), zeros(params)];
    this.moments = params.map((_, i) => ({ m: this.#m.tensors[i], v: this.#v.tensors[i] }));
    this.gradients = new Tensor([this.#g.whole.size / 4], this.#g.whole);
    this.parts = this.#g.tensors;
    this.#overflow = options.scaler?.flags ?? (options.guard ? tensor([0, 0], [2]) : undefined);
  }

  /**
   * Copies gradients to {@linkcode gradients}, end to end.
   *
   * @param grads In the order of the parameters, of their shapes.
   * @throws {RangeError} If they are not as many as the parameters, and as large.
   */
  pack(grads: readonly Tensor[]): Tensor {
    const { tensors } = this.#g;
    if (grads.length !== tensors.length || grads.some((g, i) => g.size !== tensors[i].size)) {
      const shapes = (list: readonly Tensor[]) => list.map(({ shape }) => `[${shape}]`).join(" ");
      throw new RangeError(`Adam: got gradients ${shapes(grads)}, expected ${shapes(tensors)}`);
    }
    grads.forEach(({ storage, size }, i) => copy(storage, tensors[i].storage, 4 * size));
    return this.gradients;
  }

  /**
   * Makes one step.
   *
   * @param grads In the order of the parameters, or as {@linkcode pack} lays them out, `[n]`.
   * @param lr Instead of the one given at first, for a schedule; so is `beta2`.
   * @throws {RangeError} If they are not as many as the parameters.
   */
  step(
    grads: readonly Tensor[] | Tensor,
    lr: Live<number> = this.options.lr,
    beta2: Live<number> = this.options.betas[1],
  ): void {
    const packed = grads instanceof Tensor ? grads : this.pack(grads);
    if (packed.size !== this.gradients.size) {
      throw new RangeError(`Adam: got [${packed.shape}], expected [${this.gradients.shape}]`);
    }
    const { betas: [beta1], eps = 1e-8, scaler } = this.options;
    effect(() => this.steps++);
    scaler?.settle(packed, [beta1, beta2]);
    if (this.#overflow && !scaler) noteNonFinite(packed, this.#overflow.storage, 0);
    // In double precision: float32's pow is 6e-4 off after 10,000 steps.
    const step = scaler ? lr : () => now(lr) / (1 - beta1 ** this.steps);
    const c2 = () => 1 - now(beta2) ** this.steps;
    const [param, m, v] = [this.#params, this.#m, this.#v].map(({ whole }) => whole);
    adamStep(
      { param, g: packed.storage, m, v },
      { step, beta1, beta2, eps, c2 },
      scaler?.state,
      this.#overflow,
    );
    for (const flat of [this.#params, this.#m, this.#v]) changed(flat);
  }

  /**
   * With a guard or a scaler: whether a weight or a moment became NaN or infinite, or a gradient, with a scaler at
   * every scale. It waits for the device.
   *
   * @param by How two flags are read.
   */
  async hasOverflown(
    by: (from: Storage, bytes: number) => Promise<ArrayBuffer> = read,
  ): Promise<boolean> {
    return this.#overflow !== undefined &&
      new Uint32Array(await by(this.#overflow.storage, 8)).some((flag) => flag !== 0);
  }

  /** Gives the memory of gradients and moments back, and of the scaler. */
  free(): void {
    if (this.options.scaler) this.options.scaler.free();
    else if (this.#overflow) release(this.#overflow.storage);
    for (const { whole } of [this.#g, this.#m, this.#v]) release(whole);
  }
}

function zeros(params: readonly Tensor[]): Flat {
  const { whole, offsets } = layOut(params);
  clear(whole);
  const tensors = params.map(({ shape, size }, i) =>
    new Tensor(shape, part(whole, offsets[i], 4 * size))
  );
  return { tensors, whole, offsets };
}
