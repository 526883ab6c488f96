import { assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { deviation, gain, quantile, verdictOn } from "./verdict.ts";

Deno.test("a claim agrees, disagrees, or cannot be told", () => {
  const low = [1, 1.1, 1.2], high = [2, 2.1, 2.2], wide = [0.5, 1.5, 3];
  const word = (a: number[], b: number[], better: "less" | "more" = "less") =>
    verdictOn({ better, a, others: { b } }).word;
  assertEquals(word(low, high), "agrees");
  assertEquals(word(high, low), "disagrees");
  assertEquals(word(low, wide), "cannot be told");
  assertEquals(word(high, low, "more"), "agrees");
  assertEquals(word(low, high, "more"), "disagrees");
  assertEquals(word(low, low), "cannot be told");
});

Deno.test("of several variants each must be beaten, and one that is better disproves", () => {
  const a = [2, 2.1, 2.2], worse = [3, 3.1, 3.2], equal = [2.1, 2.2, 2.3], best = [1, 1.1, 1.2];
  const word = (others: Record<string, number[]>) => verdictOn({ better: "less", a, others }).word;
  assertEquals(word({ worse, alike: [3.5, 3.6, 3.7] }), "agrees");
  assertEquals(word({ worse, equal }), "cannot be told");
  assertEquals(word({ worse, equal, best }), "disagrees");
});

Deno.test("a claim that something does not help", () => {
  const word = (a: number[], b: number[]) =>
    verdictOn({ better: "less", a, others: { b }, denied: true }).word;
  assertEquals(word([1, 1.1, 1.2], [2, 2.1, 2.2]), "disagrees");
  assertEquals(word([2, 2.1, 2.2], [1, 1.1, 1.2]), "agrees");
  assertEquals(word([2, 2.01, 2.02], [2, 2.01, 2.02]), "agrees");
  assertEquals(word([1, 2, 3], [1, 2, 3]), "cannot be told");
});

Deno.test("one seed tells nothing, and equal values no error", () => {
  const one = verdictOn({ better: "less", a: [1], others: { b: [2, 3] } });
  assertEquals(one.word, "cannot be told");
  assertStringIncludes(one.why, "fewer than two");
  assertEquals(verdictOn({ better: "less", a: [1, 2], others: { b: [] } }).word, "not run yet");
  assertEquals(verdictOn({ better: "less", a: [1, 1], others: { b: [2, 2] } }).word, "agrees");
  assertEquals(
    verdictOn({ better: "less", a: [1, 1], others: { b: [1, 1] } }).word,
    "cannot be told",
  );
});

// scipy 1.17: stats.t.ppf(0.975, df); the error and 4.84 degrees of freedom by Welch's formula in NumPy.
Deno.test("Welch's interval", () => {
  for (const [df, t] of [[1, 12.7062], [4.9, 2.7764], [10, 2.2281], [11, 2.201], [100, 1.984]]) {
    assertAlmostEquals(quantile(df), t, 1e-3);
  }
  assertAlmostEquals(deviation([1, 2, 4]), 1.5275252316519468, 1e-12);
  const { by, margin } = gain([1, 2, 4], [3, 5, 9, 4]);
  assertAlmostEquals(by, 2.9166666666666665, 1e-12);
  assertAlmostEquals(margin, 2.776 * 1.5833333333333335, 1e-12);
});
