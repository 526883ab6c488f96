import { shortName } from "../conventions.ts";
import { EvalError } from "../errors.ts";
import { kid as kernelDistance } from "../kid.ts";
import type { Asked, Metric, Result, Sides } from "./metric.ts";

async function measure(
  { real, fake }: Sides,
  { like, names, ...asked }: Asked,
): Promise<Result> {
  const size = asked.subsetSize ?? like.kid.size, fewest = Math.min(real.count, fake.count);
  if (like.kid.refuses && fewest < size) {
    const short = real.count <= fake.count ? names.real : names.fake;
    throw new EvalError(
      `eval: ${short} has ${fewest} images, fewer than a subset of ${size}, which ` +
        `${shortName(like)} refuses: give --subset-size`,
    );
  }
  const subsets = asked.subsets ?? like.kid.subsets, seed = asked.seed ?? like.kid.seed;
  const { deviation, ...found } = await kernelDistance(real, fake, { subsets, size, seed });
  // A single subset has no deviation.
  return { ...found, ...(found.subsets > 1 && { deviation }), draws: `RandomState(${seed})` };
}

/** The kernel Inception distance. */
export const kid: Metric = {
  name: "kid",
  label: "KID",
  about: "kernel Inception distance",
  source: "Binkowski et al. 2018, https://arxiv.org/abs/1801.01401; as clean-fid",
  input: "features",
  needs: ["real"],
  numbers: { value: "less" },
  floor: true,
  measure,
};
