import type { Live } from "../gpu/record.ts";
import type { TrainOptions } from "./options.ts";

/** What may move while a run is young. */
export type Moving = "lrG" | "lrD" | "beta2" | "r1" | "r2";

/** The options of a run, of which some are live. */
export type Annealed = Omit<TrainOptions, Moving> & { readonly [Name in Moving]: Live<number> };

/**
 * Options that move to what they are in the end by half a cosine, while `annealKimg` thousand images are
 * shown.
 *
 * @param images How many were shown.
 * @see Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983, equation 5, without restarts
 */
export function annealed(options: TrainOptions, images: () => number): Annealed {
  const { lrG, lrD, beta2, r1, r2, annealKimg, lrEnd, beta2End, gammaEnd } = options;
  if (annealKimg === 0) return options;
  const move = (start: number, end: number) => () => {
    const progress = Math.min(1, images() / (1000 * annealKimg));
    return end + (start - end) * (1 + Math.cos(Math.PI * progress)) / 2;
  };
  return {
    ...options,
    lrG: move(lrG, lrEnd * lrG),
    lrD: move(lrD, lrEnd * lrD),
    beta2: move(beta2, beta2End || beta2),
    r1: r1 && move(r1, gammaEnd * r1),
    r2: r2 && move(r2, gammaEnd * r2),
  };
}
