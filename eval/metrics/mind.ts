import { NumpyRandom } from "../numpy_random.ts";
import { type Features, products, range, select } from "../products.ts";
import type { Asked, Metric, Result, Sides } from "./metric.ts";

const DIRECTIONS = 1000, AT_A_TIME = 50;

/**
 * The sliced Wasserstein distance: the mean over directions of the squared differences of the sorted
 * projections.
 *
 * @param directions Of length 1, `[count, d]`.
 * @throws {RangeError} If the sides differ in number or length of rows.
 */
export async function slicedWasserstein(
  a: Features,
  b: Features,
  directions: Features,
): Promise<number> {
  if (a.count !== b.count || a.dimension !== b.dimension) {
    throw new RangeError(
      `slicedWasserstein: got ${a.count} x ${a.dimension} and ${b.count} x ${b.dimension} features, ` +
        "expected as many of one length",
    );
  }
  let total = 0;
  for (let at = 0; at < directions.count; at += AT_A_TIME) {
    const some = range(directions, at, Math.min(directions.count, at + AT_A_TIME));
    const [x, y] = await Promise.all([products(some, a), products(some, b)]);
    for (let i = 0; i < some.count; i++) {
      const [p, q] = [x, y].map((all) => all.subarray(i * a.count, (i + 1) * a.count).sort());
      for (let j = 0; j < p.length; j++) total += (p[j] - q[j]) ** 2 / p.length;
    }
  }
  return total / directions.count;
}

/** Directions evenly from the sphere: NumPy's `randn(count, d)` of a seed, each row over its length. */
export function directionsOf(random: NumpyRandom, count: number, d: number): Features {
  const values = new Float32Array(count * d), row = new Float64Array(d);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < d; c++) row[c] = random.normal();
    const length = Math.hypot(...row);
    for (let c = 0; c < d; c++) values[i * d + c] = row[c] / length;
  }
  return { count, dimension: d, values };
}

async function measure({ real, fake }: Sides, asked: Asked): Promise<Result> {
  const seed = asked.seed ?? 2020, random = new NumpyRandom(seed), d = real.dimension;
  const n = Math.min(real.count, fake.count);
  const some = (side: Features) =>
    side.count > n ? select(side, random.choice(side.count, n)) : side;
  const [a, b] = [some(real), some(fake)];
  const distance = await slicedWasserstein(a, b, directionsOf(random, DIRECTIONS, d));
  return { value: 3 * d * distance, directions: DIRECTIONS, draws: `RandomState(${seed})` };
}

/** The Monge Inception distance. */
export const mind: Metric = {
  name: "mind",
  label: "MIND",
  about: "Monge Inception distance: sliced Wasserstein of features",
  source: "Berthet et al. 2026, https://arxiv.org/abs/2605.06797: 1000 directions, times 3 d, as " +
    "torch-fidelity; directions are NumPy's of the seed, not PyTorch's, so that it is equal to " +
    "within the scatter of directions",
  input: "features",
  needs: ["real"],
  numbers: { value: "less" },
  floor: true,
  measure,
};
