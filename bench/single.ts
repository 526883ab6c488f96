/** Jobs of one kernel, and of FID's net: the names and sizes of bench/pytorch.py. */
import { weightsOf } from "../eval/files/weights.ts";
import { batchNorm } from "../kernels/batch_norm.ts";
import { fromBytes } from "../kernels/bytes.ts";
import { conv2d, conv2dInput, conv2dWeight } from "../kernels/conv2d.ts";
import { full } from "../kernels/elementwise.ts";
import { matmul } from "../kernels/matmul.ts";
import type { Precision } from "../kernels/precision.ts";
import { softmax } from "../kernels/softmax.ts";
import { Inception } from "../models/inception.ts";
import { Adam } from "../nn/adam.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, type Tensor } from "../tensor/tensor.ts";
import { drawnInception } from "../tests/drawn_inception.ts";
import { draw, type Job } from "./job.ts";
import {
  adamAt,
  batchNormAt,
  batchNormGradAt,
  compareSampled,
  convAt,
  convInputAt,
  type ConvSizes,
  convWeightAt,
  productAt,
  softmaxAt,
} from "./reference.ts";

/** A job of one kernel: no graph is recorded, as nothing is trained. */
function single(
  name: string,
  shape: string,
  inputs: readonly Tensor[],
  op: () => Tensor,
  reference: (...inputs: Float32Array[]) => (i: number) => number,
  tolerance: number,
  bytes?: number,
): Job {
  const once = () => noGrad(op);
  return {
    shape,
    inputs,
    run: () => scoped(() => void once()), // returns nothing: a scope keeps what it returns
    check: async () => {
      const values: Float32Array[] = [];
      for (const x of inputs) values.push(await x.read()); // before an op that works in place
      compareSampled(name, await once().read(), reference(...values), tolerance);
    },
    ...(bytes !== undefined && { bytes }),
  };
}

/** What sums of so many products of normal numbers may be off by with room. */
function rounding(terms: number, precision: Precision): number {
  return (precision === "f16" ? 3e-3 : 1e-4) * Math.sqrt(terms);
}

function product(n: number, precision: Precision): Job {
  const a = draw([n, n], 1), b = draw([n, n], 2);
  return single(
    `matmul-${n}`,
    `${n}x${n}x${n}`,
    [a, b],
    () => matmul(a, b, { precision }),
    (a, b) => productAt(a, b, n),
    rounding(n, precision),
  );
}

function convolution(
  name: string,
  kind: "forward" | "input" | "weight",
  kernel: number,
  stride: number,
  precision: Precision,
): Job {
  const [N, S, C, O] = [16, 32, 64, 128], T = S / stride;
  const g = { stride, padding: 1, precision };
  const z: ConvSizes = { N, S, C, O, kernel, ...g };
  const x = draw([N, S, S, C], 1), w = draw([kernel, kernel, C, O], 2), y = draw([N, T, T, O], 3);
  const shape = `N${N} ${C}->${O} ${S}^2 k${kernel} s${stride}`;
  if (kind === "forward") {
    const near = rounding(C * kernel ** 2, precision);
    return single(name, shape, [x, w], () => conv2d(x, w, g), (x, w) => convAt(x, w, z), near);
  }
  if (kind === "input") {
    const op = () => conv2dInput(y, w, x.shape, g), near = rounding(O * kernel ** 2, precision);
    return single(name, shape, [y, w], op, (y, w) => convInputAt(y, w, z), near);
  }
  const op = () => conv2dWeight(x, y, w.shape, g), near = rounding(N * T * T, precision);
  return single(name, shape, [x, y], op, (x, y) => convWeightAt(x, y, z), near);
}

function norm(name: string, backward: boolean): Job {
  const [N, S, C] = [16, 32, 64], x = draw([N, S, S, C], 1), dy = draw(x.shape, 2), eps = 1e-5;
  const tensors = {
    weight: full([C], 1),
    bias: full([C], 0),
    running_mean: full([C], 0),
    running_var: full([C], 1),
  };
  const options = { training: true, eps, momentum: 0.1, slope: 1 };
  const shape = `N${N} ${C} ${S}^2`, bytes = 4 * x.size;
  if (!backward) {
    const op = () => batchNorm(x, tensors, options);
    return single(name, shape, [x], op, (x) => batchNormAt(x, C, eps), 1e-4, 2 * bytes);
  }
  // Straight from the node: a loss on top would add kernels of its own.
  const { node } = batchNorm(x, tensors, options);
  const op = () => node!.backward(dy, [true, true, true])[0]!;
  const reference = (x: Float32Array, dy: Float32Array) => batchNormGradAt(x, dy, C, eps);
  return single(name, shape, [x, dy], op, reference, 1e-4, 3 * bytes);
}

function softmaxOf(n: number): Job {
  const x = draw([n, n], 1), bytes = 2 * 4 * n * n;
  return single("softmax", `${n}x${n}`, [x], () => softmax(x), (x) => softmaxAt(x, n), 1e-6, bytes);
}

function adam(): Job {
  const n = 5_200_000, lr = 2e-4, p = draw([n], 1), g = draw([n], 2);
  const opt = new Adam([p], { lr, betas: [0.5, 0.999] });
  const op = () => (opt.step([g]), p);
  return single("adam", `${n}`, [p, g], op, (p, g) => adamAt(p, g, lr, 1e-8), 1e-6, 7 * 4 * n);
}

/** Of the first image's features: by PyTorch in float64, with tests/oracle/inception.py. */
const INCEPTION_MEAN = 1.196167037;

/** FID's Inception up to the 768-dimensional feature, on images of 64 x 64 pixels. */
function inception(batch: number): Job {
  const net = new Inception(weightsOf(drawnInception(1), "drawn weights"), "768");
  const size = 64 * 64 * 3,
    bytes = Uint8Array.from({ length: batch * size }, (_, i) => i * 7919 % 251);
  const x = fromBytes(bytes, [batch, 64, 64, 3]);
  return {
    shape: `N${batch} 64^2 to 299^2`,
    run: () => void scoped(() => void net.forward(x)),
    check: async () => {
      const y = (await scoped(() => net.forward(x)).read()).subarray(0, 768);
      const mean = y.reduce((a, b) => a + b) / 768;
      if (!(Math.abs(mean / INCEPTION_MEAN - 1) < 1e-4)) {
        throw new Error(
          `inception-768: features have the mean ${mean}, expected ${INCEPTION_MEAN}`,
        );
      }
    },
    inputs: [x],
    images: batch,
  };
}

/** Every such job by name; made when asked for. */
export function singleJobs(batch: number, precision: Precision): Record<string, () => Job> {
  const conv = (name: string, ...rest: [Parameters<typeof convolution>[1], number, number]) => ({
    [name]: () => convolution(name, ...rest, precision),
  });
  return {
    "matmul-512": () => product(512, precision),
    "matmul-1024": () => product(1024, precision),
    "matmul-4096": () => product(4096, precision), // fills a large GPU
    ...conv("conv-forward", "forward", 3, 1),
    ...conv("conv-input", "input", 3, 1),
    ...conv("conv-weight", "weight", 3, 1),
    ...conv("conv4s2-forward", "forward", 4, 2),
    // Transposed, 128 channels at 16^2 to 64 at 32^2: the input gradient of 64 to 128.
    ...conv("convT4s2-forward", "input", 4, 2),
    "batchnorm-forward": () => norm("batchnorm-forward", false),
    "batchnorm-backward": () => norm("batchnorm-backward", true),
    "softmax": () => softmaxOf(1024),
    "adam": adam,
    "inception-768": () => inception(batch),
  };
}
