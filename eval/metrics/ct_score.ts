import { EvalError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { NumpyRandom } from "../numpy_random.ts";
import { type Features, select } from "../products.ts";
import type { Asked, Metric, Result, Sides } from "./metric.ts";

const CELLS = 3, STARTS = 10, ROUNDS = 100, LEAST = 20; // fakes in a cell that counts

/**
 * The Z-scored Mann-Whitney statistic of two samples, equal ones counting half: far below 0 where
 * `fake` is smaller.
 */
export function zScore(fake: Float64Array, heldOut: Float64Array): number {
  const m = fake.length, n = heldOut.length, sorted = heldOut.toSorted();
  let u = 0;
  for (const x of fake) {
    const below = bound(sorted, (y) => y < x), upTo = bound(sorted, (y) => y <= x);
    u += below + (upTo - below) / 2;
  }
  return (u - (n * m / 2 - 0.5)) / Math.sqrt(n * m * (n + m + 1) / 12);
}

/** How many of the sorted numbers the condition holds for, which holds for the first ones. */
function bound(sorted: Float64Array, holds: (y: number) => boolean): number {
  let from = 0, to = sorted.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (holds(sorted[middle])) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The cell of each row: that of the nearest centre. */
export async function cellsOf(rows: Features, centres: Features): Promise<Int32Array> {
  return (await nearest(rows, centres, 1)).index;
}

/** Lloyd's k-means from random rows, the best of several starts. */
async function centresOf(rows: Features, seed: number): Promise<Features> {
  const random = new NumpyRandom(seed), d = rows.dimension;
  let best: { centres: Features; cost: number } | undefined;
  for (let start = 0; start < STARTS; start++) {
    let centres = select(rows, random.choice(rows.count, CELLS)), cost = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
      const { index, squared } = await nearest(rows, centres, 1);
      const now = squared.reduce((a, b) => a + b, 0);
      if (!(now < cost)) break;
      cost = now;
      const sums = new Float64Array(CELLS * d), counts = new Float64Array(CELLS);
      for (let i = 0; i < rows.count; i++) {
        counts[index[i]]++;
        for (let c = 0; c < d; c++) sums[index[i] * d + c] += rows.values[i * d + c];
      }
      const values = Float32Array.from(sums, (sum, at) => {
        const cell = Math.floor(at / d);
        return counts[cell] ? sum / counts[cell] : centres.values[at];
      });
      centres = { ...centres, values };
    }
    if (!best || cost < best.cost) best = { centres, cost };
  }
  return best!.centres;
}

/**
 * The C_T statistic: in each cell the Z-score of the distances of fakes to their nearest training
 * images of that cell against those of held-out images, averaged by the held-out images in the cells.
 *
 * @param centres Of the cells.
 * @throws {EvalError} If a cell that has enough fakes has no training or held-out image.
 */
export async function ctScore(
  { real, fake, heldOut }: Required<Sides> & { heldOut: Features },
  centres: Features,
): Promise<number> {
  const labels = await Promise.all([real, fake, heldOut].map((side) => cellsOf(side, centres)));
  let total = 0, weight = 0;
  for (let cell = 0; cell < centres.count; cell++) {
    const [T, Q, P] = [real, fake, heldOut].map((side, i) =>
      select(side, [...labels[i].keys()].filter((row) => labels[i][row] === cell))
    );
    if (Q.count <= LEAST) continue;
    if (T.count === 0 || P.count === 0) {
      throw new EvalError("eval: ct: a cell has no training or held-out image: give more of them");
    }
    const [q, p] = await Promise.all(
      [Q, P].map(async (side) => (await nearest(side, T, 1)).squared),
    );
    total += P.count * zScore(q, p);
    weight += P.count;
  }
  if (weight === 0) {
    throw new EvalError(
      `eval: ct: no cell has more than ${LEAST} fakes of ${fake.count}: evaluate more, by --samples`,
    );
  }
  return total / weight;
}

async function measure({ real, fake, heldOut }: Sides, asked: Asked): Promise<Result> {
  const seed = asked.seed ?? 0, centres = await centresOf(real, seed);
  const value = await ctScore({ real, fake, heldOut: heldOut! }, centres);
  return { value, cells: CELLS, n_held_out: heldOut!.count, draws: `RandomState(${seed})` };
}

/** Data copying. */
export const ctMetric: Metric = {
  name: "ct",
  label: "CT",
  about: "data copying: far below 0 where fakes are nearer to training images than --held-out ones",
  source:
    "Meehan et al. 2020, https://arxiv.org/abs/2004.05675: C_T as in its code, with 3 cells " +
    "of k-means and tau = 20 fakes as dgm-eval, but on the features themselves, without its PCA",
  input: "features",
  needs: ["real", "heldOut"],
  numbers: { value: "near 0" },
  floor: false,
  measure,
};
