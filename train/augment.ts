/**
 * DiffAugment: what D sees of real and fake images is changed at random, in D's step and in G's, so
 * that it cannot learn few images by heart. All changes have gradients.
 *
 * @see Zhao et al. 2020, https://arxiv.org/abs/2006.10738, and the authors' code
 * @module
 */
import { color } from "../kernels/color.ts";
import { type RandomKey, uniform } from "../kernels/random.ts";
import { translate } from "../kernels/translate.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The changes as `--augment` calls them, in the order in which they are made. */
export const augmentations: readonly string[] = ["color", "translation", "cutout"];

/**
 * Changes each image at random: its colors; its place, by up to an eighth of its side; and a square of
 * half its side becomes 0.
 *
 * @param x `[N, R, R, 3]` in [-1, 1]; R is a multiple of 4.
 * @param names Which changes, in any order.
 * @param key The random numbers of colors; those of places take the stream after.
 */
export function augment(x: Tensor, names: readonly string[], key: RandomKey): Tensor {
  const [N, R] = x.shape;
  const draw = (i: number) => uniform([N, 4], { ...key, stream: key.stream + i });
  const share = (name: string, part: number) =>
    names.includes(name) ? Math.floor(part * R + 0.5) : 0;
  if (names.includes("color")) x = color(x, draw(0));
  const most = share("translation", 1 / 8), side = share("cutout", 1 / 2);
  return most || side ? translate(x, draw(1), { most, side }) : x;
}
