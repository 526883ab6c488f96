import { distanceOver } from "../real.ts";
import { type Statistics, statisticsOfRows } from "../statistics.ts";
import type { Asked, Metric, Result } from "./metric.ts";

function ofStatistics(real: Statistics, fake: Statistics, { like }: Asked): Result {
  return { value: distanceOver(like.divisor, real, fake), dimension: real.mean.length };
}

/** The Frechet Inception distance. */
export const fid: Metric = {
  name: "fid",
  label: "FID",
  about: "Frechet Inception distance",
  source: "Heusel et al. 2017, https://arxiv.org/abs/1706.08500; as pytorch-fid",
  input: "features",
  needs: ["real"],
  numbers: { value: "less" },
  floor: true,
  ofStatistics,
  measure: ({ real, fake }, asked) =>
    ofStatistics(statisticsOfRows(real), statisticsOfRows(fake), asked),
};
