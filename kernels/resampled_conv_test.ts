import { assertThrows } from "@std/assert";
import { openGpu } from "../gpu/engines/deno.ts";
import { type Shape, sizeOf, tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { caseOf } from "../tests/convolution.ts";
import { downReference, type Image, upReference } from "../tests/images.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { conv2d } from "./conv2d.ts";
import { downAverage, upNearest } from "./resample.ts";
import { downConv2d, upConv2d } from "./resampled_conv.ts";
await openGpu();

const cases: [Shape, number, number, number, number][] = [
  // x, kernel, outputs, padding, scale
  [[1, 1, 1, 1], 1, 1, 0, 1],
  [[2, 2, 4, 3], 3, 2, 1, 2],
  [[2, 4, 6, 2], 3, 3, 0, 1],
  [[1, 2, 2, 5], 3, 4, 2, 1],
  [[1, 3, 4, 2], 2, 5, 1, 2], // rows of 2 x 3 pixels: for `up` only
  [[1, 4, 6, 2], 5, 1, 2, 1],
  [[1, 2, 2, 8], 3, 8, 1, 1], // channels by vec4
];
for (const [x, k, O, padding, scale] of cases) {
  const [N, H, W, C] = x, w = [k, k, C, O], g = { padding, scale };
  const second = sizeOf(x) * O < 100, bias = [O];
  const named = `of [${x}] by ${k}, ${O} outputs, padding ${padding}`;
  const biased = (y: number[], b: number[]) => y.map((v, i) => v + b[i % O]);
  const large = [N, 2 * H, 2 * W, C], above = caseOf(large, [k, k], O, 1, padding, scale);
  Deno.test(`upConv2d() ${named}`, () =>
    checkOp(
      (x, w, bias) => upConv2d(x, w, g, { bias }),
      (a, w, b) => biased(above.forward(upReference(a, x as Image, 2), w), b),
      [x, w, bias],
      { second },
    ));
  const { y, forward } = caseOf(x, [k, k], O, 1, padding, scale);
  if (y[1] % 2 || y[2] % 2) continue;
  Deno.test(`downConv2d() ${named}`, () =>
    checkOp(
      (x, w, bias) => downConv2d(x, w, g, bias),
      (a, w, b) => biased(downReference(forward(a, w), y as unknown as Image, 2), b),
      [x, w, bias],
      { second },
    ));
}

Deno.test("with many channels both are what two ops make", async () => {
  const x = tensor(randoms(2 * 8 * 8 * 72, 1), [2, 8, 8, 72]);
  const w = tensor(randoms(9 * 72 * 80, 2), [3, 3, 72, 80]), bias = tensor(randoms(80, 3), [80]);
  const g = { padding: 1, scale: 0.1 }, plain = { ...g, stride: 1 };
  const up = upConv2d(x, w, g, { bias, slope: 0.2 });
  const upWanted = conv2d(upNearest(x, 2), w, plain, { bias, slope: 0.2 });
  assertClose("up", await up.read(), await upWanted.read());
  const down = downConv2d(x, w, g, bias);
  assertClose(
    "down",
    await down.read(),
    await downAverage(conv2d(x, w, plain, { bias }), 2).read(),
  );
});

Deno.test("what does not fit is refused", () => {
  const x = tensor(randoms(2 * 3 * 4 * 2, 1), [2, 3, 4, 2]),
    of = (shape: Shape) => tensor(randoms(sizeOf(shape), 2), shape);
  const refused = (op: () => unknown, message: string) => assertThrows(op, RangeError, message);
  refused(() => upConv2d(x, of([3, 3, 3, 2]), { padding: 1 }), "upConv2d: channels differ");
  refused(() => upConv2d(x, of([3, 2, 2, 2]), { padding: 1 }), "expected [k, k, C, O] and 0 to k");
  refused(() => downConv2d(x, of([3, 3, 2, 2]), { padding: 3 }), "got w [3,3,2,2] and padding 3");
  const odd = "downConv2d: got sides of 3 and 4, expected even ones of 2 or more";
  refused(() => downConv2d(x, of([3, 3, 2, 2]), { padding: 1 }), odd);
});
