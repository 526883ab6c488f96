import { assertEquals, assertThrows } from "@std/assert";
import { tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import {
  bilinearReference,
  downReference,
  type Image,
  smoothed,
  upReference,
} from "../tests/images.ts";
import { assertClose, randoms } from "../tests/support.ts";

import { bilinear, downAverage, downSmooth, upNearest, upSmooth } from "./resample.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

// one element; primes, also four channels at a time; a workgroup and one more of small and large
const resized: [Image, number][] = [
  [[1, 1, 1, 1], 1],
  [[1, 1, 1, 1], 3],
  [[2, 3, 5, 3], 2],
  [[2, 3, 5, 1], 3],
  [[2, 3, 1, 4], 2],
  [[1, 4, 4, 1], 2],
  [[1, 8, 8, 1], 1],
  [[1, 13, 5, 1], 1],
  [[1, 1, 3, 8], 3],
];
for (const [shape, f] of resized) {
  const [N, H, W, C] = shape, large: Image = [N, f * H, f * W, C];
  Deno.test(`upNearest() of [${shape}] by ${f}`, () =>
    checkOp((x) => upNearest(x, f), (x) => upReference(x, shape, f), [shape], {
      second: true,
    }));
  Deno.test(`downAverage() of [${large}] by ${f}`, () =>
    checkOp((x) => downAverage(x, f), (x) => downReference(x, large, f), [large], {
      second: true,
    }));
}
// one pixel; primes, also four channels at a time; rows and columns alone; a workgroup and one more
const halves: Image[] = [
  [1, 1, 1, 1],
  [2, 3, 5, 3],
  [2, 3, 2, 8],
  [3, 1, 4, 1],
  [1, 5, 1, 2],
  [1, 8, 8, 1],
  [1, 13, 5, 1],
];
for (const shape of halves) {
  const [N, H, W, C] = shape, large: Image = [N, 2 * H, 2 * W, C], second = { second: true };
  Deno.test(`upSmooth() of [${shape}]`, () =>
    checkOp(upSmooth, (x) => smoothed(upReference(x, shape, 2), large), [shape], second));
  Deno.test(`downSmooth() of [${large}]`, () =>
    checkOp(downSmooth, (x) => downReference(smoothed(x, large), large, 2), [large], second));
}
Deno.test("averages of repeated pixels are those pixels", async () => {
  const x = randoms(2 * 3 * 2 * 5, 3);
  assertEquals(
    [...await downAverage(upNearest(tensor(x, [2, 3, 2, 5]), 2), 2).read()],
    x,
  );
});

// larger, smaller, both, the same, from and to one pixel, by other than whole numbers
const sizes: [Image, [number, number]][] = [
  [[1, 1, 1, 1], [1, 1]],
  [[1, 1, 1, 2], [3, 5]],
  [[1, 5, 3, 1], [1, 1]],
  [[2, 3, 5, 3], [6, 10]],
  [[2, 5, 3, 1], [7, 11]],
  [[1, 7, 11, 1], [5, 3]],
  [[1, 11, 2, 1], [2, 7]],
  [[2, 3, 4, 4], [5, 4]],
  [[1, 2, 3, 8], [2, 7]],
  [[1, 4, 3, 1], [8, 8]],
  [[1, 3, 4, 1], [13, 5]],
  [[1, 17, 1, 1], [2, 1]],
];
for (const [shape, size] of sizes) {
  Deno.test(`bilinear() of [${shape}] to [${size}]`, () =>
    checkOp((x) => bilinear(x, size), (x) => bilinearReference(x, shape, size), [shape], {
      second: shape[1] * shape[2] * shape[3] <= 45,
    }));
}
Deno.test("bilinear() of a large image", async () => {
  const shape: Image = [1, 37, 53, 3], x = randoms(37 * 53 * 3, 9);
  for (const size of [[299, 299], [16, 9]] as [number, number][]) {
    const y = await bilinear(tensor(x, shape), size).read();
    assertClose("y", y, bilinearReference(x, shape, size));
  }
});
Deno.test("what does not fit is refused", () => {
  const x = tensor(randoms(12, 1), [1, 4, 3, 1]);
  assertThrows(() => downAverage(x, 2), RangeError, "2 does not divide height and width of [1,4,3");
  assertThrows(() => upNearest(x, 1.5), RangeError, "got factor 1.5");
  assertThrows(() => upNearest(tensor([1], [1]), 2), RangeError, "got shape [1]");
  assertThrows(() => downSmooth(x), RangeError, "[1,4,3,1], expected an even height and width");
  assertThrows(() => upSmooth(tensor([1], [1])), RangeError, "got shape [1]");
  assertThrows(() => bilinear(x, [0, 2]), RangeError, "[4, 3] to [0, 2]");
});
