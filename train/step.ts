import { scoped, type Tensor } from "../tensor/tensor.ts";
import { add } from "../kernels/elementwise.ts";
import { noGrad } from "../tensor/op.ts";
import type { Adam } from "../nn/adam.ts";
import { grad } from "../nn/grad.ts";
import type { Module } from "../nn/module.ts";
import type { Loss } from "./losses.ts";

/** Two nets and what trains them. */
export interface Players {
  readonly G: Module;
  readonly D: Module;
  readonly optG: Adam;
  readonly optD: Adam;
}

/** What a step of D is given. */
export interface Batch {
  /** Latents, `[N, nz]`. */
  readonly z: Tensor;
  /** Real pictures, `[N, R, R, 3]` in [-1, 1]. */
  readonly real: Tensor;
  /** Targets for them, `[N]` or `[1]`. */
  readonly labels: Tensor;
}

/** What one step is given. */
export interface StepInput {
  readonly loss: Loss;
  /** Makes what D's step `i` is given. */
  readonly batch: (i: number) => Batch;
  /** D's steps for one of G. */
  readonly dSteps: number;
}

/** The losses of a step, one number each. */
export type StepLosses = Readonly<Record<"dReal" | "dFake" | "g", Tensor>>;

/**
 * One step: D's, on real and fake pictures in passes of their own (their batch statistics must not
 * mix), then G's, on the last fakes, whose graph is still there.
 */
export function trainStep(players: Players, { loss, batch, dSteps }: StepInput): StepLosses {
  const { G, D, optG } = players;
  return scoped(() => {
    let d: { dReal: Tensor; dFake: Tensor } | undefined, fake: Tensor | undefined;
    for (let i = 0; i < dSteps; i++) {
      const given = batch(i), { z } = given, last = i === dSteps - 1;
      fake = last ? G.forward(z, true) : noGrad(() => G.forward(z, true));
      d = stepD(players, loss, given, fake);
    }
    const g = loss.G(D.forward(fake!, true));
    optG.step(grad(g, optG.params));
    return { ...d!, g };
  });
}

function stepD({ D, optD }: Players, loss: Loss, { real, labels }: Batch, fake: Tensor) {
  return scoped(() => {
    const dReal = loss.real(D.forward(real, true), labels);
    const dFake = loss.fake(D.forward(fake, true));
    optD.step(grad(add(dReal, dFake), optD.params));
    return { dReal, dFake };
  });
}
