/** Metrics against NumPy and SciPy: tests/oracle/more_metrics.py says what there is. */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { conventionsOf } from "../eval/conventions.ts";
import { EvalError } from "../eval/errors.ts";
import { authPct } from "../eval/metrics/authenticity.ts";
import { ctMetric, ctScore, zScore } from "../eval/metrics/ct_score.ts";
import { fdInfinity } from "../eval/metrics/fd_infinity.ts";
import { mind, slicedWasserstein } from "../eval/metrics/mind.ts";
import { METRICS } from "../eval/metrics/registry.ts";
import { vendiScore } from "../eval/metrics/vendi.ts";
import { nearest } from "../eval/nearest.ts";
import { NumpyRandom } from "../eval/numpy_random.ts";
import { type Features, range } from "../eval/products.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { loadSafetensors } from "../io/safetensors.ts";
import { assertClose } from "./support.ts";
await openGpu();

const path = new URL("./fixtures/more_metrics.safetensors", import.meta.url).pathname;
const { entries } = await loadSafetensors(path);
const array = (name: string) => entries.get(name)!.data as Float32Array; // rounded to float32
function features(name: string): Features {
  const { shape: [count, dimension], data } = entries.get(name)!;
  return { count, dimension, values: data as Float32Array };
}
const training = features("training"), fake = features("fake"), heldOut = features("held_out");
const asked = { like: conventionsOf("pytorch-fid"), names: { real: "a", fake: "b" } };
const near = (actual: unknown, expected: number, relative: number) =>
  assertAlmostEquals(Number(actual), expected, relative * Math.abs(expected));

Deno.test("normal numbers are those of NumPy's RandomState", () => {
  const random = new NumpyRandom(2020);
  const drawn = Float64Array.from({ length: 9 }, () => random.normal());
  assertClose("normal", drawn, array("normal"), { rtol: 1e-7, atol: 0 });
});

Deno.test("Vendi score, of more and of fewer images than features", () => {
  near(vendiScore(fake), array("vendi")[0], 1e-7);
  near(vendiScore(range(fake, 0, 4)), array("vendi/few")[0], 1e-7);
  // By hand: n equal images count as one, n at right angles as n.
  const eye = { count: 5, dimension: 5, values: new Float32Array(25) };
  for (let i = 0; i < 5; i++) eye.values[6 * i] = i + 1;
  assertAlmostEquals(vendiScore(eye), 5, 1e-12);
  assertAlmostEquals(vendiScore({ ...eye, values: eye.values.map(() => 2) }), 1, 1e-12);
  assertThrows(() => vendiScore({ ...eye, values: new Float32Array(25) }), RangeError, "image 1");
});

Deno.test("MIND has torch-fidelity's formula, of sets of different size, too", async () => {
  near((await mind.measure({ real: training, fake }, asked)).value, array("mind")[0], 1e-5);
  const moved = { ...fake, values: fake.values.map((x, i) => x + [1, 0, 0, 2, 0, 0][i % 6]) };
  const { value } = await mind.measure({ real: fake, fake: moved }, asked);
  near(value, array("mind")[1], 1e-5);
  near(value, 3 * 5, 0.1); // 3 |v|^2 in expectation
  assertEquals((await mind.measure({ real: fake, fake }, asked)).value, 0);
  await assertRejects(() => slicedWasserstein(training, fake, fake), RangeError, "as many");
});

Deno.test("authenticity is dgm-eval's: 0 for copies", async () => {
  const found = [fake, range(training, 0, 50), heldOut].map((side) => authPct(training, side));
  assertClose("authpct", await Promise.all(found), array("authpct"), { rtol: 1e-7, atol: 1e-9 });
});

Deno.test("C_T is that of Meehan's code", async () => {
  const centres = features("centres"),
    half = range(heldOut, 0, 100),
    other = range(heldOut, 100, 200);
  near(await ctScore({ real: training, fake, heldOut }, centres), array("ct")[0], 1e-7);
  near(
    await ctScore({ real: training, fake: other, heldOut: half }, centres),
    array("ct")[1],
    1e-7,
  );
  // By hand: 3 pairs of 4 larger, one equal: U = 3.5 of 4; (3.5 - 1.5) / sqrt(4 * 5 / 12)
  near(zScore(Float64Array.of(2, 5), Float64Array.of(1, 2)), 2 / Math.sqrt(20 / 12), 1e-12);
  const { value } = await ctMetric.measure({ real: training, fake: training, heldOut }, asked);
  assert(Number(value) < -5, `all copied: ${value}`);
  await assertRejects(
    () => ctScore({ real: training, fake: range(fake, 0, 9), heldOut }, centres),
    EvalError,
    "--samples",
  );
});

Deno.test("FD-infinity extrapolates both sides", async () => {
  const found = await fdInfinity.measure({ real: training, fake }, asked);
  near(found.value, array("fd_infinity")[0], 1e-7);
  assertEquals(found.extrapolated, "both sides");
  await assertRejects(
    async () => await fdInfinity.measure({ real: training, fake: range(fake, 0, 199) }, asked),
    EvalError,
    "b holds 199 images",
  );
});

Deno.test("nearest rows: exact, the first of equal ones, and without itself", async () => {
  const rows = { count: 4, dimension: 1, values: Float32Array.of(0, 0, 3, 7) };
  const all = await nearest(rows, rows, 2);
  assertEquals([...all.index], [0, 1, 0, 1, 2, 0, 3, 2]);
  const others = await nearest(rows, rows, 1, [0, 1, 2, 3]);
  assertEquals([...others.index], [1, 0, 0, 2]);
  assertEquals([...others.squared], [0, 0, 9, 16]);
  await assertRejects(() => nearest(rows, rows, 4, [0, 1, 2, 3]), RangeError, "at least 4");
});

Deno.test("each metric names its source, and its numbers", () => {
  for (const { name, source, numbers } of METRICS) {
    assert(/https:\/\/(arxiv\.org\/abs\/\d{4}\.\d{5}|github\.com\/davisking\/)/.test(source), name);
    assert(Object.keys(numbers).length > 0, name);
  }
  assertEquals(new Set(METRICS.map(({ name }) => name)).size, METRICS.length);
});
