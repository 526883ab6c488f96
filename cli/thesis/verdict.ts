/**
 * Whether measurements agree with a claim, by a rule that is fixed beforehand.
 *
 * @module
 */

/** What came out, and by what numbers. */
export interface Verdict {
  readonly word: "agrees" | "disagrees" | "cannot be told" | "not run yet";
  readonly why: string;
}

/** The rule, for readers. */
export const RULE =
  "A claim that A is better than B *agrees* if the mean of A's seeds is better than that of B's by " +
  "more than the margin of error: t standard errors of the difference, with Welch's degrees of " +
  "freedom, rounded down, and the two-sided 5% quantile of Student's t. It *disagrees* if A is worse by more than " +
  "that. Otherwise it *cannot be told at this scale*: the difference is within the spread of seeds. " +
  "A claim that A is the best must hold against every other variant. A claim that A is *not* better " +
  "than B disagrees if A is better by more than the margin, and agrees if even the largest gain " +
  "within the margin is below 5% of B's mean. Nothing is told from fewer than two seeds a variant, " +
  "nor from images of another size than the claim is about, nor from fewer than 1,000 steps of G: " +
  "before them weights have hardly left their first values, and a distance ranks kinds of noise.";

/**
 * Steps of G from which on something is told: see {@linkcode RULE}. After 313 steps of the preset
 * `thesis` (CelebA at 32 pixels, width 16) SAGAN's noise had FID-768 2.70, and DCGAN's blurred faces
 * 3.14 and 2.72.
 */
export const LEAST_STEPS = 1000;

/** Two-sided 5% quantiles of Student's t, from 1 degree of freedom. */
const T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
const NEGLIGIBLE = 0.05;

/** The two-sided 5% quantile of Student's t; beyond 10 degrees of freedom by its expansion in 1 / df. */
export function quantile(df: number): number {
  const n = Math.floor(df), z = 1.959964;
  if (n <= T.length) return T[Math.max(n, 1) - 1];
  return z + (z ** 3 + z) / (4 * n) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * n ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * n ** 3);
}

/** Mean of some numbers. */
export function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** Standard deviation of a sample, over n - 1. */
export function deviation(values: readonly number[]): number {
  const m = mean(values);
  return Math.sqrt(values.reduce((sum, x) => sum + (x - m) ** 2, 0) / (values.length - 1));
}

/** How much better A is than B, and the margin of error of that; `less` is better. */
export function gain(a: readonly number[], b: readonly number[]): { by: number; margin: number } {
  const [va, vb] = [a, b].map((x) => deviation(x) ** 2 / x.length), variance = va + vb;
  const df = variance ** 2 / (va ** 2 / (a.length - 1) + vb ** 2 / (b.length - 1));
  const margin = variance === 0 ? 0 : quantile(df) * Math.sqrt(variance);
  return { by: mean(b) - mean(a), margin };
}

/** Measurements of a claim, a number for each seed. */
export interface Evidence {
  /** Whether less of it is better, or more. */
  readonly better: "less" | "more";
  /** Of the variant that is claimed to be better. */
  readonly a: readonly number[];
  /** Of those that it is claimed to be better than, by their names. */
  readonly others: Readonly<Record<string, readonly number[]>>;
  /** Whether the claim is that it is not better. */
  readonly denied?: boolean | undefined;
}

/** The verdict by {@linkcode RULE}. */
export function verdictOn({ better, a, others, denied = false }: Evidence): Verdict {
  const all = Object.entries(others);
  const missing = [a, ...all.map(([, b]) => b)].some(({ length }) => length === 0);
  if (missing) {
    return { word: "not run yet", why: "a variant has no finished run with such a number" };
  }
  if (a.length < 2 || all.some(([, b]) => b.length < 2)) {
    return { word: "cannot be told", why: "a variant has fewer than two finished runs" };
  }
  const sign = better === "less" ? 1 : -1,
    signed = (x: readonly number[]) => x.map((v) => sign * v);
  const found = all.map(([name, b]) => {
    const { by, margin } = gain(signed(a), signed(b)), scale = Math.abs(mean(b));
    return { word: denied ? notBetter(by, margin, scale) : isBetter(by, margin), name, by, margin };
  });
  const word = found.some(({ word }) => word === "disagrees")
    ? "disagrees"
    : found.every(({ word }) => word === "agrees")
    ? "agrees"
    : "cannot be told";
  const texts = found.map(({ name, by, margin }) =>
    `${by < 0 ? "worse" : "better"} than ${name} by ${digits(Math.abs(by))} ± ${digits(margin)}`
  );
  return { word, why: texts.join(", ") };
}

function isBetter(by: number, margin: number): Verdict["word"] {
  return by > margin ? "agrees" : by < -margin ? "disagrees" : "cannot be told";
}

function notBetter(by: number, margin: number, scale: number): Verdict["word"] {
  if (by > margin) return "disagrees";
  return by + margin < NEGLIGIBLE * scale ? "agrees" : "cannot be told";
}

/** Three digits that count. */
export function digits(value: number): string {
  return value === 0 ? "0" : Number(value.toPrecision(3)).toString();
}
