import { assert, assertEquals, assertThrows } from "@std/assert";
import { GpuError } from "../gpu/errors.ts";
import { gpu } from "../gpu/gpu.ts";
import { Adam } from "../nn/adam.ts";
import { grad } from "../nn/grad.ts";
import { type Shape, sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { batchNorm } from "./batch_norm.ts";
import { fromBytes, toBytes } from "./bytes.ts";
import { color } from "./color.ts";
import { conv2d, conv2dInput } from "./conv2d.ts";
import { attention } from "./attention.ts";
import { add, affine, full, leakyRelu, mul, tanh } from "./elementwise.ts";
import { lerpInto } from "./lerp.ts";
import { matmul } from "./matmul.ts";
import { pixelNorm } from "./pixel_norm.ts";
import { averagePool, maxPool } from "./pool.ts";
import { portions } from "./portions.ts";
import { broadcastTo, sum } from "./reduce.ts";
import { normal, uniform } from "./random.ts";
import { bilinear, downAverage, downSmooth, upNearest, upSmooth } from "./resample.ts";
import { concat, pad, slice } from "./slice.ts";
import { softmax } from "./softmax.ts";
import { translate } from "./translate.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

type Case = readonly [name: string, shapes: readonly Shape[], op: (...inputs: Tensor[]) => Tensor];
const X = [9, 32, 16, 16], w: Shape = [3, 3, 16, 12], g = { stride: 2, padding: 1 };
const norm = (weight: Tensor, bias: Tensor) => ({
  weight,
  bias,
  running_mean: full([16], 0),
  running_var: full([16], 1),
});
const training = { training: true, eps: 1e-5, momentum: 0.1, slope: 0.2 };
const windows = { kernel: 3, stride: 2, pad: 1 };

// Pictures of 32 KB, four at once, so that the last is left. Weights fit.
const MOST = 140_000;
const key = { seed: 1, stream: 2, counter: 3 };
const cases: readonly Case[] = [
  ["affine and tanh", [X], (x) => tanh(affine(x, 2, 1))],
  ["leaky ReLU", [X], (x) => leakyRelu(x, 0.2)],
  ["product of two", [X, X], (a, b) => mul(a, b)],
  ["a row added", [X, [16]], (x, row) => add(x, row)],
  ["three channels and a row", [[24, 32, 16, 3], [3]], (x, row) => add(x, row)],
  ["sums over pixels", [X], (x) => sum(x, [0, 1, 2])],
  ["sums over channels", [X], (x) => sum(x, [3])],
  ["sum over all", [X], (x) => sum(x)],
  ["one row repeated", [[16]], (row) => broadcastTo(row, X)],
  ["rows repeated", [[9, 1, 1, 16]], (x) => broadcastTo(x, X)],
  ["batch norm", [X, [16], [16]], (x, a, b) => batchNorm(x, norm(a, b), training)],
  ["pixel norm", [X], (x) => pixelNorm(x)],
  ["up", [X], (x) => upNearest(x, 2)],
  ["down", [X], (x) => downAverage(x, 2)],
  ["smoothed up", [X], upSmooth],
  ["smoothed down", [X], downSmooth],
  ["bilinear", [X], (x) => bilinear(x, [36, 24])],
  ["maxima", [X], (x) => maxPool(x, windows)],
  ["means", [X], (x) => averagePool(x, { ...windows, countPadding: false })],
  ["a product", [[6000, 9], [9, 6]], (a, b) => matmul(a, b)],
  ["a product, b transposed", [[6000, 8], [6, 8]], (a, b) => matmul(a, b, { b: true })],
  ["products", [[9, 48, 96], [9, 96, 32]], (a, b) => matmul(a, b)],
  ["a convolution", [X, w, [12]], (x, w, bias) => conv2d(x, w, g, { bias, slope: 0.2 })],
  ["of three channels", [[24, 32, 16, 3], [3, 3, 3, 8]], (x, w) => conv2d(x, w, g)],
  ["a transposed one", [[9, 16, 8, 12], w], (y, w) => conv2dInput(y, w, X, g)],
  [
    "to three channels",
    [[9, 16, 8, 12], [4, 4, 3, 12]],
    (y, w) => conv2dInput(y, w, [9, 32, 16, 3], g),
  ],
  ["softmax", [X], (x) => softmax(x)],
  ["attention", [[9, 256, 8], [9, 256, 8], [9, 256, 32]], (q, k, v) => attention(q, k, v)],
  [
    "attention with few keys",
    [[40, 64, 5], [40, 16, 5], [40, 16, 30]],
    (q, k, v) => attention(q, k, v),
  ],
  ["channels joined", [X, [9, 32, 16, 3]], (a, b) => concat([a, b], 3)],
  ["pictures joined", [X, [2, 32, 16, 16]], (a, b) => concat([a, b], 0)],
  ["some rows", [X], (x) => slice(x, 1, 3, 20)],
  ["some pictures", [X], (x) => slice(x, 0, 1, 7)],
  ["a frame of zeros", [X], (x) => pad(pad(x, 1, 1, 2), 2, 2, 1)],
  ["pictures of zeros", [X], (x) => pad(x, 0, 1, 1)],
  ["colors", [[96, 16, 16, 3]], (x) => color(x, uniform([96, 4], key))],
  [
    "pictures moved",
    [[96, 16, 16, 3]],
    (x) => translate(x, uniform([96, 4], key), { most: 2, side: 6 }),
  ],
];

/** The result of an op and its gradients. */
async function all(op: Case[2], inputs: Tensor[], dy?: number[]): Promise<Float32Array[]> {
  const y = op(...inputs), n = y.size;
  const loss = sum(mul(y, tensor(dy ?? randoms(n, 99), y.shape)));
  const found = [y, ...grad(loss, inputs)], values: Float32Array[] = [];
  for (const t of found) values.push(await t.read());
  return values;
}

for (const [name, shapes, op] of cases) {
  Deno.test(`in portions as at once: ${name}`, async () => {
    const inputs = shapes.map((shape, i) => tensor(randoms(sizeOf(shape), i + 1), shape, true));
    const expected = await all(op, inputs), before = gpu().counters.portions;
    gpu().bindable = MOST;
    try {
      const found = await all(op, inputs);
      found.forEach((values, i) => assertClose(i ? `gradient ${i - 1}` : "y", values, expected[i]));
    } finally {
      gpu().bindable = undefined;
    }
    assert(gpu().counters.portions > before + 2, "nothing went by portions");
  });
}

const others: Record<string, () => Promise<ArrayLike<number>>> = {
  "uniform numbers": () => uniform([100_001], key).read(),
  "normal numbers": () => normal([100_001], key).read(),
  "bytes to floats": () => fromBytes(bytesOf(100_001), [100_001]).read(),
  "floats to bytes": () => toBytes(tensor(randoms(100_001, 1), [100_001])),
  "Adam's state": async () => {
    const params = [9000, 1, 30_000, 7, 5].map((n) => tensor(randoms(n, n), [n], true));
    const adam = new Adam(params, { lr: 0.1, betas: [0.5, 0.9] });
    adam.step(params.map(({ size }) => tensor(randoms(size, 8), [size])));
    const values: number[] = [];
    for (const p of params) values.push(...await p.read());
    return values;
  },
  "an average": async () => {
    const [y, x] = [1, 2].map((seed) => tensor(randoms(100_000, seed), [100_000]));
    lerpInto(y.storage, x.storage, 0.25);
    return await y.read();
  },
};
for (const [name, make] of Object.entries(others)) {
  Deno.test(`in portions as at once, exactly: ${name}`, async () => {
    const expected = await make();
    gpu().bindable = MOST;
    try {
      assertEquals(await make(), expected);
    } finally {
      gpu().bindable = undefined;
    }
  });
}

function bytesOf(n: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: n }, (_, i) => 101 * i + 17);
}

Deno.test("portions() are as large as they may be, and begin where they may", () => {
  const x = tensor(randoms(100 * 24, 1), [100, 24]), seen: number[][] = [];
  gpu().bindable = 3000; // 31 rows of 96 bytes; only every eighth begins at a multiple of 256 bytes
  try {
    portions(
      [x],
      100,
      ([part], count, nth) => seen.push([part.size, part.storage.offset, count, nth]),
    );
    assertEquals(seen, [
      [576, 0, 24, 0],
      [576, 2304, 24, 1],
      [576, 4608, 24, 2],
      [576, 6912, 24, 3],
      [96, 9216, 4, 4],
    ]);
    const wide = tensor(randoms(2 * 1000, 1), [2, 1000]);
    assertThrows(() => portions([wide], 2, () => {}), GpuError, "can bind");
  } finally {
    gpu().bindable = undefined;
  }
});
