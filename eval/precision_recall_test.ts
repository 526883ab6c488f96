import { assertEquals, assertRejects } from "@std/assert";
import { array, features } from "../tests/metrics_fixture.ts";
import { assertClose, random } from "../tests/support.ts";
import { precisionRecall } from "./precision_recall.ts";
import { range } from "./products.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const x = features("x"), y = features("y");
const list = (
  { precision, recall, density, coverage }: Awaited<ReturnType<typeof precisionRecall>>,
) => [
  precision,
  recall,
  density,
  coverage,
];

const same = { rtol: 1e-6, atol: 0 }; // the fixture is rounded to float32

Deno.test("precision, recall, density and coverage are SciPy's", async () => {
  assertClose("k = 3", list(await precisionRecall(x, y, 3)), array("pr"), same);
  assertClose("3 and 5", list(await precisionRecall(x, y)), array("pr/default"), same);
});

// prdc's values for whole numbers, where a distance is exact: see tests/oracle/metrics.py
Deno.test("copies of real images lie on the edge: density and coverage leave it out", async () => {
  const real = features("copies/real"), fake = features("copies/fake");
  assertClose("k = 3", list(await precisionRecall(real, fake, 3)), array("copies/k3"), same);
  assertClose("k = 5", list(await precisionRecall(real, fake, 5)), array("copies/k5"), same);
  assertEquals(list(await precisionRecall(real, real, 3)), [1, 1, 1, 1]);
});

Deno.test("more equal images than neighbours: only precision and recall with <= have them within", async () => {
  const real = features("crowd/real"), fake = features("crowd/fake");
  const prdc = { k: 5, densityK: 5, edge: false };
  assertClose("<=", list(await precisionRecall(real, fake, 5)), array("crowd/k5"), same);
  assertClose("<", list(await precisionRecall(real, fake, prdc)), array("crowd/prdc"), same);
});

Deno.test("copies are at distance 0 where products are rounded", async () => {
  // Far from 0 the float32 products of equal rows leave distances of about 0.01.
  const moved = (f: typeof x) => ({ ...f, values: f.values.map((v) => Math.fround(v + 0.1)) });
  const real = moved(x), { precision, density } = await precisionRecall(real, real, 5);
  assertEquals([precision, density], [1, 1]);
  const twice = { ...real, count: 180, values: new Float32Array([...real.values, ...real.values]) };
  assertEquals((await precisionRecall(real, twice, 5)).density, 1);
});

Deno.test("a set's images all lie in its own neighbourhoods, strangers in none", async () => {
  const [precision, recall, , coverage] = list(await precisionRecall(x, x));
  assertEquals([precision, recall, coverage], [1, 1, 1]);
  const far = { ...y, values: y.values.map((v) => v + 100) };
  assertEquals(list(await precisionRecall(x, far)), [0, 0, 0, 0]);
});

Deno.test("more images than are taken at a time", async () => {
  const next = random(5), d = 2, count = 1100, k = 5;
  const values = () => Float32Array.from({ length: count * d }, next);
  const a = { count, dimension: d, values: values() }, b = { ...a, values: values() };
  const distance = (f: typeof a, i: number, g: typeof a, j: number) =>
    (f.values[2 * i] - g.values[2 * j]) ** 2 + (f.values[2 * i + 1] - g.values[2 * j + 1]) ** 2;
  const all = [...Array(count).keys()];
  const radii = (f: typeof a) =>
    all.map((i) => Float64Array.from(all, (j) => distance(f, i, f, j)).sort()[k]);
  const ra = radii(a), rb = radii(b);
  const inside = all.map((i) => all.filter((j) => distance(a, i, b, j) < ra[i]));
  const recalled = all.filter((i) => all.some((j) => distance(a, i, b, j) <= rb[j]));
  assertClose("pr", list(await precisionRecall(a, b, k)), [
    new Set(inside.flat()).size / count,
    recalled.length / count,
    inside.flat().length / (k * count),
    inside.filter((hits) => hits.length > 0).length / count,
  ], { rtol: 1e-12, atol: 0 });
});

Deno.test("what has no k-th neighbour is refused", async () => {
  await assertRejects(() => precisionRecall(x, range(y, 0, 3), 3), RangeError, "more than 3");
});
