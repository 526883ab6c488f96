/**
 * GAN losses on logits `[N]`. D's loss is a sum of a term for real and one for fake pictures, which
 * are shown apart.
 *
 * @module
 */
import {
  add,
  affine,
  mul,
  neg,
  relu,
  scale,
  softplus,
  square,
  sub,
} from "../kernels/elementwise.ts";
import { mean } from "../kernels/reduce.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** One way to pit G against D. */
export interface Loss {
  /**
   * D's term for real pictures.
   *
   * @param labels The targets, `[N]` or `[1]`: below 1 for one-sided label smoothing. A loss without
   * targets takes no notice.
   */
  readonly real: (logits: Tensor, labels: Tensor) => Tensor;
  /** D's term for fakes. */
  readonly fake: (logits: Tensor) => Tensor;
  /** G's loss. */
  readonly G: (logits: Tensor) => Tensor;
  /** Whether there are targets that could be smoothed. */
  readonly hasLabels: boolean;
}

/** Binary cross-entropy with a logit; G's loss does not saturate (Goodfellow et al. 2014). */
const bce: Loss = {
  hasLabels: true,
  // -t log s(x) - (1 - t) log(1 - s(x)) = softplus(-x) + (1 - t) x
  real: (x, t) => mean(add(softplus(neg(x)), mul(x, affine(t, -1, 1)))),
  fake: (x) => mean(softplus(x)),
  G: (x) => mean(softplus(neg(x))),
};

/** Least squares (Mao et al. 2017, equation 9): targets 1 for real, 0 for fake. */
const lsgan: Loss = {
  hasLabels: true,
  real: (x, t) => scale(mean(square(sub(x, t))), 0.5),
  fake: (x) => scale(mean(square(x)), 0.5),
  G: (x) => scale(mean(square(affine(x, 1, -1))), 0.5),
};

/** Hinge (Lim & Ye 2017; Miyato et al. 2018, equations 16 and 17). */
const hinge: Loss = {
  hasLabels: false,
  real: (x) => mean(relu(affine(x, -1, 1))),
  fake: (x) => mean(relu(affine(x, 1, 1))),
  G: (x) => neg(mean(x)),
};

/** Wasserstein (Arjovsky et al. 2017); it needs a D that is held to be Lipschitz. */
const wgan: Loss = {
  hasLabels: false,
  real: (x) => neg(mean(x)),
  fake: (x) => mean(x),
  G: (x) => neg(mean(x)),
};

/** The losses by the names that `--loss` takes. */
export const losses: Readonly<Record<string, Loss>> = { bce, lsgan, hinge, wgan };
