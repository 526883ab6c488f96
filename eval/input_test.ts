import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { Image } from "../data/image.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped } from "../tensor/tensor.ts";
import { grouped, type Stage, toInput } from "./input.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const grey = (level: number, width: number, height = width): Image => ({
  width,
  height,
  rgb: new Uint8Array(width * height * 3).fill(level),
});
const input = (images: readonly Image[], stage: Stage) =>
  scoped(() => noGrad(() => toInput(grouped(images), stage))).read();

Deno.test("images that follow one another in one size are a group", () => {
  const images = [grey(1, 2), grey(2, 2), grey(3, 2, 3), grey(4, 2)];
  assertEquals(
    grouped(images).map(({ count, width, height, rgb }) => [count, width, height, rgb[0]]),
    [
      [2, 2, 2, 1],
      [1, 2, 3, 3],
      [1, 2, 2, 4],
    ],
  );
});

Deno.test("each tool's range of values, in the order of the images", async () => {
  const levels = [0, 128, 255], images = levels.map((level, i) => grey(level, 3 + i, 5));
  for (const stage of ["bilinear", "bicubic", "tensorflow"] satisfies Stage[]) {
    const found = await input(images, stage), size = 299 * 299 * 3;
    assertEquals(found.length, 3 * size);
    for (const [i, level] of levels.entries()) {
      const value = stage === "bilinear" ? 2 * level / 255 - 1 : (level - 128) / 128;
      for (const at of [0, size - 1]) assertAlmostEquals(found[i * size + at], value, 1e-6);
    }
  }
});

Deno.test("images too large for the device all at once", async () => {
  const found = await input([grey(51, 2400), grey(204, 2400)], "bilinear"), size = found.length / 2;
  for (const [i, value] of [[0, -0.6], [size - 1, -0.6], [size, 0.6], [2 * size - 1, 0.6]]) {
    assertAlmostEquals(found[i], value, 1e-6);
  }
});
