/**
 * Squared distances of features: many at a time from the device, with bounds of their rounding, and
 * single ones exactly.
 *
 * @module
 */
import { type Features, products, range } from "./products.ts";

const ROWS = 1024, COLUMNS = 8192; // of distances at a time

/** Distances of one row, as far as they are computed at a time; only lent. */
export interface Squared {
  readonly count: number;
  readonly values: Float64Array;
  /** How far value `c` may be from the truth. */
  error(c: number): number;
}

/** The squared distance in float64: 0 for copies, and the same from either side. */
export function squaredDistance(a: Features, i: number, b: Features, j: number): number {
  const d = a.dimension, from = i * d, to = j * d;
  let total = 0;
  for (let c = 0; c < d; c++) {
    const difference = a.values[from + c] - b.values[to + c];
    total += difference * difference;
  }
  return total;
}

/**
 * Visits all squared distances: for each row of `a` those to the rows of `b` from `j0` on.
 *
 * @param visited Called when some rows of `a` have been visited with all of `b`.
 */
export async function eachRow(
  a: Features,
  b: Features,
  visit: (i: number, j0: number, squared: Squared) => void,
  visited: () => void = () => {},
): Promise<void> {
  const aa = squares(a), bb = squares(b), values = new Float64Array(COLUMNS);
  // |fl(x . y) - x . y| <= d u |x| |y| in whatever order it is summed, with u = 2^-24; the features,
  // which were rounded when they were centred, add less than 8 u.
  const slack = (a.dimension + 8) * 2 ** -24;
  for (let i0 = 0; i0 < a.count; i0 += ROWS) {
    const i1 = Math.min(a.count, i0 + ROWS);
    for (let j0 = 0; j0 < b.count; j0 += COLUMNS) {
      const count = Math.min(b.count, j0 + COLUMNS) - j0;
      const ab = await products(range(a, i0, i1), range(b, j0, j0 + count));
      for (let i = i0; i < i1; i++) {
        const at = (i - i0) * count;
        for (let c = 0; c < count; c++) values[c] = aa[i] + bb[j0 + c] - 2 * ab[at + c];
        visit(i, j0, { count, values, error: (c) => slack * (aa[i] + bb[j0 + c]) });
      }
    }
    visited();
  }
}

function squares({ count, dimension: d, values }: Features): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let total = 0;
    for (let c = i * d; c < (i + 1) * d; c++) total += values[c] ** 2;
    return total;
  });
}
