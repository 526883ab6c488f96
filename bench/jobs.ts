/** What the benchmark times: the names and sizes of bench/pytorch.py. */
import { effect } from "../gpu/record.ts";
import { weightsOf } from "../eval/weights.ts";
import { batchNorm } from "../kernels/batch_norm.ts";
import { fromBytes } from "../kernels/bytes.ts";
import { conv2d, conv2dInput, conv2dWeight } from "../kernels/conv2d.ts";
import { full } from "../kernels/elementwise.ts";
import { matmul } from "../kernels/matmul.ts";
import { precision, withPrecision } from "../kernels/precision.ts";
import { normal, uniform } from "../kernels/random.ts";
import { softmax } from "../kernels/softmax.ts";
import { DcganDiscriminator, DcganGenerator } from "../models/dcgan.ts";
import { Inception } from "../models/inception.ts";
import { PgganDiscriminator, PgganGenerator } from "../models/pggan.ts";
import { SaganDiscriminator, SaganGenerator } from "../models/sagan.ts";
import { Adam } from "../nn/adam.ts";
import type { Module } from "../nn/module.ts";
import { GradScaler } from "../nn/grad_scaler.ts";
import { PowerIteration } from "../nn/power_iteration.ts";
import { hostRandom } from "../nn/random.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, type Shape, type Tensor } from "../tensor/tensor.ts";
import { stepPlayer } from "../train/advance.ts";
import { losses } from "../train/losses.ts";
import { type Batch, type Players, type StepLosses, trainStep } from "../train/step.ts";
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
import { drawnInception } from "../tests/drawn_inception.ts";

/** One thing to time. */
export interface Job {
  readonly shape: string;
  /** Records the job once. */
  readonly run: () => void;
  /** Runs the job and compares outputs with a float64 reference; throws if one is wrong. */
  readonly check: () => Promise<void>;
  /** What it reads, which kernels may keep laid out between two runs that change nothing. */
  readonly inputs: readonly Tensor[];
  /** Bytes that an ideal kernel moves, where that is what counts. */
  readonly bytes?: number;
  /** Pictures, where that is what counts. */
  readonly images?: number;
  /** Runs it as training does, which plays a step that it has recorded. */
  readonly player?: { readonly step: () => void; readonly forget: () => void };
}

function draw(shape: Shape, stream: number): Tensor {
  return normal(shape, { seed: 1, stream, counter: 0 });
}

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
  const held = precision(), once = () => withPrecision(held, () => noGrad(op));
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

/** What sums of so many products of normal numbers may be off by in the precision at hand, with room. */
function rounding(terms: number): number {
  return (precision() === "f16" ? 3e-3 : 1e-4) * Math.sqrt(terms);
}

function product(n: number): Job {
  const a = draw([n, n], 1), b = draw([n, n], 2);
  return single(
    `matmul-${n}`,
    `${n}x${n}x${n}`,
    [a, b],
    () => matmul(a, b),
    (a, b) => productAt(a, b, n),
    rounding(n),
  );
}

function convolution(
  name: string,
  kind: "forward" | "input" | "weight",
  kernel: number,
  stride: number,
): Job {
  const [N, S, C, O] = [16, 32, 64, 128], T = S / stride;
  const g = { stride, padding: 1 }, z: ConvSizes = { N, S, C, O, kernel, ...g };
  const x = draw([N, S, S, C], 1), w = draw([kernel, kernel, C, O], 2), y = draw([N, T, T, O], 3);
  const shape = `N${N} ${C}->${O} ${S}^2 k${kernel} s${stride}`;
  if (kind === "forward") {
    const near = rounding(C * kernel ** 2);
    return single(name, shape, [x, w], () => conv2d(x, w, g), (x, w) => convAt(x, w, z), near);
  }
  if (kind === "input") {
    const op = () => conv2dInput(y, w, x.shape, g), near = rounding(O * kernel ** 2);
    return single(name, shape, [y, w], op, (y, w) => convInputAt(y, w, z), near);
  }
  const op = () => conv2dWeight(x, y, w.shape, g), near = rounding(N * T * T);
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

/** Nets and how a step of theirs is made, from what a step is given. */
export interface Training {
  readonly players: Players;
  readonly resolution: number;
  /** Length of a latent. */
  readonly nz: number;
  /** Whether a step looks between real pictures and fakes. */
  readonly mixes?: boolean;
  readonly step: (given: Batch) => StepLosses;
}

/** What a job needs to time it. */
export interface TimedTraining extends Training {
  /** Sizes, to be shown. */
  readonly shape: string;
  /** Between what the first losses lie; if left out, those of cross-entropy. */
  readonly range?: { readonly least: number; readonly most: number };
  /** Parameters whose first gradient is 0. */
  readonly still?: readonly Tensor[];
}

function adams(G: Module, D: Module, lrG: number, lrD: number, betas: readonly [number, number]) {
  // A scale at which the first step does not overflow: it is checked.
  const adam = (net: Module, lr: number) =>
    new Adam(net.parameters(), {
      lr,
      betas,
      ...precision() === "f16" && { scaler: new GradScaler({ initScale: 1024 }) },
    });
  return { G, D, optG: adam(G, lrG), optD: adam(D, lrD) };
}

function dcgan(resolution: number, width = 64): TimedTraining {
  const sizes = { resolution, nz: 100, ngf: width, ndf: width }, random = hostRandom(0);
  const G = new DcganGenerator(sizes, random), D = new DcganDiscriminator(sizes, random);
  const players = adams(G, D, 2e-4, 2e-4, [0.5, 0.999]);
  const step = (given: Batch) =>
    trainStep(players, { loss: losses.bce, dSteps: 1, batch: () => given });
  return { players, resolution, nz: sizes.nz, step, shape: `ngf${width} ndf${width}` };
}

/** As the paper's preset: spectral norm and attention of 32x32 in both nets, hinge loss. */
function sagan(resolution: number): TimedTraining {
  const sizes = { resolution, nz: 128, ngf: 64, ndf: 64, dropout: 0 }, random = hostRandom(0);
  const attention = { attention: "32", attentionReduction: 8, attentionValues: "half" };
  const kinds = { spectralNorm: true, attentionPool: true, normD: "none", minibatch: "none" };
  const options = { ...sizes, ...attention, ...kinds };
  const G = new SaganGenerator(options, random), D = new SaganDiscriminator(options, random);
  const players = {
    ...adams(G, D, 1e-4, 4e-4, [0, 0.9]),
    spectraG: new PowerIteration(G),
    spectraD: new PowerIteration(D),
  };
  const step = (given: Batch) =>
    trainStep(players, { loss: losses.hinge, dSteps: 1, batch: () => given });
  for (const [name, t] of [...G.named(), ...D.named()]) {
    if (name.endsWith("gamma")) t.write([0.5]); // at 0 attention would not learn in the first step
  }
  // Real pictures pull D's last bias up as fakes pull it down, while all logits are within the hinge.
  const still = [D.output.bias!],
    range = { least: -50, most: 50 },
    shape = "ngf64 ndf64 attention 32";
  return { players, resolution, nz: sizes.nz, step, range, still, shape };
}

/** WGAN-GP on the nets of the preset for small devices, grown and stabilised. */
function pggan(resolution: number): TimedTraining {
  const sizes = { nz: 64, fmapBase: 1024, fmapMax: 64 };
  const kinds = { norm: "pixel", weights: "equalised", minibatch: "stddev" };
  const stage = { resolution, fading: false, alpha: 1 }, random = hostRandom(0);
  const G = new PgganGenerator({ ...sizes, ...kinds }, random, stage);
  const D = new PgganDiscriminator({ ...sizes, ...kinds }, random, stage);
  const players = adams(G, D, 1e-3, 1e-3, [0, 0.99]);
  const penalties = { gp: 10, r1: 0, drift: 1e-3 };
  const step = (given: Batch) =>
    trainStep(players, { loss: losses.wgan, dSteps: 1, penalties, batch: () => given });
  // With unit gain each way, logits are of the size of 1, and the penalty of 10 (0 - 1)^2.
  const range = { least: -50, most: 50 };
  return { players, resolution, nz: sizes.nz, mixes: true, step, range, shape: "fmap 1024/64" };
}

const trainings: Record<string, () => TimedTraining> = {
  "dcgan-32": () => dcgan(32),
  "dcgan-64": () => dcgan(64),
  "sagan-64": () => sagan(64),
  "pggan-4": () => pggan(4),
  "pggan-8": () => pggan(8),
  "pggan-16": () => pggan(16),
  "pggan-32": () => pggan(32),
  "pggan-64": () => pggan(64),
};

/** What bench/growth times besides: DCGAN of other sizes and widths. */
const others: Record<string, () => TimedTraining> = {
  "dcgan-128": () => dcgan(128),
  ...Object.fromEntries(
    [16, 32, 128].map((width) => [`dcgan-32-w${width}`, () => dcgan(32, width)]),
  ),
};

/** Names of the jobs that are run only when they are named. */
export const onRequest: readonly string[] = [...Object.keys(others), "matmul-4096"];

/** Names of the jobs that train. */
export const trainingNames: readonly string[] = [trainings, others].flatMap(Object.keys);

/** The nets of a job that trains, before their first step. */
export function training(name: string): TimedTraining {
  return (trainings[name] ?? others[name])();
}

/** Pictures that are noise, and what each step is given with them: as in PyTorch's, latents are drawn. */
export function batches(
  { resolution, nz, mixes }: Training,
  batch: number,
): { real: Tensor; next: () => Batch } {
  const real = draw([batch, resolution, resolution, 3], 1), labels = 1, seed = 1;
  let drawn = 0;
  const counter = () => drawn;
  const next = () => {
    const z = normal([batch, nz], { seed, stream: 2, counter });
    const mix = mixes && uniform([batch], { seed, stream: 3, counter });
    effect(() => drawn++);
    return { z, real, labels, ...mix && { mix } };
  };
  return { real, next };
}

function trainingJob(name: string, batch: number): Job {
  const made = training(name),
    { resolution, shape } = made,
    { real, next } = batches(made, batch);
  const held = precision(), step = () => withPrecision(held, () => made.step(next()));
  const player = stepPlayer();
  return {
    shape: `N${batch} ${resolution}^2 ${shape}`,
    run: () => void scoped(() => void step()),
    check: () => checkFirstStep(name, made, step),
    inputs: [real],
    images: batch,
    player: { step: () => void player.step("", step), forget: () => player.forget() },
  };
}

/**
 * A whole step in float64 would take longer than all that is timed, and tests/dcgan_test.ts holds it
 * against PyTorch. So what must hold of any first step: D's losses are those of a net that knows
 * nothing yet, and Adam moves each parameter by `lr g / (|g| + eps)`, at most `lr` and mostly that.
 */
async function checkFirstStep(
  name: string,
  { players: { optG, optD }, still = [], range }: TimedTraining,
  step: () => StepLosses,
): Promise<void> {
  const params = [optG, optD].flatMap(({ params, options: { lr } }) =>
    params.map((p) => ({ p, lr }))
  );
  const before: Float32Array[] = [];
  for (const { p } of params) before.push(await p.read());
  for (const [loss, value] of Object.entries(step())) {
    // G's is that of a D that has already made a step.
    const [v] = await value.read();
    const { least, most } = range ?? { least: 0.05, most: loss === "g" ? 50 : 4 };
    if (!(v > least && v < most)) {
      throw new Error(`${name}: loss ${loss} of the first step is ${v}`);
    }
  }
  for (const [k, { p, lr }] of params.entries()) {
    const after = await p.read(), moved = after.map((v, i) => Math.abs(v - before[k][i]) / lr);
    const mean = moved.reduce((a, b) => a + b) / moved.length;
    if (still.includes(p) ? mean !== 0 : !(mean > 0.5 && mean < 1.001)) {
      throw new Error(
        `${name}: parameter ${k} [${p.shape}] moved by ${mean} times the rate, expected about ` +
          `${still.includes(p) ? 0 : 1}`,
      );
    }
  }
}

/** Of the first picture's features: by PyTorch in float64, with tests/oracle/inception.py. */
const INCEPTION_MEAN = 1.196167037;

/** FID's Inception up to the 768-dimensional feature, on pictures of 64 x 64 pixels. */
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

/**
 * Every job by name; made when asked for, since each takes memory. Products, convolutions and steps are
 * of the precision in which they are made.
 */
export function jobs(batch: number): Record<string, () => Job> {
  const conv = (name: string, ...rest: [Parameters<typeof convolution>[1], number, number]) => ({
    [name]: () => convolution(name, ...rest),
  });
  return {
    "matmul-512": () => product(512),
    "matmul-1024": () => product(1024),
    "matmul-4096": () => product(4096), // fills a large GPU
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
    ...Object.fromEntries(trainingNames.map((name) => [name, () => trainingJob(name, batch)])),
    "inception-768": () => inception(batch),
  };
}
