import { NumpyRandom } from "./numpy_random.ts";

/** What {@linkcode inceptionScore} gives. */
export interface InceptionScore {
  /** The mean over the splits. */
  readonly value: number;
  /** The standard deviation over the splits. */
  readonly deviation: number;
}

/** The seed of torch-fidelity's shuffle. */
export const SHUFFLE_SEED = 2020;

/**
 * The Inception Score: `exp(mean KL(p(y|x) | p(y)))`, the mean over splits of shuffled images. Without
 * a shuffle, a folder sorted by class has one class in each split, and a score of 1.
 *
 * @param logits `[n, classes]`, without the bias, as the original has it.
 * @param classes Logits per image.
 * @param splits Parts of the images, each with a `p(y)` of its own.
 * @param seed Images are shuffled by NumPy's `RandomState(seed)`, as torch-fidelity does; with null
 *   they stay in their order.
 * @throws {RangeError} If there are fewer images than splits.
 * @see Salimans et al. 2016, https://arxiv.org/abs/1606.03498
 */
export function inceptionScore(
  logits: Float32Array,
  classes: number,
  splits = 10,
  seed: number | null = SHUFFLE_SEED,
): InceptionScore {
  const n = logits.length / classes;
  if (!Number.isInteger(n) || n < splits) {
    throw new RangeError(`inceptionScore: got ${n} images, expected at least ${splits}`);
  }
  const order = seed === null
    ? Int32Array.from({ length: n }, (_, i) => i)
    : new NumpyRandom(seed).permutation(n);
  const scores = Array.from({ length: splits }, (_, i) => {
    const [from, to] = [i, i + 1].map((s) => Math.floor(s * n / splits));
    return scoreOf(logits, classes, order.subarray(from, to));
  });
  const value = scores.reduce((a, b) => a + b) / splits;
  const variance = scores.reduce((t, s) => t + (s - value) ** 2, 0) / splits;
  return { value, deviation: Math.sqrt(variance) };
}

/** `KL = sum_y p log p - sum_y p log q`: the mean of the first over images, minus the entropy of q. */
function scoreOf(logits: Float32Array, classes: number, images: Int32Array): number {
  const n = images.length, marginal = new Float64Array(classes);
  let certainty = 0;
  for (const i of images) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const peak = row.reduce((a, b) => Math.max(a, b), -Infinity);
    let total = 0;
    for (const x of row) total += Math.exp(x - peak);
    for (let y = 0; y < classes; y++) {
      const p = Math.exp(row[y] - peak) / total;
      certainty += p * (row[y] - peak - Math.log(total)) / n;
      marginal[y] += p / n;
    }
  }
  return Math.exp(marginal.reduce((kl, q) => q > 0 ? kl - q * Math.log(q) : kl, certainty));
}
