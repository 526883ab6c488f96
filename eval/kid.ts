/**
 * Kernel Inception distance.
 *
 * @see Binkowski et al. 2018, https://arxiv.org/abs/1801.01401
 * @module
 */
import { NumpyRandom } from "./numpy_random.ts";
import { centred, type Features, meanOf, products, select } from "./products.ts";

/** How subsets are drawn. */
export interface KidOptions {
  /** How many; 100 by default. */
  readonly subsets?: number;
  /** Images in each; 1000 by default, and never more than there are. */
  readonly size?: number;
  /** Subsets are drawn by NumPy's `RandomState(seed)`; 0 by default. */
  readonly seed?: number;
}

/** A mean over subsets. */
export interface Kid {
  /** The distance. */
  readonly value: number;
  /** The standard deviation over subsets; 0 for a single one. */
  readonly deviation: number;
  /** Images per subset. */
  readonly size: number;
  /** Subsets. */
  readonly subsets: number;
}

/**
 * The unbiased squared maximum mean discrepancy under the kernel `(x . y / d + 1)^3`, the mean over
 * random subsets: for each subset first fake, then real images are drawn, as clean-fid, torch-fidelity
 * and StyleGAN3 draw them. One subset where it holds all images: all further ones would be equal.
 *
 * @throws {RangeError} If the features differ in length, or there are fewer than two.
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
  const random = new NumpyRandom(options.seed ?? 0), found: number[] = [];
  const centre = meanOf(real), reals = centred(real, centre), fakes = centred(fake, centre);
  for (let i = 0; i < subsets; i++) {
    const x = select(fakes, random.choice(fake.count, size));
    const y = select(reals, random.choice(real.count, size));
    found.push(await discrepancy(x, y, centre));
  }
  const value = found.reduce((a, b) => a + b) / subsets;
  const variance = found.reduce((t, v) => t + (v - value) ** 2, 0) / subsets;
  return { value, deviation: Math.sqrt(variance), size, subsets };
}

/**
 * Of features less their centre `c`, so that the device rounds small products only:
 * `(x + c) . (y + c) = x . y + x . c + c . y + c . c`.
 */
async function discrepancy(x: Features, y: Features, c: Float64Array): Promise<number> {
  const m = x.count, d = x.dimension;
  const [xx, yy, xy] = await Promise.all([products(x, x), products(y, y), products(x, y)]);
  const xc = withCentre(x, c), yc = withCentre(y, c), cc = c.reduce((t, v) => t + v * v, 0);
  const kernel = (product: number) => (product / d + 1) ** 3;
  let within = 0, across = 0;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) {
      const at = i * m + j;
      if (j !== i) {
        within += kernel(xx[at] + xc[i] + xc[j] + cc) + kernel(yy[at] + yc[i] + yc[j] + cc);
      }
      across += kernel(xy[at] + xc[i] + yc[j] + cc);
    }
  }
  return within / (m * (m - 1)) - 2 * across / m ** 2;
}

/** The product of each row with `c`. */
function withCentre({ count, dimension: d, values }: Features, c: Float64Array): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let total = 0;
    for (let k = 0; k < d; k++) total += values[i * d + k] * c[k];
    return total;
  });
}
