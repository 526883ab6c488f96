import { concat, split } from "../kernels/slice.ts";
import type { RandomKey } from "../kernels/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Module } from "./module.ts";

/** What a pass through a network is told beside its input. */
export interface Context {
  /** Whether batch statistics are used and moved, and dropout drops. */
  readonly training: boolean;
  /**
   * Of how many batches of one size, one after another, the input consists; 1 if left out. A layer that
   * looks across the images of a batch sees each on its own.
   */
  readonly batches?: number;
  /** The random numbers of dropout, which needs them in training. */
  readonly random?: RandomStreams | undefined;
}

/** Random streams for the layers of a network: one step's. */
export class RandomStreams {
  readonly #draws = new Map<Module, { first: number; count: number }>();

  /** The first layer to ask draws from the stream of `key`, each other from 1000 streams after. */
  constructor(readonly key: RandomKey) {}

  /** A stream that no other layer, and no other pass through this one, was given. */
  next(layer: Module): RandomKey {
    const known = this.#draws.get(layer) ?? { first: 1000 * this.#draws.size, count: 0 };
    this.#draws.set(layer, known);
    return { ...this.key, stream: this.key.stream + known.first + known.count++ };
  }
}

/**
 * What a network makes of batches of one size, each as if it had been given alone, one after the other;
 * with fewer and larger products and convolutions.
 */
export function together(net: Module, xs: readonly Tensor[], context: Context): Tensor[] {
  return split(xs.length, net.forward(concat(xs, 0), { ...context, batches: xs.length }));
}
