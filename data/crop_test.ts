import { assertEquals, assertThrows } from "@std/assert";
import { cropRectangle, parseCrop } from "./crop.ts";

Deno.test("parseCrop reads what it should", () => {
  assertEquals(parseCrop("center"), "center");
  assertEquals(parseCrop("none"), "none");
  assertEquals(parseCrop("148x120+15+35"), { x: 15, y: 35, width: 148, height: 120 });
});

Deno.test("parseCrop refuses the rest and shows it", () => {
  for (
    const text of ["", "Center", "10x10", "0x5+1+1", "5x0+1+1", "5x5+-1+0", "5x5+1+1 ", "5.5x5+1+1"]
  ) {
    assertThrows(() => parseCrop(text), RangeError, JSON.stringify(text));
  }
});

Deno.test("cropRectangle: centre square, whole, and a rectangle only where it fits", () => {
  assertEquals(cropRectangle("center", 7, 4), { x: 1, y: 0, width: 4, height: 4 });
  assertEquals(cropRectangle("center", 3, 8), { x: 0, y: 2, width: 3, height: 3 });
  assertEquals(cropRectangle("none", 7, 4), { x: 0, y: 0, width: 7, height: 4 });
  const part = { x: 2, y: 1, width: 5, height: 3 };
  assertEquals(cropRectangle(part, 7, 4), part);
  assertEquals(cropRectangle(part, 6, 4), undefined);
  assertEquals(cropRectangle(part, 7, 3), undefined);
});
