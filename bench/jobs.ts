/** What the benchmark times: the names and sizes of bench/pytorch.py. */
import { counters } from "../gpu/memory.ts";
import { batchNorm } from "../kernels/batch_norm.ts";
import { conv2d, conv2dInput, conv2dWeight } from "../kernels/conv2d.ts";
import { full } from "../kernels/elementwise.ts";
import { matmul } from "../kernels/matmul.ts";
import { normal } from "../kernels/random.ts";
import { sum } from "../kernels/reduce.ts";
import { softmax } from "../kernels/softmax.ts";
import { DcganDiscriminator, DcganGenerator } from "../models/dcgan.ts";
import { Adam } from "../nn/adam.ts";
import { grad } from "../nn/grad.ts";
import { hostRandom } from "../nn/random.ts";
import type { Shape, Tensor } from "../tensor/tensor.ts";
import { tensor } from "../tensor/tensor.ts";
import { losses } from "../train/losses.ts";
import { trainStep } from "../train/step.ts";

/** One thing to time. */
export interface Job {
  readonly shape: string;
  /** Records the job once. */
  readonly run: () => void;
  /** What it reads, which kernels may keep laid out between two runs that change nothing. */
  readonly inputs?: readonly Tensor[];
  /** Bytes moved, where that is what counts. */
  readonly bytes?: number;
  /** Pictures, where that is what counts. */
  readonly images?: number;
}

function draw(shape: Shape, stream: number): Tensor {
  return normal(shape, { seed: 1, stream, counter: 0 });
}

function product(n: number): Job {
  const a = draw([n, n], 1), b = draw([n, n], 2);
  return { shape: `${n}x${n}x${n}`, run: () => void matmul(a, b), inputs: [a, b] };
}

const N = 16, S = 32;

function convolution(
  kind: "forward" | "input" | "weight",
  kernel: number,
  stride: number,
  [C, O]: [number, number] = [64, 128],
): Job {
  const g = { stride, padding: 1 }, side = S / stride;
  const x = draw([N, S, S, C], 1),
    w = draw([kernel, kernel, C, O], 2),
    y = draw([N, side, side, O], 3);
  const shape = `N${N} ${C}->${O} ${S}^2 k${kernel} s${stride}`;
  return {
    forward: { shape, run: () => void conv2d(x, w, g), inputs: [x, w] },
    input: { shape, run: () => void conv2dInput(y, w, x.shape, g), inputs: [y, w] },
    weight: { shape, run: () => void conv2dWeight(x, y, w.shape, g), inputs: [x, y] },
  }[kind];
}

function norm(backward: boolean): Job {
  const C = 64, x = draw([N, S, S, C], 1), vector = (v: number) => full([C], v);
  const tensors = {
    weight: vector(1),
    bias: vector(0),
    running_mean: vector(0),
    running_var: vector(1),
  };
  const forward = () =>
    batchNorm(x, tensors, { training: true, eps: 1e-5, momentum: 0.1, slope: 1 });
  const shape = `N${N} ${C} ${S}^2`, bytes = 4 * x.size;
  if (!backward) return { shape, run: () => void forward(), bytes: 3 * bytes };
  const loss = sum(forward()), wanted = [x, tensors.weight, tensors.bias];
  return { shape, run: () => void grad(loss, wanted), bytes: 5 * bytes };
}

function adam(): Job {
  const n = 5_200_000, opt = new Adam([draw([n], 1)], { lr: 2e-4, betas: [0.5, 0.999] });
  const g = draw([n], 2);
  return { shape: `${n}`, run: () => opt.step([g]), bytes: 7 * 4 * n };
}

function dcgan(resolution: number, batch: number): Job {
  const sizes = { resolution, nz: 100, ngf: 64, ndf: 64 }, random = hostRandom(0);
  const G = new DcganGenerator(sizes, random), D = new DcganDiscriminator(sizes, random);
  const options = { lr: 2e-4, betas: [0.5, 0.999] as const };
  const optG = new Adam(G.parameters(), options), optD = new Adam(D.parameters(), options);
  const players = { G, D, optG, optD };
  const real = draw([batch, resolution, resolution, 3], 1), labels = tensor([1], [1]);
  const z = draw([batch, 100], 2);
  return {
    shape: `N${batch} ${resolution}^2 ngf64 ndf64`,
    run: () =>
      void trainStep(players, {
        loss: losses.bce,
        dSteps: 1,
        batch: () => ({ z, real, labels }),
      }),
    images: batch,
  };
}

/** Every job by name; made when asked for, since each takes memory. */
export function jobs(batch: number): Record<string, () => Job> {
  const softmaxOf = (n: number): Job => {
    const x = draw([n, n], 1);
    return { shape: `${n}x${n}`, run: () => void softmax(x), bytes: 8 * n * n };
  };
  return {
    "matmul-512": () => product(512),
    "matmul-1024": () => product(1024),
    "conv-forward": () => convolution("forward", 3, 1),
    "conv-input": () => convolution("input", 3, 1),
    "conv-weight": () => convolution("weight", 3, 1),
    "conv4s2-forward": () => convolution("forward", 4, 2),
    // Transposed, 128 channels at 16^2 to 64 at 32^2: the input gradient of 64 to 128.
    "convT4s2-forward": () => convolution("input", 4, 2),
    "batchnorm-forward": () => norm(false),
    "batchnorm-backward": () => norm(true),
    "softmax": () => softmaxOf(1024),
    "adam": adam,
    "dcgan-32": () => dcgan(32, batch),
    "dcgan-64": () => dcgan(64, batch),
  };
}

/** Floating-point operations of one run of a job. */
export function flopOf(job: Job, run: (job: Job) => void): number {
  const before = counters.flop;
  run(job);
  return counters.flop - before;
}
