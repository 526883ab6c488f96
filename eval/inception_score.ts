/** What {@linkcode inceptionScore} gives. */
export interface InceptionScore {
  /** The mean over the splits. */
  readonly value: number;
  /** The standard deviation over the splits. */
  readonly deviation: number;
}

/**
 * The Inception Score: `exp(mean KL(p(y|x) | p(y)))`, the mean over splits.
 *
 * @param logits `[n, classes]`, without the bias, as the original has it.
 * @param classes Numbers a picture.
 * @param splits Parts of the pictures in their order, each with a `p(y)` of its own.
 * @throws {RangeError} If there are fewer pictures than splits.
 * @see Salimans et al. 2016, https://arxiv.org/abs/1606.03498
 */
export function inceptionScore(
  logits: Float32Array,
  classes: number,
  splits = 10,
): InceptionScore {
  const n = logits.length / classes;
  if (!Number.isInteger(n) || n < splits) {
    throw new RangeError(`inceptionScore: got ${n} pictures, expected at least ${splits}`);
  }
  const scores = Array.from({ length: splits }, (_, i) => {
    const [from, to] = [i, i + 1].map((s) => Math.floor(s * n / splits));
    return scoreOf(logits.subarray(from * classes, to * classes), classes);
  });
  const value = scores.reduce((a, b) => a + b) / splits;
  const variance = scores.reduce((t, s) => t + (s - value) ** 2, 0) / splits;
  return { value, deviation: Math.sqrt(variance) };
}

/** `KL = sum_y p log p - sum_y p log q`: the mean of the first over pictures, minus the entropy of q. */
function scoreOf(logits: Float32Array, classes: number): number {
  const n = logits.length / classes, marginal = new Float64Array(classes);
  let certainty = 0;
  for (let i = 0; i < n; i++) {
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
