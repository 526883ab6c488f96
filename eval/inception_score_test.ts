import { assertAlmostEquals, assertThrows } from "@std/assert";
import { array, features } from "../tests/metrics_fixture.ts";
import { inceptionScore } from "./inception_score.ts";

Deno.test("the score is NumPy's", () => {
  const { values, dimension } = features("x");
  const { value, deviation } = inceptionScore(values, dimension);
  assertAlmostEquals(value, array("score")[0], 1e-6);
  assertAlmostEquals(deviation, array("score/deviation")[0], 1e-6);
});

Deno.test("the score is 1 for undecided logits, and the number of classes for sure and even ones", () => {
  assertAlmostEquals(inceptionScore(new Float32Array(60), 3, 2).value, 1, 1e-12);
  const sure = Float32Array.from(
    { length: 60 },
    (_, i) => Math.floor(i / 3) % 3 === i % 3 ? 500 : -500,
  );
  assertAlmostEquals(inceptionScore(sure.subarray(0, 54), 3, 2).value, 3, 1e-12);
});

Deno.test("fewer pictures than splits are refused", () => {
  assertThrows(() => inceptionScore(new Float32Array(9), 3), RangeError, "got 3 pictures");
});
