import { assertEquals, assertThrows } from "@std/assert";
import { sizeOf, tensor } from "../tensor/tensor.ts";
import { checkOp, inFewGroups } from "../tests/check.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { broadcastTo, mean, sum, sumTo } from "./reduce.ts";
import { forceVariant } from "./variant.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

/** Sums the elements whose index along the kept axes is the same. */
function reference(x: number[], shape: number[], axes: number[]): number[] {
  const kept = shape.filter((_, axis) => !axes.includes(axis));
  const y = new Array(sizeOf(kept)).fill(0);
  x.forEach((v, i) => {
    let at = 0, rest = i;
    const index = [...shape].reverse().map((size) => {
      const own = rest % size;
      rest = (rest - own) / size;
      return own;
    }).reverse();
    shape.forEach((size, axis) => axes.includes(axis) || (at = at * size + index[axis]));
    y[at] += v;
  });
  return y;
}
const cases: [number[], number[]][] = [
  [[1], [0]],
  [[7], [0]],
  [[3, 5], [0]],
  [[3, 5], [1]],
  [[2, 3, 4], [1]],
  [[2, 3, 4], [0, 2]],
  [[2, 3, 2, 5], [0, 1, 2]],
  [[2, 3, 2, 5], [1, 3]],
  [[131, 3], [0]],
  [[131, 12], [0]], // by vec4, in chunks
];
for (const [shape, axes] of cases) {
  Deno.test(`sum() of [${shape}] over ${axes}`, () =>
    checkOp((x) => sum(x, axes), (x) => reference(x, shape, axes), [shape], { second: true }));
}
Deno.test("mean() over axes", () =>
  checkOp((x) => mean(x, [0, 2]), (x) => reference(x, [2, 3, 4], [0, 2]).map((v) => v / 8), [[
    2,
    3,
    4,
  ]]));
Deno.test("a long sum: more terms than one loop may take", async () => {
  const n = 300_001, x = randoms(n, 5);
  const exact = x.reduce((a, b) => a + b);
  assertClose("sum", await sum(tensor(x, [n])).read(), [exact], { rtol: 1e-5, atol: 1e-3 });
  const tall = await sum(tensor(x.slice(0, 300_000), [100_000, 3]), [0]).read();
  assertClose("sum", tall, reference(x.slice(0, 300_000), [100_000, 3], [0]), {
    rtol: 1e-5,
    atol: 1e-3,
  });
});
for (const by of ["lane", "group"] as const) {
  Deno.test(`several long sums side by side, in rounds, by ${by}`, async () => {
    const shape = [3, 5000, 5], x = randoms(sizeOf(shape), 6);
    forceVariant(by);
    const y = inFewGroups(() => sum(tensor(x, shape), [1]));
    forceVariant(undefined);
    assertClose("sum", await y.read(), reference(x, shape, [1]), { atol: 1e-3 });
  });
}
Deno.test("broadcastTo() and sumTo() are adjoint", () =>
  checkOp(
    (x) => broadcastTo(x, [2, 3, 4, 5]),
    (x) => Array.from({ length: 120 }, (_, i) => x[Math.floor(i / 5) % 4 + 4 * Math.floor(i / 60)]),
    [[2, 1, 4, 1]],
    { second: true },
  ));
Deno.test("sumTo() to the same shape changes nothing", async () => {
  const x = tensor([1, 2, 3], [3]);
  assertEquals([...await sumTo(x, [3]).read()], [1, 2, 3]);
});
Deno.test("what cannot be repeated is refused", () => {
  assertThrows(
    () => broadcastTo(tensor([1, 2], [2]), [3]),
    RangeError,
    "[2] cannot be repeated to [3]",
  );
});
