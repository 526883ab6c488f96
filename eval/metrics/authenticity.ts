import { nearest } from "../nearest.ts";
import { type Features, select } from "../products.ts";
import type { Metric } from "./metric.ts";

/**
 * The percentage of fakes that are further from their nearest training image than that is from its own
 * nearest: 0 where all are copies.
 *
 * @throws {RangeError} If there are fewer than two training images.
 */
export async function authPct(training: Features, fake: Features): Promise<number> {
  const { index, squared } = await nearest(fake, training, 1);
  const met = [...new Set(index)];
  const own = await nearest(select(training, met), training, 1, met);
  const reach = new Map(met.map((row, i) => [row, own.squared[i]]));
  let authentic = 0;
  for (let i = 0; i < fake.count; i++) if (reach.get(index[i])! < squared[i]) authentic++;
  return 100 * authentic / fake.count;
}

/** Authenticity. */
export const authenticity: Metric = {
  name: "authpct",
  label: "AuthPct",
  about: "authenticity: percentage of fakes that are no near copies of training images",
  source: "Alaa et al. 2022, https://arxiv.org/abs/2102.08921; as dgm-eval, from 0 to 100 (fld " +
    "takes 50 off)",
  input: "features",
  needs: ["real"],
  numbers: { value: "more" },
  floor: false,
  measure: async ({ real, fake }) => ({ value: await authPct(real, fake) }),
};
