import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { array, features } from "../tests/metrics_fixture.ts";
import { assertClose, random } from "../tests/support.ts";
import { frechetDistance } from "./frechet.ts";
import { zeros } from "./matrix.ts";
import { Moments, overN, type Statistics } from "./statistics.ts";

function statisticsOf(name: string): Statistics {
  const { dimension, values } = features(name), moments = new Moments(dimension);
  moments.add(values);
  return moments.statistics();
}
/** A Gaussian of independent numbers. */
function gaussian(mean: number[], variances: number[]): Statistics {
  const d = mean.length, covariance = zeros(d, d);
  variances.forEach((v, i) => covariance.data[i * d + i] = v);
  return { count: undefined, mean: Float64Array.from(mean), covariance };
}
const close = (actual: number, expected: number) =>
  assertAlmostEquals(actual, expected, 1e-6 * Math.abs(expected));

Deno.test("distances are SciPy's, with enough images and with fewer than features", () => {
  const [x, y, few] = ["x", "y", "few"].map(statisticsOf);
  close(frechetDistance(x, y), array("frechet/full")[0]);
  close(frechetDistance(y, x), array("frechet/full")[0]);
  close(frechetDistance(few, x), array("frechet/few")[0]);
  close(frechetDistance(x, few), array("frechet/few")[0]);
  // Which is factored follows from the counts; without them it is right, too.
  close(
    frechetDistance({ ...x, count: undefined }, { ...few, count: undefined }),
    array("frechet/few")[0],
  );
});

Deno.test("distances of Gaussians that are known", () => {
  // Independent numbers: (m1 - m2)^2 + (sqrt v1 - sqrt v2)^2, summed
  const a = gaussian([0, 1, 2], [1, 4, 9]), b = gaussian([1, 1, 0], [4, 4, 0]);
  assertAlmostEquals(frechetDistance(a, b), 1 + 4 + 1 + 9, 1e-12);
  assertAlmostEquals(frechetDistance(gaussian([3], [0]), gaussian([5], [0])), 4, 1e-12);
});

Deno.test("the distance with covariances over N is StyleGAN3's", () => {
  const [x, y] = ["x", "y"].map(statisticsOf);
  close(frechetDistance(overN(x), overN(y)), array("frechet/n")[0]);
  const unknown = { ...x, count: undefined };
  assertEquals(overN(unknown), unknown);
});

Deno.test("a set has distance 0 to itself, and in another order never less", () => {
  for (const name of ["x", "few"]) {
    const s = statisticsOf(name), { dimension: d, count, values } = features(name);
    assertEquals(frechetDistance(s, s), 0);
    assertEquals(frechetDistance(s, { ...s, mean: s.mean.slice() }), 0);
    // Of parts of the set, as rounding alone would leave some of them above 0.
    for (let n = 2; n < count; n++) {
      const part = new Moments(d);
      part.add(values.slice(0, n * d));
      assertEquals(frechetDistance(part.statistics(), part.statistics()), 0);
    }
    for (let turn = 1; turn < count; turn++) {
      const turned = new Moments(d);
      turned.add(values.slice(turn * d));
      turned.add(values.slice(0, turn * d));
      const distance = frechetDistance(s, turned.statistics());
      assert(distance >= 0 && distance < 1e-6, `${name}: ${distance}`);
    }
  }
});

Deno.test("counts below 1 are refused", () => {
  for (const count of [0, -3, NaN]) {
    const s = { ...gaussian([0], [1]), count };
    assertThrows(() => frechetDistance(gaussian([1], [1]), s), RangeError, `of ${count} images`);
  }
});

Deno.test("features of different length are refused", () => {
  assertThrows(
    () => frechetDistance(gaussian([0], [1]), gaussian([0, 0], [1, 1])),
    RangeError,
    "1 and 2",
  );
});

Deno.test("statistics are those of the definition, in whatever batches", () => {
  const d = 5, n = 700, next = random(3);
  const values = Float32Array.from({ length: n * d }, (_, i) => 1000 * (i % d) + next());
  const whole = new Moments(d), parts = new Moments(d);
  whole.add(values);
  for (let at = 0; at < n; at += 37) parts.add(values.subarray(at * d, Math.min(n, at + 37) * d));
  const mean = Array.from({ length: d }, (_, c) => {
    let t = 0;
    for (let i = 0; i < n; i++) t += values[i * d + c] / n;
    return t;
  });
  const covariance = Array.from({ length: d * d }, (_, at) => {
    const [a, b] = [Math.floor(at / d), at % d];
    let t = 0;
    for (let i = 0; i < n; i++) t += (values[i * d + a] - mean[a]) * (values[i * d + b] - mean[b]);
    return t / (n - 1);
  });
  for (const moments of [whole, parts]) {
    const s = moments.statistics();
    assertEquals(s.count, n);
    assertClose("mean", s.mean, mean, { rtol: 1e-12 });
    assertClose("covariance", s.covariance.data, covariance, { rtol: 1e-9, atol: 1e-10 });
  }
});

Deno.test("statistics of too little, and of what is not finite, are refused", () => {
  const moments = new Moments(2);
  moments.add(Float32Array.of(1, 2));
  assertThrows(() => moments.statistics(), RangeError, "got 1 image, expected at least 2");
  assertThrows(
    () => moments.add(Float32Array.of(1, NaN)),
    RangeError,
    "feature 1 of image 2 is not finite",
  );
  assertThrows(() => moments.add(new Float32Array(3)), RangeError, "rows of 2");
});
