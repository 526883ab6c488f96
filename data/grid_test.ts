import { assertEquals, assertThrows } from "@std/assert";
import { grid } from "./grid.ts";

Deno.test("grid lays out row by row, and leaves white what is left over", () => {
  const pixels = Uint8Array.from({ length: 3 * 12 }, (_, i) => Math.floor(i / 3));
  const { width, height, data, step } = grid(pixels, 3, 2);
  assertEquals([width, height, step], [4, 4, 3]);
  assertEquals([...data].filter((_, i) => i % 3 === 0), [
    ...[0, 1, 4, 5],
    ...[2, 3, 6, 7],
    ...[8, 9, 255, 255],
    ...[10, 11, 255, 255],
  ]);
});

Deno.test("grid takes a number of columns", () => {
  const sheet = grid(new Uint8Array(6 * 27), 6, 3, 6);
  assertEquals([sheet.width, sheet.height], [18, 3]);
  assertEquals([grid(new Uint8Array(5 * 3), 5, 1).width, grid(new Uint8Array(3), 1, 1).width], [
    3,
    1,
  ]);
});

Deno.test("grid keeps gray gray, and leaves transparent what is left over of images with alpha", () => {
  const gray = grid(Uint8Array.of(1, 2, 3), 3, 1), alpha = grid(new Uint8Array(12).fill(9), 3, 1);
  assertEquals([gray.step, ...gray.data], [1, 1, 2, 3, 255]);
  assertEquals([alpha.step, ...alpha.data], [4, ...Array(12).fill(9), 0, 0, 0, 0]);
});

Deno.test("grid refuses pixels that do not fit", () => {
  assertThrows(() => grid(new Uint8Array(11), 1, 2), RangeError, "got 11 bytes, expected 1 x 2");
  assertThrows(() => grid(new Uint8Array(12), 1, 2, 0), RangeError, "0 columns");
});
