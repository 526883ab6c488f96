import { assert, assertAlmostEquals, assertThrows } from "@std/assert";
import { array, features } from "../tests/metrics_fixture.ts";
import { inceptionScore } from "./inception_score.ts";

Deno.test("the score is NumPy's, shuffled as torch-fidelity does and in order", () => {
  const { values, dimension } = features("x");
  const shuffled = inceptionScore(values, dimension);
  assertAlmostEquals(shuffled.value, array("score/shuffled")[0], 1e-6);
  assertAlmostEquals(shuffled.deviation, array("score/shuffled")[1], 1e-6);
  const inOrder = inceptionScore(values, dimension, 10, null);
  assertAlmostEquals(inOrder.value, array("score")[0], 1e-6);
  assertAlmostEquals(inOrder.deviation, array("score/deviation")[0], 1e-6);
});

Deno.test("images sorted by class have torch-fidelity's score, and without a shuffle about 1", () => {
  const { values, dimension } = features("classes");
  const { value, deviation } = inceptionScore(values, dimension);
  assertAlmostEquals(value, array("classes/score")[0], 1e-6);
  assertAlmostEquals(deviation, array("classes/score")[1], 1e-6);
  assert(inceptionScore(values, dimension, 12, null).value < 1.1);
});

Deno.test("the score is 1 for undecided logits, and the number of classes for sure and even ones", () => {
  assertAlmostEquals(inceptionScore(new Float32Array(60), 3, 2).value, 1, 1e-12);
  const sure = Float32Array.from(
    { length: 60 },
    (_, i) => Math.floor(i / 3) % 3 === i % 3 ? 500 : -500,
  );
  assertAlmostEquals(inceptionScore(sure.subarray(0, 54), 3, 2, null).value, 3, 1e-12);
});

Deno.test("fewer images than splits are refused", () => {
  assertThrows(() => inceptionScore(new Float32Array(9), 3), RangeError, "got 3 images");
});
