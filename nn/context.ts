import type { Precision } from "../kernels/precision.ts";
import type { RandomKey } from "../kernels/random.ts";
import { concat, split } from "../kernels/slice.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** All that a forward pass depends on beside its input and the weights. */
export interface Context {
  /** Whether batch statistics are used and running ones moved, and elements are dropped. */
  readonly training: boolean;
  /**
   * Of how many batches of one size the input consists, 1 if left out: a layer that looks across the
   * images of a batch sees each on its own.
   */
  readonly batches?: number;
  /** Of the operands of products and convolutions; `f32` if left out. Backward passes take the same. */
  readonly precision?: Precision;
  /** Random numbers; needed where elements are dropped. */
  readonly random?: RandomStreams;
}

/** A pass that trains, in f32. */
export const TRAINING: Context = { training: true };
/** A pass that does not train. */
export const EVALUATION: Context = { training: false };

/** Random numbers for the passes of one step: each pass through each layer has a stream of its own. */
export class RandomStreams {
  readonly #layers = new Map<object, { readonly first: number; draws: number }>();

  /** `key` is that of the first pass through the first layer; each layer has a thousand streams. */
  constructor(readonly key: RandomKey) {}

  /** The numbers for the next pass through `layer`. */
  next(layer: object): RandomKey {
    const known = this.#layers.get(layer) ?? { first: 1000 * this.#layers.size, draws: 0 };
    this.#layers.set(layer, known);
    return { ...this.key, stream: this.key.stream + known.first + known.draws++ };
  }
}

/**
 * What `pass` makes of batches of one size, each as if it had been given alone, one after the other; with
 * fewer and larger products and convolutions.
 */
export function together(
  pass: (x: Tensor, context: Context) => Tensor,
  xs: readonly Tensor[],
  context: Context,
): Tensor[] {
  return split(xs.length, pass(concat(xs, 0), { ...context, batches: xs.length }));
}
