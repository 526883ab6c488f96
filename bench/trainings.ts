/** Jobs that train: networks, their steps and what these are given, as in bench/pytorch.py. */
import { effect } from "../gpu/record.ts";
import type { Precision } from "../kernels/precision.ts";
import { normal, uniform } from "../kernels/random.ts";
import { slice } from "../kernels/slice.ts";
import { DcganDiscriminator, DcganGenerator } from "../models/dcgan.ts";
import { PgganDiscriminator, PgganGenerator } from "../models/pggan.ts";
import { SaganDiscriminator, SaganGenerator } from "../models/sagan.ts";
import { Adam } from "../nn/adam.ts";
import { GradScaler } from "../nn/grad_scaler.ts";
import type { Module } from "../nn/module.ts";
import { PowerIteration } from "../nn/power_iteration.ts";
import { hostRandom } from "../nn/random.ts";
import { reshape } from "../tensor/op.ts";
import { scoped, type Tensor } from "../tensor/tensor.ts";
import { stepPlayer } from "../train/advance.ts";
import { losses } from "../train/losses.ts";
import { type Batch, type Players, type StepLosses, trainStep } from "../train/step.ts";
import { drift, wganGp } from "../train/terms.ts";
import { draw, type Job } from "./job.ts";

/** Networks and how a step of theirs is made, from what a step is given. */
export interface Training {
  readonly players: Players;
  readonly resolution: number;
  /** Length of a latent. */
  readonly nz: number;
  /** Whether a step looks between real images and fakes. */
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

function adams(
  G: Module,
  D: Module,
  [lrG, lrD]: readonly [number, number],
  betas: readonly [number, number],
  precision: Precision,
) {
  // A scale at which the first step does not overflow: it is checked.
  const adam = (net: Module, lr: number) =>
    new Adam(net.parameters(), {
      lr,
      betas,
      ...precision === "f16" && { scaler: new GradScaler({ initScale: 1024 }) },
    });
  return { G, D, optG: adam(G, lrG), optD: adam(D, lrD) };
}

function dcgan(resolution: number, precision: Precision, width = 64): TimedTraining {
  const sizes = { resolution, nz: 100, ngf: width, ndf: width }, random = hostRandom(0);
  const G = new DcganGenerator(sizes, random), D = new DcganDiscriminator(sizes, random);
  const players = adams(G, D, [2e-4, 2e-4], [0.5, 0.999], precision);
  const step = (given: Batch) =>
    trainStep(players, {
      loss: losses.bce,
      dSteps: 1,
      context: { training: true, precision },
      batch: () => given,
    });
  return { players, resolution, nz: sizes.nz, step, shape: `ngf${width} ndf${width}` };
}

/** As the paper's preset: spectral norm and attention of 32x32 in both networks, hinge loss. */
function sagan(
  resolution: number,
  precision: Precision,
  { width = 64, residual = false } = {},
): TimedTraining {
  const sizes = { resolution, nz: 128, ngf: width, ndf: width, dropout: 0 }, random = hostRandom(0);
  const attention = { attention: "32", attentionReduction: 8, attentionValues: "half" };
  const kinds = { spectralNorm: true, attentionPool: true, normD: "none", minibatch: "none" };
  const options = { ...sizes, ...attention, ...kinds, residual };
  const G = new SaganGenerator(options, random), D = new SaganDiscriminator(options, random);
  const players = {
    ...adams(G, D, [1e-4, 4e-4], [0, 0.9], precision),
    spectraG: new PowerIteration(G),
    spectraD: new PowerIteration(D),
  };
  const step = (given: Batch) =>
    trainStep(players, {
      loss: losses.hinge,
      dSteps: 1,
      context: { training: true, precision },
      batch: () => given,
    });
  for (const [name, t] of [...G.named(), ...D.named()]) {
    if (name.endsWith("gamma")) t.write([0.5]); // at 0 attention would not learn in the first step
  }
  // Real images pull D's last bias up as fakes pull it down, while all logits are within the hinge.
  const still = [D.output.bias!],
    range = { least: -50, most: 50 },
    shape = `ngf${width} ndf${width} attention 32${residual ? " residual" : ""}`;
  return { players, resolution, nz: sizes.nz, step, range, still, shape };
}

/** WGAN-GP on the networks of the preset for small devices, grown and stabilised. */
function pggan(resolution: number, precision: Precision): TimedTraining {
  const sizes = { nz: 64, fmapBase: 1024, fmapMax: 64 };
  const kinds = { norm: "pixel", weights: "equalised", minibatch: "stddev" };
  const stage = { resolution, fading: false, alpha: 1 }, random = hostRandom(0);
  const G = new PgganGenerator({ ...sizes, ...kinds }, random, stage);
  const D = new PgganDiscriminator({ ...sizes, ...kinds }, random, stage);
  const players = adams(G, D, [1e-3, 1e-3], [0, 0.99], precision);
  const terms = { D: [...drift(1e-3), ...wganGp(10)], G: [] };
  const step = (given: Batch) =>
    trainStep(players, {
      loss: losses.wgan,
      dSteps: 1,
      terms,
      context: { training: true, precision },
      batch: () => given,
    });
  // With unit gain each way, logits are of the size of 1, and the penalty of 10 (0 - 1)^2.
  const range = { least: -50, most: 50 };
  return { players, resolution, nz: sizes.nz, mixes: true, step, range, shape: "fmap 1024/64" };
}

const trainings: Record<string, (precision: Precision) => TimedTraining> = {
  "dcgan-32": (precision) => dcgan(32, precision),
  "dcgan-64": (precision) => dcgan(64, precision),
  "sagan-64": (precision) => sagan(64, precision),
  "pggan-4": (precision) => pggan(4, precision),
  "pggan-8": (precision) => pggan(8, precision),
  "pggan-16": (precision) => pggan(16, precision),
  "pggan-32": (precision) => pggan(32, precision),
  "pggan-64": (precision) => pggan(64, precision),
};

/** What bench/growth times besides: DCGAN of other sizes and widths. */
export const others: Record<string, (precision: Precision) => TimedTraining> = {
  "dcgan-128": (precision) => dcgan(128, precision),
  "sagan-64-residual": (precision) => sagan(64, precision, { width: 32, residual: true }),
  ...Object.fromEntries(
    [16, 32, 128].map((
      width,
    ) => [`dcgan-32-w${width}`, (precision: Precision) => dcgan(32, precision, width)]),
  ),
};

/** Names of the jobs that train. */
export const trainingNames: readonly string[] = [trainings, others].flatMap(Object.keys);

/** The networks of a job that trains, before their first step. */
export function training(name: string, precision: Precision = "f32"): TimedTraining {
  return (trainings[name] ?? others[name])(precision);
}

/** Images that are noise, and what each step is given with them: as in PyTorch's, latents are drawn. */
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

/** What times a step of such a job. */
export function trainingJob(name: string, batch: number, precision: Precision): Job {
  const made = training(name, precision),
    { resolution, shape } = made,
    { real, next } = batches(made, batch);
  const step = () => made.step(next());
  const player = stepPlayer(), run = () => void scoped(() => void step());
  const { optG, optD } = made.players;
  return {
    shape: `N${batch} ${resolution}^2 ${shape}`,
    run,
    rehearse: () => {
      run();
      optG.steps = optD.steps = 0;
    },
    check: () => checkFirstStep(name, made, step),
    inputs: [real],
    images: batch,
    player: { step: () => void player.step("", step), forget: () => player.forget() },
  };
}

/** The first values: to read all would add to the memory that is measured. */
function someOf(p: Tensor): Promise<Float32Array> {
  const length = Math.min(p.size, 1 << 14);
  return scoped(() => slice(reshape(p, [p.size]), 0, 0, length)).read();
}

/**
 * A whole step in float64 would take longer than all that is timed, and tests/dcgan_test.ts holds it
 * against PyTorch. So what must hold of any first step: D's losses are those of a network that knows
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
  for (const { p } of params) before.push(await someOf(p));
  for (const [loss, value] of Object.entries(step())) {
    // G's is that of a D that has already made a step.
    const [v] = await value.read();
    const { least, most } = range ?? { least: 0.05, most: loss === "g" ? 50 : 4 };
    if (!(v > least && v < most)) {
      throw new Error(`${name}: loss ${loss} of the first step is ${v}`);
    }
  }
  for (const [k, { p, lr }] of params.entries()) {
    const after = await someOf(p), moved = after.map((v, i) => Math.abs(v - before[k][i]) / lr);
    const mean = moved.reduce((a, b) => a + b) / moved.length;
    if (still.includes(p) ? mean !== 0 : !(mean > 0.5 && mean < 1.001)) {
      throw new Error(
        `${name}: parameter ${k} [${p.shape}] moved by ${mean} times the rate, expected about ` +
          `${still.includes(p) ? 0 : 1}`,
      );
    }
  }
}
