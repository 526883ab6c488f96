/**
 * Fidelity and diversity by nearest neighbours.
 *
 * @module
 */
import { type Features, products, range } from "./products.ts";

/** Shares from 0 to 1; density may be above. */
export interface PrecisionRecall {
  /** Of fakes within the real pictures' neighbourhoods. */
  readonly precision: number;
  /** Of real pictures within the fakes' neighbourhoods. */
  readonly recall: number;
  /** Real neighbourhoods around a fake, on average, over `k`. */
  readonly density: number;
  /** Of real pictures with a fake in their neighbourhood. */
  readonly coverage: number;
}

const ROWS = 1024, COLUMNS = 8192; // of distances at a time

/**
 * Precision, recall, density and coverage. A picture's neighbourhood reaches to its `k`-th nearest
 * neighbour of its own set, itself not counted.
 *
 * @throws {RangeError} If the features differ in length, or a set has no `k` neighbours.
 * @see Kynkaanniemi et al. 2019, https://arxiv.org/abs/1904.06991, and Naeem et al. 2020,
 *   https://arxiv.org/abs/2002.09797
 */
export async function precisionRecall(
  real: Features,
  fake: Features,
  k = 3,
): Promise<PrecisionRecall> {
  if (real.dimension !== fake.dimension || Math.min(real.count, fake.count) <= k) {
    throw new RangeError(
      `precisionRecall: got ${real.count} x ${real.dimension} and ${fake.count} x ` +
        `${fake.dimension} features, expected rows of one length and more than ${k}`,
    );
  }
  // About one point, so that products do not drown the distances in rounding.
  const centre = meanOf(real), reals = about(centre, real), fakes = about(centre, fake);
  const realRadii = await radii(reals, k), fakeRadii = await radii(fakes, k);
  const inReal = new Uint32Array(fake.count), covered = new Uint8Array(real.count);
  const recalled = new Uint8Array(real.count);
  await eachRow(reals, fakes, (i, j0, distances) => {
    for (let c = 0; c < distances.length; c++) {
      if (distances[c] <= realRadii[i]) {
        inReal[j0 + c]++;
        covered[i] = 1;
      }
      if (distances[c] <= fakeRadii[j0 + c]) recalled[i] = 1;
    }
  });
  const share = (flags: Uint8Array) => flags.reduce((n, f) => n + f, 0) / flags.length;
  return {
    precision: inReal.filter((n) => n > 0).length / fake.count,
    recall: share(recalled),
    density: inReal.reduce((n, hits) => n + hits, 0) / (k * fake.count),
    coverage: share(covered),
  };
}

function meanOf({ count, dimension, values }: Features): Float64Array {
  const mean = new Float64Array(dimension);
  for (let i = 0; i < values.length; i++) mean[i % dimension] += values[i] / count;
  return mean;
}

function about(centre: Float64Array, features: Features): Features {
  const d = features.dimension;
  return { ...features, values: features.values.map((x, i) => x - centre[i % d]) };
}

function squares({ count, dimension: d, values }: Features): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let total = 0;
    for (let c = i * d; c < (i + 1) * d; c++) total += values[c] ** 2;
    return total;
  });
}

/**
 * Visits all squared distances: for each row of `a` those to the rows of `b` from `j0` on. What is
 * handed over is only lent.
 */
async function eachRow(
  a: Features,
  b: Features,
  visit: (i: number, j0: number, squared: Float64Array) => void,
): Promise<void> {
  const aa = squares(a), bb = squares(b), row = new Float64Array(COLUMNS);
  for (let i0 = 0; i0 < a.count; i0 += ROWS) {
    const i1 = Math.min(a.count, i0 + ROWS);
    for (let j0 = 0; j0 < b.count; j0 += COLUMNS) {
      const n = Math.min(b.count, j0 + COLUMNS) - j0;
      const ab = await products(range(a, i0, i1), range(b, j0, j0 + n));
      for (let i = i0; i < i1; i++) {
        const at = (i - i0) * n;
        for (let c = 0; c < n; c++) row[c] = aa[i] + bb[j0 + c] - 2 * ab[at + c];
        visit(i, j0, row.subarray(0, n));
      }
    }
  }
}

/** The squared distance of each picture to its `k`-th nearest neighbour in the same set. */
async function radii(features: Features, k: number): Promise<Float64Array> {
  const { count } = features, nearest = new Float64Array(count * k).fill(Infinity); // rising
  await eachRow(features, features, (i, j0, squared) => {
    const from = i * k, last = from + k - 1;
    for (let c = 0; c < squared.length; c++) {
      if (!(squared[c] < nearest[last]) || j0 + c === i) continue;
      let at = last;
      for (; at > from && nearest[at - 1] > squared[c]; at--) nearest[at] = nearest[at - 1];
      nearest[at] = squared[c];
    }
  });
  return Float64Array.from({ length: count }, (_, i) => nearest[i * k + k - 1]);
}
