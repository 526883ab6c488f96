/**
 * Augmentation: what D sees of real and fake images is changed at random, in D's step and in G's, so
 * that it cannot learn few images by heart. All changes have gradients, as in DiffAugment. Each may be
 * made with a probability, fixed or adaptive (ADA).
 *
 * @see Zhao et al. 2020, https://arxiv.org/abs/2006.10738, and the authors' code
 * @see Karras et al. 2020, https://arxiv.org/abs/2006.06676
 * @module
 */
import { copy } from "../gpu/copy.ts";
import { color } from "../kernels/color.ts";
import {
  add,
  affine,
  clamp,
  full,
  leakyGate,
  mul,
  scale,
  sign,
  sub,
} from "../kernels/elementwise.ts";
import { type RandomKey, uniform } from "../kernels/random.ts";
import { mean } from "../kernels/reduce.ts";
import { translate } from "../kernels/translate.ts";
import { noGrad } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The changes as `--augment` calls them, in the order in which they are made. */
export const augmentations: readonly string[] = ["color", "translation", "cutout"];

/**
 * Changes each image at random: its colors; its place, by up to an eighth of its side; and a square of
 * half its side becomes 0.
 *
 * @param x `[N, R, R, C]` in [-1, 1]; R is a multiple of 4.
 * @param names Which changes, in any order.
 * @param key The random numbers of colors; those of places take the stream after, those of
 *   probabilities the ones after that.
 * @param strength The probability of each change, or a tensor `[1]` of it.
 */
export function augment(
  x: Tensor,
  names: readonly string[],
  key: RandomKey,
  strength: number | Tensor = 1,
): Tensor {
  if (strength !== 1) {
    for (const [i, name] of augmentations.entries()) {
      if (!names.includes(name)) continue;
      const coin = uniform([x.shape[0], 1, 1, 1], { ...key, stream: key.stream + 2 + i });
      x = chosen(augment(x, [name], key), x, coin, strength);
    }
    return x;
  }
  const [N, R] = x.shape;
  const draw = (i: number) => uniform([N, 4], { ...key, stream: key.stream + i });
  const share = (name: string, part: number) =>
    names.includes(name) ? Math.floor(part * R + 0.5) : 0;
  if (names.includes("color")) x = color(x, draw(0));
  const most = share("translation", 1 / 8), side = share("cutout", 1 / 2);
  return most || side ? translate(x, draw(1), { most, side }) : x;
}

/** Images of `a` where the coin `[N, 1, 1, 1]` is below the probability, else those of `b`. */
function chosen(a: Tensor, b: Tensor, coin: Tensor, probability: number | Tensor): Tensor {
  const isA = leakyGate(sub(probability, coin), full(coin.shape, 1), 0);
  return add(mul(a, isA), mul(b, affine(isA, -1, 1)));
}

/** How to adapt the probability of changes. */
export interface Adaptation {
  /** What the mean sign of D's logits of real images is held at: 0.6 in the paper. */
  readonly target: number;
  /** Thousands of images in which the probability can go from 0 to 1. */
  readonly kimg: number;
  /** The largest probability. */
  readonly most: number;
}

/**
 * Adapts a probability `[1]` to D's logits `[N]` of real images: where D is sure of too many, it has begun
 * to learn them by heart, and the probability rises. It stays on the device: nothing waits for it.
 *
 * @see Karras et al. 2020, https://arxiv.org/abs/2006.06676, equation 1 and section 3.1
 */
export function adapt(
  probability: Tensor,
  onReal: Tensor,
  { target, kimg, most }: Adaptation,
): void {
  noGrad(() => {
    const side = sign(affine(mean(sign(onReal)), 1, -target));
    const moved = add(probability, scale(side, onReal.size / (1000 * kimg)));
    copy(clamp(moved, 0, most).storage, probability.storage, 4);
  });
}
