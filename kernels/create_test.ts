import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { full } from "./elementwise.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { inFewGroups } from "../tests/check.ts";
import { arange, ones, randn, zeros } from "./create.ts";
await openGpu();

Deno.test("zeros, ones and arange are what they are in PyTorch", async () => {
  assertEquals([...await zeros([2, 3]).read()], [0, 0, 0, 0, 0, 0]);
  assertEquals([...await ones([3]).read()], [1, 1, 1]);
  assertEquals([...await arange(0, 5).read()], [0, 1, 2, 3, 4]);
  assertEquals([...await arange(1, 2, 0.25).read()], [1, 1.25, 1.5, 1.75]);
  assertEquals([...await arange(3, 0, -1).read()], [3, 2, 1]);
  for (const [start, end, step] of [[1, 1, 1], [0, 5, -1], [0, 5, 0], [0, NaN, 1]]) {
    assertThrows(() => arange(start, end, step), RangeError, "arange: got");
  }
});

Deno.test("randn depends on its key alone, and is standard normal", async () => {
  const draw = async (counter: number) => [...await randn([10_000], { seed: 1, counter }).read()];
  const first = await draw(0), again = await draw(0), other = await draw(1);
  assertEquals(first, again);
  assert(first.every((x, i) => x !== other[i]));
  const mean = first.reduce((sum, x) => sum + x) / first.length;
  const variance = first.reduce((sum, x) => sum + (x - mean) ** 2, 0) / first.length;
  assertAlmostEquals(mean, 0, 0.04); // four standard errors
  assertAlmostEquals(variance, 1, 0.06);
});

Deno.test("what is filled is full, in more workgroups than one", async () => {
  const y = await inFewGroups(() => full([1031], 2.5)).read();
  assertEquals(y.length, 1031);
  assertEquals(y.filter((value) => value !== 2.5).length, 0);
});
