import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { array, features } from "../tests/metrics_fixture.ts";
import { kid } from "./kid.ts";
import { random } from "../tests/support.ts";
import { range } from "./products.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const x = features("x"), y = features("y");

Deno.test("KID of all images is NumPy's", async () => {
  const found = await kid(range(x, 0, 70), y);
  assertAlmostEquals(found.value, array("kid")[0], 1e-6 * array("kid")[0]);
  assertEquals([found.subsets, found.size, found.deviation], [1, 70, 0]);
});

Deno.test("KID of subsets lies around it, and is the same for the same seed", async () => {
  const options = { subsets: 30, size: 40 };
  const found = await kid(x, y, options), again = await kid(x, y, options);
  const whole = array("kid")[0], other = await kid(x, y, { ...options, seed: 1 });
  assertEquals(found, again);
  assert(found.value !== other.value);
  assert(Math.abs(found.value - whole) < 4 * found.deviation / Math.sqrt(30), `${found.value}`);
  assert(found.deviation > 0);
});

Deno.test("KID of subsets is NumPy's: fake, then real images by RandomState(7)", async () => {
  const { value, deviation } = await kid(x, y, { subsets: 20, size: 30, seed: 7 });
  const [mean, spread] = array("kid/subsets");
  assertAlmostEquals(value, mean, 1e-6 * mean);
  assertAlmostEquals(deviation, spread, 1e-6 * spread);
});

Deno.test("KID far from 0 loses nothing to float32: images that differ little", async () => {
  const next = random(2), d = 2048, n = 64;
  const values = (shift: number) =>
    Float32Array.from({ length: n * d }, () => 3 + shift + 0.1 * next());
  const a = { count: n, dimension: d, values: values(0) }, b = { ...a, values: values(1e-3) };
  const dot = (f: typeof a, i: number, g: typeof a, j: number) => {
    let t = 0;
    for (let c = 0; c < d; c++) t += f.values[i * d + c] * g.values[j * d + c];
    return (t / d + 1) ** 3;
  };
  let within = 0, across = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (i !== j) within += dot(a, i, a, j) + dot(b, i, b, j);
      across += dot(a, i, b, j);
    }
  }
  const exact = within / (n * (n - 1)) - 2 * across / n ** 2;
  assertAlmostEquals((await kid(a, b)).value, exact, 1e-4 * Math.abs(exact));
});

Deno.test("KID grows with the distance", async () => {
  const moved = (by: number) => ({ ...x, values: x.values.map((v) => v + by) });
  const [near, far, farther] = await Promise.all(
    [0.02, 0.2, 0.4].map(async (by) => (await kid(x, moved(by))).value),
  );
  assert(near < far && far < farther && Math.abs(near) < 0.1 * far, `${near} ${far} ${farther}`);
});

Deno.test("KID refuses what does not fit", async () => {
  await assertRejects(() => kid(x, range(y, 0, 1)), RangeError, "at least 2");
  await assertRejects(() => kid(x, { ...y, dimension: 23 }), RangeError, "90 x 24 and 70 x 23");
});
