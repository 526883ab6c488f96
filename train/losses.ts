/**
 * GAN losses on logits `[N]`. D's loss is a sum of a term for real and one for fake images, which
 * are shown apart.
 *
 * @module
 */
import { add, sub } from "../kernels/elementwise.ts";
import { logitLoss } from "../kernels/logit_loss.ts";
import { mean } from "../kernels/reduce.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** One way to pit G against D. */
export interface Loss {
  /**
   * D's term for real images.
   *
   * @param labels The targets, a number or `[N]`: below 1 for one-sided label smoothing. A loss
   * without targets takes no notice.
   * @param fake The logits of fakes, which only relativistic losses look at.
   */
  readonly real: (logits: Tensor, labels: number | Tensor, fake?: Tensor) => Tensor;
  /** D's term for fakes; `real` are the logits of real images, for relativistic losses. */
  readonly fake: (logits: Tensor, real?: Tensor) => Tensor;
  /** G's loss; `real` as above. */
  readonly G: (logits: Tensor, real?: Tensor) => Tensor;
  /** Whether there are targets that could be smoothed. */
  readonly hasLabels: boolean;
  /** Whether G's loss looks at the logits of real images. */
  readonly isRelative?: boolean;
}

/** Binary cross-entropy with a logit; G's loss does not saturate (Goodfellow et al. 2014). */
const bce: Loss = {
  hasLabels: true,
  real: (x, t) => logitLoss("crossEntropy", x, t),
  fake: (x) => logitLoss("crossEntropy", x, 0),
  G: (x) => logitLoss("crossEntropy", x, 1),
};

/** Least squares (Mao et al. 2017, equation 9): targets 1 for real, 0 for fake. */
const lsgan: Loss = {
  hasLabels: true,
  real: (x, t) => logitLoss("leastSquares", x, t),
  fake: (x) => logitLoss("leastSquares", x, 0),
  G: (x) => logitLoss("leastSquares", x, 1),
};

/** Hinge (Lim & Ye 2017; Miyato et al. 2018, equations 16 and 17). */
const hinge: Loss = {
  hasLabels: false,
  real: (x) => logitLoss("hinge", x, 1),
  fake: (x) => logitLoss("hinge", x, -1),
  G: (x) => logitLoss("linear", x, 1),
};

/** Wasserstein (Arjovsky et al. 2017); it needs a D that is held to be Lipschitz. */
const wgan: Loss = {
  hasLabels: false,
  real: (x) => logitLoss("linear", x, 1),
  fake: (x) => logitLoss("linear", x, -1),
  G: (x) => logitLoss("linear", x, 1),
};

/**
 * Real images must look more real than the fakes beside them: `E softplus(f - r)` for D, which is
 * shown in two halves (Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734, equation 7).
 */
const rsgan: Loss = {
  hasLabels: false,
  isRelative: true,
  real: (r, _, f) => logitLoss("crossEntropy", sub(r, f!), 1, 0.5),
  fake: (f, r) => logitLoss("crossEntropy", sub(r!, f), 1, 0.5),
  G: (f, r) => logitLoss("crossEntropy", sub(f, r!), 1),
};

/** Real images must look more real than fakes do on average, and the reverse (there, equation 13). */
const ragan: Loss = {
  hasLabels: false,
  isRelative: true,
  real: (r, _, f) => logitLoss("crossEntropy", sub(r, mean(f!)), 1),
  fake: (f, r) => logitLoss("crossEntropy", sub(f, mean(r!)), 0),
  G: (f, r) =>
    add(
      logitLoss("crossEntropy", sub(f, mean(r!)), 1),
      logitLoss("crossEntropy", sub(r!, mean(f)), 0),
    ),
};

/** The same with hinges (there, appendix D). */
const rahinge: Loss = {
  hasLabels: false,
  isRelative: true,
  real: (r, _, f) => logitLoss("hinge", sub(r, mean(f!)), 1),
  fake: (f, r) => logitLoss("hinge", sub(f, mean(r!)), -1),
  G: (f, r) =>
    add(logitLoss("hinge", sub(f, mean(r!)), 1), logitLoss("hinge", sub(r!, mean(f)), -1)),
};

/** The losses by the names that `--loss` takes. */
export const losses: Readonly<Record<string, Loss>> = {
  bce,
  lsgan,
  hinge,
  wgan,
  rsgan,
  ragan,
  rahinge,
};
