/**
 * Mean and covariance of features, gathered batch by batch in float64.
 *
 * @module
 */
import { addProduct, type Matrix, zeros } from "./matrix.ts";
import type { Features } from "./products.ts";

/** What a Frechet distance needs to know of a set of features. */
export interface Statistics {
  /** Images; undefined where a file does not tell. */
  readonly count: number | undefined;
  /** `[d]`. */
  readonly mean: Float64Array;
  /** `[d, d]`, with N - 1. */
  readonly covariance: Matrix;
}

const ROWS = 256; // features a product: enough for it to be fast

/**
 * The statistics with covariances over N instead of N - 1, as StyleGAN3 has them. Where the number of
 * images is unknown they stay as they are.
 */
export function overN({ count, mean, covariance }: Statistics): Statistics {
  if (count === undefined) return { count, mean, covariance };
  const data = covariance.data.map((x) => x * (count - 1) / count);
  return { count, mean, covariance: { ...covariance, data } };
}

/** Gathers {@linkcode Statistics}; nothing is kept of single images. */
export class Moments {
  /** Numbers a feature. */
  readonly dimension: number;
  #count = 0;
  // About a point near the mean, so that little is lost when the mean's square is taken off.
  readonly #centre: Float64Array;
  readonly #sums: Float64Array;
  readonly #products: Matrix;
  /** Features that wait for a product, by columns: `[d, ROWS]`. */
  readonly #waiting: Matrix;
  #filled = 0;

  /** For features of `dimension` numbers. */
  constructor(dimension: number) {
    this.dimension = dimension;
    this.#centre = new Float64Array(dimension);
    this.#sums = new Float64Array(dimension);
    this.#products = zeros(dimension, dimension);
    this.#waiting = zeros(dimension, ROWS);
  }

  /** Images so far. */
  get count(): number {
    return this.#count;
  }

  /**
   * Takes features.
   *
   * @param features `[n, d]`.
   * @throws {RangeError} If one is not finite, or their number does not fit.
   */
  add(features: Float32Array): void {
    const d = this.dimension, n = features.length / d, { data } = this.#waiting;
    if (!Number.isInteger(n)) {
      throw new RangeError(`moments: got ${features.length} numbers, expected rows of ${d}`);
    }
    if (this.#count === 0) {
      for (let i = 0; i < n; i++) {
        for (let c = 0; c < d; c++) this.#centre[c] += features[i * d + c] / n;
      }
    }
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < d; c++) {
        const x = features[i * d + c] - this.#centre[c];
        if (!Number.isFinite(x)) {
          throw new RangeError(`moments: feature ${c} of image ${this.#count + 1} is not finite`);
        }
        this.#sums[c] += x;
        data[c * ROWS + this.#filled] = x;
      }
      this.#count++;
      if (++this.#filled === ROWS) this.#multiply();
    }
  }

  #multiply(): void {
    addProduct(this.#products, this.#waiting, this.#waiting, { upper: true });
    this.#waiting.data.fill(0);
    this.#filled = 0;
  }

  /**
   * The statistics of all that was taken.
   *
   * @throws {RangeError} If that is less than two.
   */
  statistics(): Statistics {
    const d = this.dimension, n = this.#count;
    if (n < 2) {
      throw new RangeError(
        `statistics: got ${n} ${n === 1 ? "image" : "images"}, expected at least 2`,
      );
    }
    if (this.#filled) this.#multiply();
    const mean = this.#centre.map((centre, c) => centre + this.#sums[c] / n);
    const covariance = zeros(d, d);
    for (let i = 0; i < d; i++) {
      for (let j = i; j < d; j++) {
        const product = this.#products.data[i * d + j] - this.#sums[i] * this.#sums[j] / n;
        covariance.data[i * d + j] = covariance.data[j * d + i] = product / (n - 1);
      }
    }
    return { count: n, mean, covariance };
  }
}

/**
 * The statistics of features in memory.
 *
 * @throws {RangeError} If there are fewer than two.
 */
export function statisticsOfRows({ dimension, values }: Features): Statistics {
  const moments = new Moments(dimension);
  moments.add(values);
  return moments.statistics();
}
