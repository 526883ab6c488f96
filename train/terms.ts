/**
 * What recipes add to the losses of D and G, one function each.
 *
 * @module
 */
import { type Live, now } from "../gpu/record.ts";
import { scale } from "../kernels/elementwise.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { driftPenalty, gradientPenalty, slopePenalty, weightPenalty } from "./penalties.ts";

/** What a term of D may look at. */
export interface Seen {
  /** Images to logits `[N]`, augmentation left out. */
  readonly D: (x: Tensor) => Tensor;
  /** Real images as D sees them, `[N, R, R, C]`. */
  readonly real: Tensor;
  /** Fake images as D sees them, of the same shape. */
  readonly fake: Tensor;
  /** D's logits of `real`. */
  readonly onReal: Tensor;
  /** Where between real and fake WGAN-GP looks, `[N]` in [0, 1]. */
  readonly mix?: Tensor;
}

/** A summand of D's loss or of G's. */
export type Term =
  /** Of the network's parameters. */
  | { readonly of: "parameters"; readonly value: (params: readonly Tensor[]) => Tensor | undefined }
  /** Of D's logits of real images. */
  | { readonly of: "reals"; readonly value: (seen: Seen) => Tensor }
  /** Of D's slope: every so many steps, for all of them. */
  | Slope
  /** Of a pass of its own. */
  | { readonly of: "own"; readonly value: (seen: Omit<Seen, "onReal">) => Tensor };

/** A term of D's slope. */
export interface Slope {
  /** What kind of term it is. */
  readonly of: "slope";
  /** At which images it is. They are in a pass of their own. */
  readonly at: "real" | "fake";
  /** D's steps from one with the term to the next. */
  readonly every: number;
  /** `logits` `[N]` are D's of augmented `images`, and the slope is at these as they were before. */
  readonly value: (logits: Tensor, images: Tensor) => Tensor;
}

/** The terms of both networks' losses, beside the adversarial ones. */
export interface Terms {
  /** Summands of D's loss. */
  readonly D: readonly Term[];
  /** Summands of G's loss. */
  readonly G: readonly Term[];
}

/**
 * `gamma / 2 E |dD(x)/dx|^2` at real images, before augmentation, as in StyleGAN2-ADA; lazily.
 *
 * @see Karras et al. 2020, https://arxiv.org/abs/1912.04958, section 3.1
 */
export function r1(gamma: Live<number>, every = 1): Term[] {
  return slope("real", gamma, every);
}

/**
 * The same at fake images, as in R3GAN.
 *
 * @see Mescheder et al. 2018, https://arxiv.org/abs/1801.04406, equation 10
 */
export function r2(gamma: Live<number>, every = 1): Term[] {
  return slope("fake", gamma, every);
}

function slope(at: Slope["at"], gamma: Live<number>, every: number): Term[] {
  const value = (logits: Tensor, images: Tensor) =>
    scale(slopePenalty(logits, images), () => now(gamma) * every / 2);
  return gamma === 0 ? [] : [{ of: "slope", at, every, value }];
}

/** `lambda` times {@linkcode gradientPenalty}. */
export function wganGp(lambda: number): Term[] {
  const value = ({ D, real, fake, mix }: Omit<Seen, "onReal">) =>
    scale(gradientPenalty(D, real, fake, mix!), lambda);
  return lambda > 0 ? [{ of: "own", value }] : [];
}

/** `epsilon E D(x)^2` at real images. */
export function drift(epsilon: number): Term[] {
  const value = ({ onReal }: Seen) => scale(driftPenalty(onReal), epsilon);
  return epsilon > 0 ? [{ of: "reals", value }] : [];
}

/** {@linkcode weightPenalty} of the network. */
export function weightDecay(l1: number, l2: number): Term[] {
  return l1 || l2 ? [{ of: "parameters", value: (params) => weightPenalty(params, l1, l2) }] : [];
}
