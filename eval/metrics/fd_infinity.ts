import { EvalError } from "../errors.ts";
import { NumpyRandom } from "../numpy_random.ts";
import { type Features, select } from "../products.ts";
import { distanceOver } from "../real.ts";
import { statisticsOfRows } from "../statistics.ts";
import type { Asked, Metric, Result, Sides } from "./metric.ts";

const POINTS = 15, LEAST = 20; // images at the smallest of the sizes

/**
 * Sizes of the subsets of `n` images: as many shares, evenly from a tenth to all.
 *
 * @param n Images of a side.
 */
export function sizesOf(n: number): number[] {
  return Array.from(
    { length: POINTS },
    (_, i) => Math.max(2, Math.floor(n * (0.1 + 0.9 * i / (POINTS - 1)) + 1e-9)),
  );
}

/** Where the line through the points `(1 / share, y)` by least squares meets infinitely many images. */
export function intercept(x: readonly number[], y: readonly number[]): number {
  const n = x.length, mx = x.reduce((a, b) => a + b) / n, my = y.reduce((a, b) => a + b) / n;
  let xy = 0, xx = 0;
  for (let i = 0; i < n; i++) {
    xy += (x[i] - mx) * (y[i] - my);
    xx += (x[i] - mx) ** 2;
  }
  return my - xy / xx * mx;
}

/**
 * Both sides shrink together, so that the bias of both goes; dgm-eval shrinks the fakes alone, and the
 * real images' bias stays in its number.
 */
function measure({ real, fake }: Sides, { like, names, ...asked }: Asked): Result {
  const fewest = Math.min(real.count, fake.count);
  if (fewest < 10 * LEAST) {
    const short = real.count <= fake.count ? names.real : names.fake;
    throw new EvalError(
      `eval: ${short} holds ${fewest} images, too few for fd-infinity: it needs ${10 * LEAST}`,
    );
  }
  const seed = asked.seed ?? 0, random = new NumpyRandom(seed);
  const reals = sizesOf(real.count), fakes = sizesOf(fake.count);
  const some = (side: Features, size: number) => select(side, random.choice(side.count, size));
  const distances = fakes.map((size, i) => {
    const [a, b] = [some(real, reals[i]), some(fake, size)].map(statisticsOfRows);
    return distanceOver(like.divisor, a, b);
  });
  return {
    value: intercept(fakes.map((size) => 1 / size), distances),
    points: POINTS,
    extrapolated: "both sides",
    draws: `RandomState(${seed})`,
  };
}

/** The Frechet distance of infinitely many images, extrapolated. */
export const fdInfinity: Metric = {
  name: "fd-infinity",
  label: "FD-infinity",
  about: "Frechet distance extrapolated to infinitely many images, on both sides",
  source:
    "Chong and Forsyth 2020, https://arxiv.org/abs/1911.07023: 15 sizes and a line over 1/N; " +
    "unlike there and in dgm-eval, both sides shrink",
  input: "features",
  needs: ["real"],
  numbers: { value: "less" },
  floor: false, // it is 0
  measure,
};
