import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Dataset } from "./pack.ts";
import { resample } from "./resample.ts";
import { shrink } from "./shrink.ts";

const S = 12, count = 3, size = S * S * 3;
const pixels = Uint8Array.from({ length: count * size }, (_, i) => (i * i * 7 + i * 31) % 256);
const dataset: Dataset = { name: "p", count, resolution: S, pixels, hash: "", broken: [] };

for (const resize of ["area", "nearest"] as const) {
  for (const R of [1, 2, 3, 4, 6]) {
    Deno.test(`shrink() to ${R} is resample() by ${resize}, image by image`, () => {
      const small = shrink(dataset, R, resize);
      assertEquals([small.resolution, small.count, small.name], [R, count, "p"]);
      for (let n = 0; n < count; n++) {
        const rgb = pixels.subarray(n * size, (n + 1) * size);
        const whole = { x: 0, y: 0, width: S, height: S };
        assertEquals(
          small.pixels.slice(n * R * R * 3, (n + 1) * R * R * 3),
          resample({ width: S, height: S, rgb }, whole, R, resize),
        );
      }
    });
  }
}

Deno.test("shrink() to the same size gives the images themselves, and refuses what does not divide", () => {
  assert(shrink(dataset, S) === dataset);
  assertThrows(() => shrink(dataset, 5), RangeError, "5 pixels do not divide 12");
});
