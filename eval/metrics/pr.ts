import { EvalError } from "../errors.ts";
import { type PrecisionRecall, precisionRecall } from "../precision_recall.ts";
import type { Asked, Metric, Result, Sides } from "./metric.ts";

async function measure({ real, fake }: Sides, { like, names, ...asked }: Asked): Promise<Result> {
  const k = asked.k ?? like.neighbours.k, densityK = asked.k ?? like.neighbours.densityK;
  const short = real.count <= fake.count ? names.real : names.fake;
  const fewest = Math.min(real.count, fake.count);
  if (fewest <= Math.max(k, densityK)) {
    throw new EvalError(
      `eval: ${short} holds ${fewest} images, too few for ${Math.max(k, densityK)} ` +
        `neighbours: give a smaller --k`,
    );
  }
  const found = await precisionRecall(real, fake, { ...like.neighbours, k, densityK });
  const own: Partial<Record<keyof PrecisionRecall, number>> = {};
  for (const name of like.shares) own[name] = found[name];
  return { ...own, k, ...("density" in own && { density_k: densityK }) };
}

/** Precision, recall, density and coverage. */
export const pr: Metric = {
  name: "pr",
  label: "PR",
  about: "precision, recall, density, coverage",
  source: "Kynkaanniemi et al. 2019, https://arxiv.org/abs/1904.06991 (as torch-fidelity), and " +
    "Naeem et al. 2020, https://arxiv.org/abs/2002.09797 (as prdc)",
  input: "features",
  needs: ["real"],
  numbers: { precision: "more", recall: "more", density: "more", coverage: "more" },
  floor: true,
  measure,
};
