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
   * @param fake The logits of fakes, which only relativistic losses look at.
   */
  readonly real: (logits: Tensor, labels: Tensor, fake?: Tensor) => Tensor;
  /** D's term for fakes; `real` are the logits of real pictures, for relativistic losses. */
  readonly fake: (logits: Tensor, real?: Tensor) => Tensor;
  /** G's loss; `real` as above. */
  readonly G: (logits: Tensor, real?: Tensor) => Tensor;
  /** Whether there are targets that could be smoothed. */
  readonly hasLabels: boolean;
  /** Whether G's loss looks at the logits of real pictures. */
  readonly isRelative?: boolean;
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

/**
 * Real pictures must look more real than the fakes beside them: `E softplus(f - r)` for D, which is
 * shown in two halves (Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734, equation 7).
 */
const rsgan: Loss = {
  hasLabels: false,
  isRelative: true,
  real: (r, _, f) => scale(mean(softplus(sub(f!, r))), 0.5),
  fake: (f, r) => scale(mean(softplus(sub(f, r!))), 0.5),
  G: (f, r) => mean(softplus(sub(r!, f))),
};

/** Real pictures must look more real than fakes do on average, and the reverse (there, equation 13). */
const ragan: Loss = {
  hasLabels: false,
  isRelative: true,
  real: (r, _, f) => mean(softplus(sub(mean(f!), r))),
  fake: (f, r) => mean(softplus(sub(f, mean(r!)))),
  G: (f, r) => add(mean(softplus(sub(mean(r!), f))), mean(softplus(sub(r!, mean(f))))),
};

/** The same with hinges (there, appendix D). */
const rahinge: Loss = {
  hasLabels: false,
  isRelative: true,
  real: (r, _, f) => mean(relu(affine(sub(r, mean(f!)), -1, 1))),
  fake: (f, r) => mean(relu(affine(sub(f, mean(r!)), 1, 1))),
  G: (f, r) =>
    add(
      mean(relu(affine(sub(f, mean(r!)), -1, 1))),
      mean(relu(affine(sub(r!, mean(f)), 1, 1))),
    ),
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
