import { cachedStatistics, type CacheKey, keepNumber, keptNumber } from "./files/cache.ts";
import type { Conventions } from "./conventions.ts";
import {
  type ExtractOptions,
  type Extractor,
  type ImageSet,
  type PixelSet,
  statisticsAndHalves,
} from "./extract.ts";
import { frechetDistance } from "./frechet.ts";
import { NumpyRandom } from "./numpy_random.ts";
import { type Features, select } from "./products.ts";
import { overN, type Statistics } from "./statistics.ts";
import type { Survey } from "./survey.ts";

/** Real images to compare with. */
export interface RealImages {
  readonly key: CacheKey;
  readonly net: Extractor;
  readonly set: PixelSet | ImageSet;
  readonly survey?: Survey | undefined;
  readonly divisor?: Conventions["divisor"];
  readonly options?: ExtractOptions;
}

/** The Frechet distance with covariances over `N - 1` or `N`. */
export function distanceOver(
  divisor: Conventions["divisor"],
  a: Statistics,
  b: Statistics,
): number {
  return divisor === "N" ? frechetDistance(overN(a), overN(b)) : frechetDistance(a, b);
}

/**
 * The statistics of real images, and in the same pass the floor at `n` images per side, where there are
 * twice as many: the distance of `n` of them to `n` others. Both are kept.
 *
 * @throws {RangeError} If there are fewer than two images.
 */
export async function statisticsAndFloor(
  { key, net, set, survey, divisor = "N - 1", options }: RealImages,
  n: number,
): Promise<{ statistics: Statistics; floor: number | undefined }> {
  const enough = n >= 2 && 2 * n <= set.count, what = `floor at ${n}, over ${divisor}`;
  let floor = enough ? await keptNumber(key, what) : undefined;
  const size = enough && floor === undefined ? n : 0;
  const make = async () => {
    const { statistics, halves } = await statisticsAndHalves(net, set, size, options);
    if (halves) {
      floor = distanceOver(divisor, ...halves);
      await keepNumber(key, what, floor);
    }
    return statistics;
  };
  const statistics = await cachedStatistics(key, make, survey);
  // Statistics were kept, but the floor of other numbers of images.
  if (size && floor === undefined) await make();
  return { statistics, floor };
}

/** Two disjoint random subsets of `n` rows each, the same as those of the floor, where there are as many. */
export function halvesOf(real: Features, n: number): [Features, Features] | undefined {
  if (2 * n > real.count) return undefined;
  const order = new NumpyRandom(0).permutation(real.count);
  return [select(real, order.subarray(0, n)), select(real, order.subarray(n, 2 * n))];
}
