/**
 * No kernel writes past the end of a result. Devices drop or misplace what is written past a binding, but a
 * binding is a multiple of 256 bytes: between a result's end, rounded up to a vec4, and its binding's lie
 * guard values, which must stay.
 */
import { assert, assertEquals } from "@std/assert";
import { write } from "../gpu/copy.ts";
import { storage } from "../gpu/memory.ts";
import { read } from "../gpu/read.ts";
import { batchNorm } from "../kernels/batch_norm.ts";
import { fromBytes } from "../kernels/bytes.ts";
import { conv2d, conv2dInput } from "../kernels/conv2d.ts";
import * as e from "../kernels/elementwise.ts";
import { gateAndSum } from "../kernels/gate_sum.ts";
import { logitLoss } from "../kernels/logit_loss.ts";
import { matmul } from "../kernels/matmul.ts";
import { minibatchStddev } from "../kernels/minibatch_stddev.ts";
import { addParts } from "../kernels/parts.ts";
import { pixelNorm } from "../kernels/pixel_norm.ts";
import { averagePool, maxPool } from "../kernels/pool.ts";
import { normal, uniform } from "../kernels/random.ts";
import { broadcastTo, mean, sum } from "../kernels/reduce.ts";
import { bilinear, downAverage, downSmooth, upNearest, upSmooth } from "../kernels/resample.ts";
import { concat, pad, permute, slice } from "../kernels/slice.ts";
import { logSoftmax, softmax } from "../kernels/softmax.ts";
import { forceVariant } from "../kernels/variant.ts";
import { grad } from "../nn/grad.ts";
import { scoped, type Shape, sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import { randoms } from "./support.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const GUARD = 0xdeadbeef, STEP = 256, MOST = 8192;

/** Fills the pool with buffers of guard values, so that every result begins as one. */
function guard(): void {
  scoped(() => {
    for (let bytes = STEP; bytes <= MOST; bytes += STEP) {
      const values = new Uint32Array(bytes / 4).fill(GUARD);
      for (let i = 0; i < 24; i++) write(storage(bytes), values);
    }
  });
}

/** How many guard values lie behind a result; throws if one was overwritten. */
async function guarded(name: string, { size, storage }: Tensor): Promise<number> {
  assert(storage.size <= MOST, `${name} is too large for this test: ${storage.size} bytes`);
  const words = new Uint32Array(await read(storage, storage.size));
  const behind = words.subarray(4 * Math.ceil(size / 4));
  const at = behind.findIndex((word) => word !== GUARD);
  assertEquals(
    at,
    -1,
    `${name}, ${size} numbers: one was written at ${words.length - behind.length + at}`,
  );
  return behind.length;
}

const C = 65, key = { seed: 1, stream: 1, counter: 1 };
const three = { kernel: 3, stride: 2, pad: 1 }, g = { stride: 1, padding: 1 };
const full = (value: number, n: number) => tensor(Array(n).fill(value), [n]);
const norm = (weight: Tensor, bias: Tensor) => {
  const n = weight.size, statistics = { running_mean: full(0, n), running_var: full(1, n) };
  return { weight, bias, ...statistics };
};
const training = { training: true, eps: 1e-5, momentum: 0.1, slope: 0.2 };

/** Sizes that are a little more than a multiple of a workgroup's, by one number and by one vec4. */
const OPS: Record<string, [Shape[], (...xs: Tensor[]) => Tensor]> = {
  exp: [[[C]], e.exp],
  "exp of vec4s": [[[260]], e.exp],
  tanh: [[[321]], e.tanh],
  leakyRelu: [[[5, C]], (x) => e.leakyRelu(x, 0)],
  clamp: [[[5, 13]], (x) => e.clamp(x, -0.5, 0.5)],
  add: [[[5, 13], [13]], e.add],
  "mul of rows of vec4s": [[[13, 20], [20]], e.mul],
  div: [[[5, 13], [1]], e.div],
  full: [[[1]], (x) => e.add(e.full([C], 2), x)],
  sum: [[[7, C]], (x) => sum(x, [0])],
  mean: [[[C, 7]], (x) => mean(x, [1])],
  broadcastTo: [[[C]], (x) => broadcastTo(x, [5, C])],
  softmax: [[[C, 5]], (x) => softmax(x)],
  logSoftmax: [[[17, 4]], (x) => logSoftmax(x)],
  pixelNorm: [[[C, 1, 1, 3]], (x) => pixelNorm(x)],
  batchNorm: [[[3, 2, 1, C], [C], [C]], (x, w, b) => batchNorm(x, norm(w, b), training)],
  "batchNorm of vec4s": [
    [[3, 1, 1, 68], [68], [68]],
    (x, w, b) => batchNorm(x, norm(w, b), training),
  ],
  maxPool: [[[1, 7, 9, 5]], (x) => maxPool(x, three)],
  averagePool: [[[1, 7, 9, 4]], (x) => averagePool(x, { ...three, countPadding: true })],
  upNearest: [[[1, 3, 5, 5]], (x) => upNearest(x, 2)],
  upSmooth: [[[1, 3, 5, 5]], upSmooth],
  downSmooth: [[[1, 6, 10, 5]], downSmooth],
  downAverage: [[[1, 6, 10, 5]], (x) => downAverage(x, 2)],
  bilinear: [[[1, 3, 5, 5]], (x) => bilinear(x, [5, 13])],
  concat: [[[C], [3]], (a, b) => concat([a, b], 0)],
  slice: [[[7, 13]], (x) => slice(x, 1, 2, 9)],
  pad: [[[5, 11]], (x) => pad(x, 1, 1, 1)],
  permute: [[[5, 13]], (x) => permute(x, [1, 0])],
  minibatchStddev: [[[4, 2, 2, 5]], (x) => minibatchStddev(x)],
  crossEntropy: [[[C]], (x) => logitLoss("crossEntropy", x, 1)],
  hinge: [[[C]], (x) => logitLoss("hinge", x, -1)],
  matmul: [[[5, 13], [13, 13]], (a, b) => matmul(a, b)],
  "matmul of vec4s": [[[5, 12], [12, 52]], (a, b) => matmul(a, b)],
  conv2d: [[[1, 5, 7, 3], [3, 3, 3, 5]], (x, w) => conv2d(x, w, g)],
  conv2dInput: [[[1, 5, 7, 4], [3, 3, 4, 4]], (y, w) => conv2dInput(y, w, [1, 5, 7, 4], g)],
};

for (const by of ["lane", "group"] as const) {
  for (const [name, [shapes, op]] of Object.entries(OPS)) {
    Deno.test(`${name}, by ${by}, writes nothing past its results`, async () => {
      guard();
      forceVariant(by);
      const xs = shapes.map((shape, i) => tensor(randoms(sizeOf(shape), i), shape, true));
      const y = op(...xs), dy = tensor(randoms(y.size, 9), y.shape);
      // With a graph nothing is given back meanwhile, which others could leave values in.
      const grads = grad(sum(e.mul(y, dy)), xs, { createGraph: true });
      forceVariant(undefined);
      let count = await guarded(name, y);
      for (const dx of grads) count += await guarded(`${name}'s gradient`, dx);
      assert(count > 0, `${name}: no room for guard values`);
    });
  }
}

Deno.test("ops without a gradient write nothing past their results", async () => {
  guard();
  const y = tensor(randoms(C, 1), [1, C]), made = [uniform([C], key), normal([C], key)];
  made.push(fromBytes(new Uint8Array(C), [C]), ...gateAndSum(y, y, 0.2));
  const sums = tensor(randoms(3 * C, 1), [3, C]), total = tensor(Array(C).fill(0), [1, C]);
  addParts(total, sums, { slope: 0.2 });
  made.push(total);
  for (const [i, result] of made.entries()) assert(await guarded(`result ${i}`, result) > 0);
});
