import { assertEquals } from "@std/assert";
import { sizesOf } from "./fd_infinity.ts";

Deno.test("sizes of subsets are shares rounded down, whole ones not below themselves", () => {
  // 224 (0.1 + 0.9 i / 14), by hand: 22.4 + 14.4 i
  const sizes = [22, 36, 51, 65, 80, 94, 108, 123, 137, 152, 166, 180, 195, 209, 224];
  assertEquals(sizesOf(224), sizes);
});
