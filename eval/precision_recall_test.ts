import { assertEquals, assertRejects } from "@std/assert";
import { openGpu } from "../gpu/device.ts";
import { array, features } from "../tests/metrics_fixture.ts";
import { assertClose, random } from "../tests/support.ts";
import { precisionRecall } from "./precision_recall.ts";
import { range } from "./products.ts";
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

Deno.test("precision, recall, density and coverage are SciPy's", async () => {
  assertClose("pr", list(await precisionRecall(x, y)), array("pr"), { rtol: 1e-6, atol: 0 });
});

Deno.test("a set's pictures all lie in its own neighbourhoods, strangers in none", async () => {
  const [precision, recall, , coverage] = list(await precisionRecall(x, x));
  assertEquals([precision, recall, coverage], [1, 1, 1]);
  const far = { ...y, values: y.values.map((v) => v + 100) };
  assertEquals(list(await precisionRecall(x, far)), [0, 0, 0, 0]);
});

Deno.test("more pictures than are taken at a time", async () => {
  const next = random(5), d = 2, count = 1100, k = 5;
  const values = () => Float32Array.from({ length: count * d }, next);
  const a = { count, dimension: d, values: values() }, b = { ...a, values: values() };
  const distance = (f: typeof a, i: number, g: typeof a, j: number) =>
    (f.values[2 * i] - g.values[2 * j]) ** 2 + (f.values[2 * i + 1] - g.values[2 * j + 1]) ** 2;
  const all = [...Array(count).keys()];
  const radii = (f: typeof a) =>
    all.map((i) => Float64Array.from(all, (j) => distance(f, i, f, j)).sort()[k]);
  const ra = radii(a), rb = radii(b);
  const inside = all.map((i) => all.filter((j) => distance(a, i, b, j) <= ra[i]));
  const recalled = all.filter((i) => all.some((j) => distance(a, i, b, j) <= rb[j]));
  assertClose("pr", list(await precisionRecall(a, b, k)), [
    new Set(inside.flat()).size / count,
    recalled.length / count,
    inside.flat().length / (k * count),
    inside.filter((hits) => hits.length > 0).length / count,
  ], { rtol: 2e-3, atol: 0 }); // a distance or two may lie on the edge in float32
});

Deno.test("what has no k-th neighbour is refused", async () => {
  await assertRejects(() => precisionRecall(x, range(y, 0, 3)), RangeError, "more than 3");
});
