/**
 * Kernel Inception distance.
 *
 * @see Binkowski et al. 2018, https://arxiv.org/abs/1801.01401
 * @module
 */
import { hostRandom } from "../nn/random.ts";
import { type Features, products, select } from "./products.ts";

/** How subsets are drawn. */
export interface KidOptions {
  /** How many; 100 by default. */
  readonly subsets?: number;
  /** Pictures in each; 1000 by default, and never more than there are. */
  readonly size?: number;
  /** From which they are drawn. */
  readonly seed?: number;
}

/** A mean over subsets. */
export interface Kid {
  /** The distance. */
  readonly value: number;
  /** The standard deviation over subsets. */
  readonly deviation: number;
  /** Pictures a subset. */
  readonly size: number;
  /** Subsets. */
  readonly subsets: number;
}

/**
 * The unbiased squared maximum mean discrepancy under the kernel `(x . y / d + 1)^3`, the mean over
 * random subsets; one subset of all where all are asked for.
 *
 * @throws {RangeError} If the features differ in length, or there are less than two.
 */
export async function kid(real: Features, fake: Features, options: KidOptions = {}): Promise<Kid> {
  const most = Math.min(real.count, fake.count), size = Math.min(options.size ?? 1000, most);
  if (real.dimension !== fake.dimension || size < 2) {
    throw new RangeError(
      `kid: got ${real.count} x ${real.dimension} and ${fake.count} x ${fake.dimension} features, ` +
        `expected rows of one length and at least 2`,
    );
  }
  const whole = size === real.count && size === fake.count;
  const subsets = whole ? 1 : options.subsets ?? 100;
  const random = hostRandom(options.seed ?? 0, 1), found: number[] = [];
  const draw = (from: Features) => select(from, subset(from.count, size, random.uniform));
  for (let i = 0; i < subsets; i++) {
    found.push(await discrepancy(draw(real), draw(fake)));
  }
  const value = found.reduce((a, b) => a + b) / subsets;
  const variance = found.reduce((t, v) => t + (v - value) ** 2, 0) / subsets;
  return { value, deviation: Math.sqrt(variance), size, subsets };
}

async function discrepancy(x: Features, y: Features): Promise<number> {
  const m = x.count,
    [xx, yy, xy] = await Promise.all([products(x, x), products(y, y), products(x, y)]);
  const kernel = (product: number) => (product / x.dimension + 1) ** 3;
  let within = 0, across = 0;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) {
      if (j !== i) within += kernel(xx[i * m + j]) + kernel(yy[i * m + j]);
      across += kernel(xy[i * m + j]);
    }
  }
  return within / (m * (m - 1)) - 2 * across / m ** 2;
}

/** `size` of the numbers below `count`, each once. */
function subset(count: number, size: number, uniform: () => number): Int32Array {
  const all = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < size; i++) {
    const j = i + Math.floor(uniform() * (count - i));
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all.subarray(0, size);
}
