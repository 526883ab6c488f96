import type { Precision } from "../kernels/precision.ts";
import type { RandomKey } from "../kernels/random.ts";
import { add, mul } from "../kernels/elementwise.ts";
import { sum } from "../kernels/reduce.ts";
import { concat, slice, split } from "../kernels/slice.ts";
import { reshape } from "../tensor/op.ts";
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
  /** The images' classes, `[N, C]`: 1 in the column of an image's class, 0 elsewhere. */
  readonly classes?: Tensor;
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
 * The logits `[N]` of a discriminator that is told classes (Miyato and Koyama 2018, equation 3): of its
 * outputs `[N, ..., 1 + C]` the first, plus that of the image's class. Without classes the first alone.
 *
 * @see https://arxiv.org/abs/1802.05637
 */
export function logitsOf(outputs: Tensor, { classes }: Context): Tensor {
  const N = outputs.shape[0], C = outputs.size / N - 1;
  if (C === 0) return reshape(outputs, [N]);
  const all = reshape(outputs, [N, 1 + C]), first = reshape(slice(all, 1, 0, 1), [N]);
  return classes ? add(first, sum(mul(slice(all, 1, 1, C), classes), [1])) : first;
}

/**
 * What `pass` makes of batches of one size and the same classes, each as if it had been given alone, one after the other; with
 * fewer and larger products and convolutions.
 */
export function together(
  pass: (x: Tensor, context: Context) => Tensor,
  xs: readonly Tensor[],
  context: Context,
): Tensor[] {
  const { classes } = context, batches = xs.length;
  const all = classes && { classes: concat(xs.map(() => classes), 0) };
  return split(batches, pass(concat(xs, 0), { ...context, ...all, batches }));
}
