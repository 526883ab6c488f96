import { eachRow, squaredDistance } from "./distances.ts";
import { centred, type Features, meanOf } from "./products.ts";

/** For each row its nearest ones in another set, nearest first. */
export interface Nearest {
  /** `[rows, k]`: which. */
  readonly index: Int32Array;
  /** `[rows, k]`: their squared distances, exact in float64. */
  readonly squared: Float64Array;
}

/**
 * The `k` nearest rows of `among` to each row of `of`: candidates by the device's rounded distances,
 * with bounds of their error, then exactly; of equally near ones the first.
 *
 * @param except For each row of `of` a row of `among` that does not count: itself.
 * @throws {RangeError} If there are fewer than `k` rows.
 */
export async function nearest(
  of: Features,
  among: Features,
  k: number,
  except?: ArrayLike<number>,
): Promise<Nearest> {
  const there = among.count - (except ? 1 : 0);
  if (of.dimension !== among.dimension || there < k) {
    throw new RangeError(
      `nearest: got ${among.count} x ${among.dimension} and rows of ${of.dimension}, ` +
        `expected rows of one length and at least ${k}`,
    );
  }
  const index = new Int32Array(of.count * k), squared = new Float64Array(of.count * k);
  const near = new Map<number, { rows: number[]; low: number[]; high: number[] }>();
  const centre = meanOf(among);
  await eachRow(centred(of, centre), centred(among, centre), (i, j0, row) => {
    let own = near.get(i);
    if (!own) near.set(i, own = { rows: [], low: [], high: [] });
    for (let c = 0; c < row.count; c++) {
      const d = row.values[c], e = row.error(c), j = j0 + c;
      if (j === except?.[i] || own.high.length === k && d - e > own.high[k - 1]) continue;
      own.rows.push(j);
      own.low.push(d - e);
      own.high.push(d + e);
      own.high.sort((a, b) => a - b);
      own.high.length = Math.min(k, own.high.length);
    }
  }, () => {
    for (const [i, { rows, low, high }] of near) {
      const exact = rows.filter((_, n) => low[n] <= high[k - 1])
        .map((j) => [squaredDistance(of, i, among, j), j] as const)
        .sort(([a, i], [b, j]) => a - b || i - j);
      for (let n = 0; n < k; n++) [squared[i * k + n], index[i * k + n]] = exact[n];
    }
    near.clear();
  });
  return { index, squared };
}
