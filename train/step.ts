import { add, full, scale } from "../kernels/elementwise.ts";
import type { Adam } from "../nn/adam.ts";
import { type Context, together, TRAINING } from "../nn/context.ts";
import { grad } from "../nn/grad.ts";
import type { Module } from "../nn/module.ts";
import type { PowerIteration } from "../nn/power_iteration.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, type Tensor } from "../tensor/tensor.ts";
import type { Loss } from "./losses.ts";
import {
  driftPenalty,
  gradientPenalty,
  type PenaltyWeights,
  slopePenalty,
  weightPenalty,
} from "./penalties.ts";

/** Two nets and what trains them. */
export interface Players {
  readonly G: Module;
  readonly D: Module;
  readonly optG: Adam;
  readonly optD: Adam;
  /** Moved once a step, where layers are spectrally normalised. */
  readonly spectraG?: PowerIteration;
  readonly spectraD?: PowerIteration;
}

/** What a step of D is given. */
export interface Batch {
  /** Latents, `[N, nz]`. */
  readonly z: Tensor;
  /** Real pictures, `[N, R, R, 3]` in [-1, 1]. */
  readonly real: Tensor;
  /** Targets for them: one for all, or `[N]`. */
  readonly labels: number | Tensor;
  /** Where between real and fake WGAN-GP looks, `[N]` in [0, 1]; needed for it alone. */
  readonly mix?: Tensor;
}

/** What one step is given. */
export interface StepInput {
  readonly loss: Loss;
  /** Makes what D's step `i` is given. */
  readonly batch: (i: number) => Batch;
  /** D's steps for one of G. */
  readonly dSteps: number;
  /** Learning rates, instead of the optimisers' own. */
  readonly rates?: { readonly G: number; readonly D: number };
  readonly penalties?: PenaltyWeights;
  /** Of the sum of the weights' sizes and of half their squares, in both nets. */
  readonly decay?: { readonly l1: number; readonly l2: number };
  /** Changes pictures before D sees them; each of the step's passes has a number of its own. */
  readonly augment?: (x: Tensor, pass: number) => Tensor;
  /** Of every forward pass; with `f16` optimisers should have scalers. In f32 if left out. */
  readonly context?: Context;
}

/** The losses of a step, one number each; `penalty` is there if there is one. */
export type StepLosses =
  & Readonly<Record<"dReal" | "dFake" | "g", Tensor>>
  & { readonly penalty?: Tensor };

const NO_DECAY = { l1: 0, l2: 0 };

/**
 * One step: D's, on real and fake pictures in one pass (but their batch statistics must not
 * mix), then G's, on the last fakes, whose graph is still there.
 */
export function trainStep(players: Players, input: StepInput): StepLosses {
  const { G, D, optG, spectraG, spectraD } = players;
  const { loss, batch, dSteps, rates, augment = (x) => x, decay: { l1, l2 } = NO_DECAY } = input;
  const { context = TRAINING } = input;
  return scoped(() => {
    spectraG?.step();
    let d: Omit<StepLosses, "g"> | undefined, fake: Tensor | undefined, real: Tensor | undefined;
    for (let i = 0; i < dSteps; i++) {
      const given = batch(i), { z } = given, last = i === dSteps - 1;
      fake = last ? G.forward(z, context) : noGrad(() => G.forward(z, context));
      real = given.real;
      d = stepD(players, input, given, fake, 3 * i);
    }
    const pass = 3 * dSteps;
    spectraD?.measure(); // D has changed since
    const reals = loss.isRelative
      ? noGrad(() => D.forward(augment(real!, pass - 1), context))
      : undefined;
    const { g } = learn(optG, [() => ({
      g: loss.G(D.forward(augment(fake!, pass), context), reals),
      weights: weightPenalty(optG.params, l1, l2),
    })], rates?.G);
    return { ...d!, g: g! };
  });
}

function stepD(
  { D, optD, spectraD }: Players,
  { loss, rates, penalties, augment = (x) => x, decay: { l1, l2 } = NO_DECAY, context = TRAINING }:
    StepInput,
  given: Batch,
  made: Tensor,
  nth: number,
): Omit<StepLosses, "g"> {
  return scoped(() => {
    spectraD?.step();
    const real = augment(given.real, nth), fake = augment(made, nth + 1);
    const { gp, r1, r1Every = 1, drift } = penalties ?? { gp: 0, r1: 0, drift: 0 };
    // Lazy: Karras et al. 2020, https://arxiv.org/abs/1912.04958, section 3.1.
    const due = r1 > 0 && optD.steps % r1Every === 0;
    const pass = (x: Tensor, c = context) => D.forward(x, c), xs = [real, fake];
    const onReals = (onReal: Tensor, onFake?: Tensor): Losses => ({
      dReal: loss.real(onReal, given.labels, onFake),
      penalty: sumOf(
        // At the images themselves, through what augmentation makes of them: Karras et al. 2020 (ADA).
        due && scale(slopePenalty(onReal, given.real), r1 * r1Every / 2),
        r1 > 0 && !due && full([], 0),
        drift > 0 && scale(driftPenalty(onReal), drift),
        weightPenalty(optD.params, l1, l2),
      ),
    });
    const both = () => {
      const [onReal, onFake] = due ? xs.map((x) => pass(x)) : together(pass, xs, context);
      return { ...onReals(onReal, onFake), dFake: loss.fake(onFake, onReal) };
    };
    // R1 goes back and forth through the pass of the real ones alone.
    const { dReal, dFake, penalty } = learn(optD, [
      ...due && !loss.isRelative
        ? [() => ({ dFake: loss.fake(pass(fake)) }), () => onReals(pass(real))]
        : [both],
      ...gp ? [() => ({ penalty: scale(gradientPenalty(pass, real, fake, given.mix!), gp) })] : [],
    ], rates?.D);
    return { dReal: dReal!, dFake: dFake!, ...penalty && { penalty } };
  });
}

/** Losses by their names. */
type Losses = { readonly [name: string]: Tensor | undefined };

/** The sum of those that there are. */
function sumOf(...terms: (Tensor | false | undefined)[]): Tensor | undefined {
  const there = terms.filter((term) => typeof term === "object");
  return there.length ? there.reduce(add) : undefined;
}

/**
 * One step down the sum of losses. `parts` share nothing but the net: each is made and goes back by
 * itself, so that memory is that of the largest, not of all. Returns the losses, those of one name added.
 *
 * Where the loss is scaled, so are penalties; the slopes that these look at are not: they begin at 1 a
 * logit, and are far from where f16 ends.
 */
function learn(opt: Adam, parts: readonly (() => Losses)[], lr?: number): Losses {
  let onto: Tensor[] | undefined;
  const all: Record<string, Tensor | undefined> = {};
  for (const part of parts) {
    const { losses, grads } = scoped(() => {
      const losses = part(), there = Object.values(losses).filter((loss) => loss !== undefined);
      const dy = opt.options.scaler?.scale;
      return { losses, grads: grad(there, opt.params, { dy, onto }) };
    });
    onto = grads;
    for (const [name, loss] of Object.entries(losses)) {
      all[name] = noGrad(() => sumOf(all[name], loss));
    }
  }
  opt.step(onto!, lr);
  return all;
}
