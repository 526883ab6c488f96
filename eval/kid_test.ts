import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { openGpu } from "../gpu/device.ts";
import { array, features } from "../tests/metrics_fixture.ts";
import { kid } from "./kid.ts";
import { range } from "./products.ts";
await openGpu();

const x = features("x"), y = features("y");

Deno.test("KID of all pictures is NumPy's", async () => {
  const found = await kid(range(x, 0, 70), y);
  assertAlmostEquals(found.value, array("kid")[0], 1e-5 * array("kid")[0]);
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
