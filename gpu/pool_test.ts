import { assertEquals } from "@std/assert";
import { Pool } from "./pool.ts";

const item = (age: number) => ({ age });

Deno.test("pool: of the same size, the oldest first, however they came back", () => {
  const pool = new Pool();
  for (const age of [3, 1, 2]) pool.put("a", 8, item(age));
  assertEquals([1, 2, 3, 4].map(() => pool.take("a", 8)?.age), [1, 2, 3, undefined]);
});

Deno.test("pool: an exact fit counts more than an older one; then the least larger, to a limit", () => {
  const pool = new Pool();
  for (const [size, age] of [[17, 1], [16, 2], [12, 3], [8, 4], [7, 5]]) {
    pool.put("a", size, item(age));
  }
  assertEquals([1, 2, 3, 4].map(() => pool.take("a", 8, 16)?.age), [4, 3, 2, undefined]);
  assertEquals([pool.take("a", 9)?.age, pool.take("a", 9, 17)?.age], [undefined, 1]);
});

Deno.test("pool: kinds do not mix", () => {
  const pool = new Pool();
  pool.put("a", 8, item(1));
  assertEquals(pool.take("b", 8), undefined);
  assertEquals(pool.take("a", 8)?.age, 1);
});

Deno.test("pool: some or all are taken out", () => {
  const pool = new Pool();
  for (const age of [1, 2, 3, 4]) pool.put(age % 2 ? "odd" : "even", 8, item(age));
  assertEquals(pool.takeAll(({ age }) => age > 2).map(({ age }) => age), [3, 4]);
  assertEquals(pool.take("odd", 8)?.age, 1);
  assertEquals(pool.takeAll().map(({ age }) => age), [2]);
  assertEquals(pool.takeAll(), []);
});
