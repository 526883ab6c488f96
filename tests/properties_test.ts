/**
 * Convolutions, products, pooling and resampling of drawn shapes, strides, paddings, groups, precisions and
 * plans, against the float64 definitions. `deno task properties` draws many more.
 */
import fc from "fast-check";
import { AS_GPU, deviceInfo } from "../gpu/device.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { gpu } from "../gpu/gpu.ts";
import { conv2d, conv2dInput, conv2dWeight } from "../kernels/conv2d.ts";
import { mul } from "../kernels/elementwise.ts";
import { matmul } from "../kernels/matmul.ts";
import { forcePlan } from "../kernels/plan.ts";
import { averagePool, maxPool } from "../kernels/pool.ts";
import { sum } from "../kernels/reduce.ts";
import { bilinear, downAverage, downSmooth, upNearest, upSmooth } from "../kernels/resample.ts";
import { grad } from "../nn/grad.ts";
import { scoped, type Shape, sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import type { Reference } from "./check.ts";
import { caseOf } from "./convolution.ts";
import { bilinearReference, downReference, pooled, smoothed, upReference } from "./images.ts";
import { product } from "./product.ts";
import { assertClose, assertSame, randoms } from "./support.ts";
import { drawn } from "./drawn_cases.ts";

await openGpu();

const hasHalf = deviceInfo().features.includes("shader-f16");

/** By which kernels products are computed. */
const plans: Record<string, () => void> = {
  rules: () => {},
  buffers: () => forcePlan({ load: "buffer", MR: 8, NV: 1, wx: 8, wy: 8, wz: 1 }),
  tiles: () => forcePlan({ load: "tile", MR: 4, NV: 1, KU: 16, wx: 16, wy: 16, wz: 1 }),
  unshared: () => forcePlan({ share: "none" }),
  gpu: () => gpu().describeAs(AS_GPU),
};
const plan = fc.constantFrom(...Object.keys(plans));
const precision = fc.constantFrom<"f32" | "f16">("f32", ...hasHalf ? ["f16" as const] : []);

/** Small sizes, and now and then those at and around vec4, workgroups and tiles. */
const channels = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 13 }) },
  fc.constantFrom(15, 16, 17, 24, 31, 32, 33, 40, 64, 65),
);
const side = fc.integer({ min: 1, max: 11 });

/** Values and both gradients of a function that is linear in each of its operands. */
async function checkBilinear(
  run: (a: Tensor, b: Tensor) => Tensor,
  definition: Reference,
  [ofA, ofB]: readonly [Reference, Reference],
  [shapeA, shapeB]: readonly [Shape, Shape],
  seed: number,
  half: boolean,
): Promise<void> {
  // Numbers that f16 holds exactly: its products are then those of f32.
  const values = (shape: Shape, i: number) => randoms(sizeOf(shape), seed + i).map(Math.f16round);
  const a = values(shapeA, 0), b = values(shapeB, 1), expected = definition(a, b);
  const { y, v, grads } = scoped(() => {
    const A = tensor(a, shapeA, true), B = tensor(b, shapeB, true), y = run(A, B);
    const v = values(y.shape, 2);
    return { y, v, grads: grad(sum(mul(y, tensor(v, y.shape))), [A, B]) };
  });
  // Sums of up to thousands of terms of either sign, each off by 2^-24 of the largest.
  const tolerance = { rtol: 1e-5, atol: half ? 2e-4 : 1e-4 };
  assertClose("y", await y.read(), expected, tolerance);
  assertClose("da", await grads[0].read(), ofA(v, b), tolerance);
  assertClose("db", await grads[1].read(), ofB(a, v), tolerance);
}

/** Values and gradient of a linear function, by the adjoint's definition: `<v, f(x)> = <df(v), x>`. */
async function checkLinear(
  run: (x: Tensor) => Tensor,
  definition: (x: number[]) => number[],
  shape: Shape,
  seed: number,
): Promise<void> {
  const x = randoms(sizeOf(shape), seed), other = randoms(sizeOf(shape), seed + 1);
  const { y, v, dx } = scoped(() => {
    const X = tensor(x, shape, true), y = run(X), v = randoms(y.size, seed + 2);
    const [dx] = grad(sum(mul(y, tensor(v, y.shape))), [X]);
    return { y, v, dx };
  });
  assertClose("y", await y.read(), definition(x));
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).reduce((total, value, i) => total + value * b[i], 0);
  // Against a direction that is not x, so that no part of the gradient hides.
  const scale = Math.sqrt(x.length);
  assertClose("dx", [dot(await dx.read(), other) / scale], [dot(v, definition(other)) / scale]);
}

/** Runs `body` by a family of plans. */
async function by(plan: string, body: () => Promise<void>): Promise<void> {
  try {
    plans[plan]();
    await body();
  } finally {
    forcePlan(undefined);
    gpu().describeAs(undefined);
  }
}

const convolution = fc.record({
  plan,
  precision,
  N: fc.integer({ min: 1, max: 3 }),
  H: side,
  W: side,
  groups: fc.oneof({ weight: 2, arbitrary: fc.constant(1) }, fc.constantFrom(2, 3, 4, 8)),
  inputs: channels,
  outputs: channels,
  kh: fc.integer({ min: 1, max: 5 }),
  kw: fc.integer({ min: 1, max: 5 }),
  stride: fc.integer({ min: 1, max: 4 }),
  padding: fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 })),
  scale: fc.constantFrom(1, 2, 0.5),
  which: fc.constantFrom("conv2d", "conv2dInput", "conv2dWeight"),
  seed: fc.nat(1e6),
}).map(({ groups, inputs, outputs, ...rest }) => {
  const each = (n: number) => groups * Math.ceil(n / groups);
  return { groups, C: each(inputs), O: each(outputs), ...rest };
}).filter(({ N, H, W, C, O, kh, kw, padding, stride, groups }) => {
  const Y = Math.floor((H + 2 * padding[0] - kh) / stride) + 1;
  const X = Math.floor((W + 2 * padding[1] - kw) / stride) + 1;
  return Y > 0 && X > 0 && N * Y * X * kh * kw * C * O / groups < 4e5;
});

drawn("convolutions and their gradients", convolution, (drawn) =>
  by(drawn.plan, async () => {
    const { N, H, W, C, kh, kw, O, stride, padding, scale, groups, precision, which } = drawn;
    const made = caseOf([N, H, W, C], [kh, kw], O, stride, padding, scale, groups);
    const { x, w, y, forward, input, weight } = made, g = { ...made.g, precision };
    const swapped = (f: Reference): Reference => (a, b) => f(b, a);
    const cases = {
      conv2d: [(a: Tensor, b: Tensor) => conv2d(a, b, g), forward, [input, weight], [x, w]],
      conv2dInput: [
        (a: Tensor, b: Tensor) => conv2dInput(a, b, x, g),
        input,
        [forward, swapped(weight)],
        [y, w],
      ],
      conv2dWeight: [
        (a: Tensor, b: Tensor) => conv2dWeight(a, b, w, g),
        weight,
        [swapped(input), forward],
        [x, y],
      ],
    } as const;
    const [run, definition, gradients, shapes] = cases[which as keyof typeof cases];
    await checkBilinear(run, definition, gradients, shapes, drawn.seed, precision === "f16");
  }));

const matrices = fc.record({
  plan,
  precision,
  batch: fc.oneof({ weight: 2, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 5 })),
  M: channels,
  K: fc.oneof(channels, fc.constantFrom(127, 128, 129, 257)),
  N: channels,
  ta: fc.boolean(),
  tb: fc.boolean(),
  scale: fc.constantFrom(1, 2, 0.5),
  seed: fc.nat(1e6),
}).filter(({ batch, M, K, N }) => batch * M * K * N < 4e5);

drawn("products of matrices and their gradients", matrices, (drawn) =>
  by(drawn.plan, async () => {
    const { batch, M, K, N, ta, tb, scale, precision } = drawn;
    const lead = batch > 1 ? [batch] : [];
    const a = [...lead, ...(ta ? [K, M] : [M, K])], b = [...lead, ...(tb ? [N, K] : [K, N])];
    const times = (f: Reference): Reference => (...xs) => f(...xs).map((v) => scale * v);
    // dA = dY B^T and dB = A^T dY, laid out as A and B are.
    const ofA = ta
      ? (v: number[], b: number[]) => product([batch, K, N, M], tb, true)(b, v)
      : product([batch, M, N, K], false, !tb);
    const ofB = tb
      ? (a: number[], v: number[]) => product([batch, N, M, K], true, ta)(v, a)
      : product([batch, K, M, N], !ta, false);
    await checkBilinear(
      (A, B) => matmul(A, B, { a: ta, b: tb, scale, precision }),
      times(product([batch, M, K, N], ta, tb)),
      [times(ofA), times(ofB)],
      [a, b],
      drawn.seed,
      precision === "f16",
    );
  }));

const windows = fc.record({
  N: fc.integer({ min: 1, max: 3 }),
  H: side,
  W: side,
  C: channels,
  kernel: fc.integer({ min: 1, max: 5 }),
  stride: fc.integer({ min: 1, max: 6 }),
  pad: fc.integer({ min: 0, max: 2 }),
  countPadding: fc.boolean(),
  seed: fc.nat(1e6),
}).filter(({ H, W, kernel, pad }) => 2 * pad <= kernel && Math.min(H, W) + 2 * pad >= kernel);

drawn("means and maxima of windows", windows, async (drawn) => {
  const { N, H, W, C, kernel, countPadding, seed } = drawn, shape = [N, H, W, C];
  const total = (values: number[]) => values.reduce((a, b) => a + b, 0);
  await checkLinear(
    (x) => averagePool(x, drawn),
    (x) =>
      pooled(x, shape, drawn, (v) => total(v) / (countPadding ? kernel ** 2 : v.length || NaN)),
    shape,
    seed,
  );
  // With its largest pixels fixed, a maximum is linear, too.
  const x = randoms(sizeOf(shape), seed), order = x.map((_, i) => i);
  const largest = pooled(order, shape, drawn, (of) => of.reduce((a, b) => x[b] > x[a] ? b : a));
  const { y, dx, v } = scoped(() => {
    const X = tensor(x, shape, true), y = maxPool(X, drawn), v = randoms(y.size, seed + 1);
    return { y, v, dx: grad(sum(mul(y, tensor(v, y.shape))), [X])[0] };
  });
  assertSame(await y.read(), largest.map((i) => x[i]), "y");
  const expected = x.map(() => 0);
  for (const [i, at] of largest.entries()) expected[at] += v[i];
  assertClose("dx", await dx.read(), expected);
});

const images = fc.record({
  N: fc.integer({ min: 1, max: 3 }),
  H: side,
  W: side,
  C: channels,
  factor: fc.integer({ min: 1, max: 5 }),
  H2: fc.integer({ min: 1, max: 25 }),
  W2: fc.integer({ min: 1, max: 25 }),
  seed: fc.nat(1e6),
}).filter(({ N, H, W, C, factor }) => N * H * W * C * factor ** 2 < 5e4);

drawn("resampling and its gradients", images, async ({ N, H, W, C, factor: f, H2, W2, seed }) => {
  const shape = [N, H, W, C] as const, large = [N, f * H, f * W, C] as const;
  const double = [N, 2 * H, 2 * W, C] as const;
  const cases = [
    [(x: Tensor) => upNearest(x, f), (x: number[]) => upReference(x, [...shape], f), shape],
    [(x: Tensor) => downAverage(x, f), (x: number[]) => downReference(x, [...large], f), large],
    [upSmooth, (x: number[]) => smoothed(upReference(x, [...shape], 2), [...double]), shape],
    [
      downSmooth,
      (x: number[]) => downReference(smoothed(x, [...double]), [...double], 2),
      double,
    ],
    [
      (x: Tensor) => bilinear(x, [H2, W2]),
      (x: number[]) => bilinearReference(x, [...shape], [H2, W2]),
      shape,
    ],
  ] as const;
  for (const [run, definition, of] of cases) await checkLinear(run, definition, of, seed);
});
