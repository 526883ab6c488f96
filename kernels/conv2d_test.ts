import { assertThrows } from "@std/assert";
import { grad } from "../nn/grad.ts";
import { type Shape, sizeOf, tensor } from "../tensor/tensor.ts";
import { checkOp, differences, type Reference } from "../tests/check.ts";
import { type Case, caseOf } from "../tests/convolution.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { conv2d, conv2dInput, conv2dWeight } from "./conv2d.ts";
import type { Geometry } from "./conv2d_sizes.ts";
import { leakyRelu, mul, square } from "./elementwise.ts";
import { sum } from "./reduce.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

async function checkAll({ x, w, y, g, forward, input, weight }: Case, second: boolean) {
  await checkOp((a, b) => conv2d(a, b, g), forward, [x, w], { second });
  await checkOp((a, b) => conv2dInput(a, b, x, g), input, [y, w], { second });
  await checkOp((a, b) => conv2dWeight(a, b, w, g), weight, [x, y], { second });
}

/** Both convolutions with what may follow: a bias, a leaky ReLU, a ReLU, and two of these. */
async function checkEpilogues({ x, w, y, g, forward, input }: Case, second: boolean) {
  const [O, C] = [y[3], x[3]];
  for (const [biased, slope] of [[true, 1], [true, 0.2], [true, 0], [false, 0.2]] as const) {
    const after = (product: Reference): Reference => (a, b, bias) =>
      product(a, b).map((v, i) => biased ? v + bias[i % bias.length] : v)
        .map((v) => v > 0 ? v : slope * v);
    const biasOf = (n: number): Shape[] => biased ? [[n]] : [];
    // Multiples of 1/4, their products' sums of 1/16, and a bias between these: none at the bend.
    const options = biased
      ? { second, input: (u: number, i: number) => Math.round(4 * u) / 4 + (i === 2 ? 1 / 32 : 0) }
      : { second, seed: 3 };
    const [ys, xs] = [[x, w, ...biasOf(O)], [y, w, ...biasOf(C)]];
    await checkOp((a, b, bias) => conv2d(a, b, g, { bias, slope }), after(forward), ys, options);
    await checkOp(
      (a, b, bias) => conv2dInput(a, b, x, g, { bias, slope }),
      after(input),
      xs,
      options,
    );
  }
}

const cases: [Shape, Shape, number, number, Geometry["padding"], number][] = [
  // x, kernel, outputs, stride, padding, scale
  [[1, 1, 1, 1], [1, 1], 1, 1, 0, 1],
  [[2, 5, 4, 3], [1, 1], 2, 1, 0, 2],
  [[2, 5, 4, 3], [3, 3], 2, 1, 1, 2],
  [[2, 6, 6, 3], [4, 4], 2, 2, 1, 1],
  [[1, 7, 5, 2], [3, 3], 5, 2, 0, 1], // the last row and column are not reached
  [[1, 5, 7, 2], [3, 1], 2, 1, 1, 2],
  [[1, 7, 4, 1], [1, 1], 1, 2, 0, 1], // classes without a tap
  [[1, 8, 8, 1], [5, 2], 2, 3, 2, 1],
  [[2, 3, 5, 4], [1, 3], 2, 1, [0, 1], 1], // zeros along one axis
  [[1, 6, 5, 2], [5, 2], 3, 2, [2, 0], 2],
  [[3, 4, 4, 2], [4, 4], 3, 1, 0, 2], // dense
  [[1, 3, 2, 12], [2, 1], 4, 1, 0, 2], // channels by vec4
];
for (const [x, k, O, stride, padding, scale] of cases) {
  const name = `convolution of [${x}] by ${k}, ${O} outputs, stride ${stride}, padding ${padding}`;
  const made = caseOf(x, k, O, stride, padding, scale), second = sizeOf(x) * O < 100;
  Deno.test(name, () => checkAll(made, second));
  Deno.test(`${name}, with bias and leaky ReLU`, () => checkEpilogues(made, second));
}

/** Values of the three, each of which is the gradient of the other two. */
async function checkValues({ x, w, y, g, forward, input, weight }: Case) {
  const options = { forwardOnly: true, atol: 5e-5 };
  await checkOp((a, b) => conv2d(a, b, g), forward, [x, w], options);
  await checkOp((a, b) => conv2dInput(a, b, x, g), input, [y, w], options);
  await checkOp((a, b) => conv2dWeight(a, b, w, g), weight, [x, y], options);
}

// Groups: as kernels take them, and those that are made wider first. C, O, groups, side of the kernel, stride
for (
  const [C, O, groups, k, stride] of [
    [8, 8, 2, 3, 1],
    [24, 12, 3, 3, 1], // 8 to 4 channels
    [16, 32, 2, 4, 2],
    [36, 24, 3, 1, 1], // 12 to 8
    [5, 5, 5, 3, 1], // depthwise
    [8, 16, 8, 3, 2], // depthwise, two outputs each
    [6, 4, 2, 3, 1],
    [96, 96, 4, 3, 1], // more than a step of the loop
    [64, 128, 2, 3, 1], // several tiles a group
  ]
) {
  const name =
    `convolution of ${C} to ${O} channels in ${groups} groups, kernel ${k}, stride ${stride}`;
  Deno.test(name, () => checkValues(caseOf([2, 4, 5, C], [k, k], O, stride, 1, 2, groups)));
}
for (const [C, O, groups] of [[8, 16, 2], [3, 3, 3]]) {
  const name = `gradients of a convolution of ${C} to ${O} channels in ${groups} groups`;
  const made = caseOf([1, 2, 2, C], [1, 2], O, 1, 1, 2, groups);
  Deno.test(name, () => checkAll(made, C === 3));
  Deno.test(`${name}, with bias and leaky ReLU`, () => checkEpilogues(made, false));
}

Deno.test("groups that do not divide the channels are refused", () => {
  const x = tensor(randoms(6, 1), [1, 1, 1, 6]), w = tensor(randoms(12, 2), [1, 1, 3, 4]);
  const g = { stride: 1, padding: 0 };
  assertThrows(() => conv2d(x, w, { ...g, groups: 3 }), RangeError, "in 3 groups");
  assertThrows(() => conv2d(x, w, g), RangeError, "channels differ");
});

// Channels at and around the tiles: values only, against the reference.
for (const [C, O] of [[4, 4], [5, 9], [8, 16], [16, 33], [9, 70], [17, 3], [12, 130], [33, 6]]) {
  for (const [k, stride, padding] of [[3, 1, 1], [4, 2, 1]]) {
    Deno.test(`convolution of ${C} to ${O} channels, kernel ${k}`, async () => {
      await checkValues(caseOf([2, 6, 5, C], [k, k], O, stride, padding));
    });
  }
}

Deno.test("gradient penalty through a convolution and its activation", async () => {
  // |d sum(v lrelu(conv(x, w))) / dx|^2 as a function of w
  const { x, w, y, g, forward, input } = caseOf([1, 4, 4, 2], [3, 3], 3, 1, 1);
  const xs = randoms(sizeOf(x), 3), ws = randoms(sizeOf(w), 4), v = randoms(sizeOf(y), 5);
  const X = tensor(xs, x), W = tensor(ws, w);
  const out = sum(mul(leakyRelu(conv2d(X, W, g)), tensor(v, y)));
  const [dx] = grad(out, [X], { createGraph: true });
  const [dw] = grad(sum(square(dx)), [W]);
  const penalty = ([ws]: number[][]) => {
    const gate = forward(xs, ws).map((t, i) => v[i] * (t > 0 ? 1 : 0.2));
    return input(gate, ws).reduce((t, d) => t + d * d, 0);
  };
  assertClose("dw", await dw.read(), differences(penalty, [ws], 0, 1e-6));
});

Deno.test("a long sum over pixels is split, so that no loop ends early", async () => {
  const [N, S] = [9, 96], x = randoms(N * S * S, 1), y = randoms(N * S * S, 2);
  const dw = conv2dWeight(tensor(x, [N, S, S, 1]), tensor(y, [N, S, S, 1]), [1, 1, 1, 1], {
    stride: 1,
    padding: 0,
  });
  assertClose("dw", await dw.read(), [x.reduce((t, v, i) => t + v * y[i], 0)], { atol: 2e-3 });
});

Deno.test("shapes that do not fit are refused", () => {
  const x = tensor(randoms(32, 1), [1, 4, 4, 2]), w = tensor(randoms(27, 1), [3, 3, 3, 1]);
  assertThrows(() => conv2d(x, w, { stride: 1, padding: 1 }), RangeError, "w is [3,3,3,1]");
  const v = tensor(randoms(18, 1), [3, 3, 2, 1]), g = { stride: 1, padding: 1 };
  assertThrows(() => conv2d(x, v, g, { bias: v }), RangeError, "bias is [3,3,2,1], expected [1]");
  assertThrows(() => conv2d(x, v, g, { slope: -1 }), RangeError, "slope -1");
});
