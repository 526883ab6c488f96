/**
 * DiffAugment: what D sees of real and fake pictures is changed at random, in D's step and in G's, so
 * that it cannot learn few pictures by heart. All changes have gradients.
 *
 * @see Zhao et al. 2020, https://arxiv.org/abs/2006.10738, and the authors' code
 * @module
 */
import { add, affine, mul, sub } from "../kernels/elementwise.ts";
import { type RandomKey, uniform } from "../kernels/random.ts";
import { mean } from "../kernels/reduce.ts";
import { cutOut, translate } from "../kernels/translate.ts";
import { reshape } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** One kind of change; `draw` gives uniform numbers in [0, 1), `[N, columns]`. */
type Change = (x: Tensor, draw: (columns: number) => Tensor) => Tensor;

/** Brightness by -0.5 to 0.5, saturation times 0 to 2, contrast times 0.5 to 1.5. */
function color(x: Tensor, draw: (columns: number) => Tensor): Tensor {
  const [N, H, W] = x.shape;
  const number = (k: number, l: number) => reshape(affine(draw(1), k, l), [N, 1, 1, 1]);
  const about = (x: Tensor, centre: Tensor, factor: Tensor) =>
    add(mul(sub(x, centre), factor), centre);
  x = add(x, number(1, -0.5));
  x = about(x, reshape(mean(x, [3]), [N, H, W, 1]), number(2, 0));
  return about(x, reshape(mean(x, [1, 2, 3]), [N, 1, 1, 1]), number(1, 0.5));
}

/** By up to an eighth of the side, to the nearest pixel. */
function translation(x: Tensor, draw: (columns: number) => Tensor): Tensor {
  return translate(x, draw(2), Math.floor(x.shape[1] / 8 + 0.5));
}

/** A square of half the side. */
function cutout(x: Tensor, draw: (columns: number) => Tensor): Tensor {
  return cutOut(x, draw(2), Math.floor(x.shape[1] / 2 + 0.5));
}

/** The changes by the names that `--augment` takes. */
export const augmentations: Readonly<Record<string, Change>> = { color, translation, cutout };

/**
 * Changes each picture at random.
 *
 * @param x `[N, H, W, C]` in [-1, 1].
 * @param names Of changes, in the order in which they are made.
 * @param key The random numbers of the first draw; each other takes the stream after.
 */
export function augment(x: Tensor, names: readonly string[], key: RandomKey): Tensor {
  let draws = 0;
  const draw = (columns: number) =>
    uniform([x.shape[0], columns], { ...key, stream: key.stream + draws++ });
  return names.reduce((seen, name) => augmentations[name](seen, draw), x);
}
