/**
 * Fidelity and diversity by nearest neighbours.
 *
 * Copies of training images among the fakes lie exactly on the edge of a neighbourhood, so `<` and `<=`
 * give different numbers. The device's distances are rounded: what they leave open is computed again,
 * in float64 from the differences, where copies have distance 0.
 *
 * @module
 */
import { type Distinct, distinct } from "./distinct.ts";
import { eachRow, squaredDistance } from "./distances.ts";
import { centred, type Features, meanOf } from "./products.ts";

/** Shares from 0 to 1; density may be above. */
export interface PrecisionRecall {
  /** Of fakes within the real images' neighbourhoods. */
  readonly precision: number;
  /** Of real images within the fakes' neighbourhoods. */
  readonly recall: number;
  /** Real neighbourhoods around a fake, on average, over `k`. */
  readonly density: number;
  /** Of real images with a fake in their neighbourhood. */
  readonly coverage: number;
}

/** How large neighbourhoods are, and what lies within. */
export interface Neighbours {
  /** A neighbourhood reaches to the `k`-th nearest of the same set, itself not counted: precision, recall. */
  readonly k: number;
  /** The same of density and coverage. */
  readonly densityK: number;
  /** Whether the edge belongs to it, in precision and recall; in density and coverage it never does. */
  readonly edge: boolean;
}

/** The papers' own: Kynkaanniemi's code has `<=` and k = 3, Naeem's `<` and k = 5. */
export const NEIGHBOURS: Neighbours = { k: 3, densityK: 5, edge: true };

/**
 * Precision, recall, density and coverage.
 *
 * @param neighbours A number is the `k` of all four.
 * @throws {RangeError} If the features differ in length, or a set has no `k` neighbours.
 * @see Kynkaanniemi et al. 2019, https://arxiv.org/abs/1904.06991, and Naeem et al. 2020,
 *   https://arxiv.org/abs/2002.09797
 */
export async function precisionRecall(
  real: Features,
  fake: Features,
  neighbours: Neighbours | number = NEIGHBOURS,
): Promise<PrecisionRecall> {
  const { k, densityK, edge } = typeof neighbours === "number"
    ? { ...NEIGHBOURS, k: neighbours, densityK: neighbours }
    : neighbours;
  const most = Math.max(k, densityK);
  if (real.dimension !== fake.dimension || Math.min(real.count, fake.count) <= most) {
    throw new RangeError(
      `precisionRecall: got ${real.count} x ${real.dimension} and ${fake.count} x ` +
        `${fake.dimension} features, expected rows of one length and more than ${most}`,
    );
  }
  const reals = distinct(real), fakes = distinct(fake);
  const [realRadii, wideRadii] = await radii(reals, [k, densityK]);
  const [fakeRadii] = await radii(fakes, [k]);
  const precise = new Uint8Array(fakes.rows.count), recalled = new Uint8Array(reals.rows.count);
  const covered = new Uint8Array(reals.rows.count);
  let hits = 0;
  const centre = meanOf(real);
  await eachRow(centred(reals.rows, centre), centred(fakes.rows, centre), (i, j0, squared) => {
    for (let c = 0; c < squared.count; c++) {
      const j = j0 + c, error = squared.error(c);
      let d = squared.values[c];
      // Which side of an edge it lies on is open within the error.
      const open = (radius: number) => Math.abs(d - radius) <= error;
      if (open(realRadii[i]) || open(wideRadii[i]) || open(fakeRadii[j])) {
        d = squaredDistance(reals.rows, i, fakes.rows, j);
      }
      if (d < wideRadii[i]) {
        hits += reals.copies[i] * fakes.copies[j];
        covered[i] = 1;
      }
      if (d < realRadii[i] || edge && d === realRadii[i]) precise[j] = 1;
      if (d < fakeRadii[j] || edge && d === fakeRadii[j]) recalled[i] = 1;
    }
  });
  const share = (flags: Uint8Array, { copies }: Distinct, count: number) =>
    flags.reduce((n, flag, i) => n + flag * copies[i], 0) / count;
  return {
    precision: share(precise, fakes, fake.count),
    recall: share(recalled, reals, real.count),
    density: hits / (densityK * fake.count),
    coverage: share(covered, reals, real.count),
  };
}

/** For each of `ks` the squared distances of all rows to their `k`-th nearest neighbours, exactly. */
async function radii({ rows, copies }: Distinct, ks: readonly number[]): Promise<Float64Array[]> {
  const most = Math.max(...ks), found = ks.map(() => new Float64Array(rows.count));
  /** Of the rows at work: who may be among the nearest, and the least upper bounds, rising. */
  const near = new Map<number, { rows: number[]; low: number[]; high: Float64Array }>();
  const same = centred(rows, meanOf(rows));
  await eachRow(same, same, (i, j0, squared) => {
    let own = near.get(i);
    if (!own) near.set(i, own = { rows: [], low: [], high: new Float64Array(most).fill(Infinity) });
    const { high } = own;
    for (let c = 0; c < squared.count; c++) {
      const d = squared.values[c], j = j0 + c;
      if (j === i || d - squared.error(c) > high[most - 1]) continue;
      own.rows.push(j);
      own.low.push(d - squared.error(c));
      insert(high, d + squared.error(c));
    }
  }, () => {
    for (const [i, own] of near) {
      const limit = own.high[most - 1];
      const nearest = own.rows.filter((_, n) => own.low[n] <= limit).map((j) =>
        [squaredDistance(rows, i, rows, j), copies[j]] as const
      ).sort(([a], [b]) => a - b);
      ks.forEach((k, n) => found[n][i] = kth(k, copies[i] - 1, nearest));
    }
    near.clear();
  });
  return found;
}

/** Takes a number into a short list of the least ones, if it belongs there. */
function insert(rising: Float64Array, value: number): void {
  let at = rising.length - 1;
  if (!(value < rising[at])) return;
  for (; at > 0 && rising[at - 1] > value; at--) rising[at] = rising[at - 1];
  rising[at] = value;
}

/** The `k`-th distance where the first `zeros` are 0 and the others come in copies. */
function kth(
  k: number,
  zeros: number,
  nearest: readonly (readonly [squared: number, copies: number])[],
): number {
  let passed = zeros;
  if (passed >= k) return 0;
  for (const [squared, copies] of nearest) if ((passed += copies) >= k) return squared;
  return Infinity;
}
