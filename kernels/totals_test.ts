import { assertEquals } from "@std/assert";
import { gpu } from "../gpu/gpu.ts";
import { noGrad } from "../tensor/op.ts";
import { tensor } from "../tensor/tensor.ts";
import { inFewGroups } from "../tests/check.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { totals } from "./totals.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

// Terms and elements of each list: one term; two to six; one element, primes, workgroups and one more.
const cases: Record<string, { sizes: readonly [terms: number, n: number][]; dispatches: number }> =
  {
    "nothing to add": { sizes: [[1, 5]], dispatches: 0 },
    "one": { sizes: [[2, 7]], dispatches: 1 },
    "three terms": { sizes: [[3, 257]], dispatches: 1 },
    "two and three": { sizes: [[2, 256], [3, 257]], dispatches: 1 },
    "three and two": { sizes: [[3, 1], [2, 1021]], dispatches: 1 },
    "many": { sizes: [[6, 3], [2, 70_001], [1, 4], [4, 300], [5, 1], [2, 64]], dispatches: 6 },
  };
for (const [name, { sizes, dispatches }] of Object.entries(cases)) {
  Deno.test(`totals() of ${name}`, async () => {
    const lists = sizes.map(([terms, n], i) =>
      Array.from({ length: terms }, (_, k) => randoms(n, 10 * i + k))
    );
    const given = lists.map((list) => list.map((values) => tensor(values, [values.length])));
    const before = gpu().counters.dispatches;
    const sums = inFewGroups(() => noGrad(() => totals(given)));
    assertEquals(gpu().counters.dispatches - before, dispatches);
    for (const [i, list] of lists.entries()) {
      const expected = list[0].map((_, e) => list.reduce((t, values) => t + values[e], 0));
      assertClose(`sum ${i}`, await sums[i].read(), expected);
      assertClose(`recorded ${i}`, await totals(given)[i].read(), expected);
    }
  });
}
