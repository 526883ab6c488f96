import { assertEquals, assertThrows } from "@std/assert";
import { memo } from "./memo.ts";

Deno.test("a result is made once for each recipe", () => {
  let calls = 0;
  const product = memo(({ a, b }: { a: number; b: number }) => (calls++, { value: a * b }));
  const first = product({ a: 2, b: 6 });
  assertEquals(product({ a: 2, b: 6 }) === first, true);
  // The same product of other factors is another recipe.
  assertEquals(product({ a: 3, b: 4 }) === first, false);
  assertEquals([calls, product.size], [2, 2]);
});

Deno.test("what JSON does not keep apart is refused", () => {
  const same = memo((recipe: { x: number | undefined }) => recipe.x);
  assertEquals([same({ x: 1 }), same({ x: undefined })], [1, undefined]);
  for (const x of [NaN, Infinity, () => 1, new Map(), null, 1n]) {
    assertThrows(() => same({ x } as never), TypeError, "not plain data");
  }
});
