import type { Live } from "../gpu/record.ts";
import { add, full, scale } from "../kernels/elementwise.ts";
import { slice } from "../kernels/slice.ts";
import type { Adam } from "../nn/adam.ts";
import { type Context, together, TRAINING } from "../nn/context.ts";
import { grad } from "../nn/grad.ts";
import type { Module } from "../nn/module.ts";
import type { PowerIteration } from "../nn/power_iteration.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, type Tensor } from "../tensor/tensor.ts";
import type { Loss } from "./losses.ts";
import type { Slope, Term, Terms } from "./terms.ts";

/** Two networks and what trains them. */
export interface Players {
  /** Latents `[N, nz]` to images `[N, R, R, C]`. */
  readonly G: Module;
  /** Images to logits `[N]`. */
  readonly D: Module;
  /** What trains G. */
  readonly optG: Adam;
  /** What trains D. */
  readonly optD: Adam;
  /** Moved once a step, where layers of G are spectrally normalised. */
  readonly spectraG?: PowerIteration;
  /** The same of D, at each of its steps. */
  readonly spectraD?: PowerIteration;
}

/** What a step of D is given. */
export interface Batch {
  /** Latents, `[N, nz]`. */
  readonly z: Tensor;
  /** Real images, `[N, R, R, C]` in [-1, 1]. */
  readonly real: Tensor;
  /** Targets for them: one for all, or `[N]`. */
  readonly labels: number | Tensor;
  /** Where between real and fake WGAN-GP looks, `[N]` in [0, 1]; needed for it alone. */
  readonly mix?: Tensor;
  /** The classes of the real images and of the fakes, `[N, C]`, where D is told: {@linkcode Context}. */
  readonly classes?: Tensor;
}

/** What one step is given. */
export interface StepInput {
  /** The adversarial losses. */
  readonly loss: Loss;
  /** Makes what D's step `i` is given. */
  readonly batch: (i: number) => Batch;
  /** D's steps for one of G. */
  readonly dSteps: number;
  /** Learning rates, instead of the optimisers' own. */
  readonly rates?: { readonly G: Live<number>; readonly D: Live<number> };
  /** The decay of mean squares, instead of the optimisers' own. */
  readonly beta2?: Live<number>;
  /** Beside the adversarial losses. */
  readonly terms?: Terms;
  /** Changes images before D sees them; each of the step's passes has a number of its own. */
  readonly augment?: (x: Tensor, pass: number) => Tensor;
  /** Is shown D's logits `[N]` of real images, of each micro-batch. */
  readonly observe?: (onReal: Tensor) => void;
  /** Of every forward pass; with `f16` optimisers should have scalers. In f32 if left out. */
  readonly context?: Context;
  /**
   * Micro-batches that a batch is split into, whose gradients are averaged: memory is that of one. Layers
   * that look across a batch see a micro-batch. 1 if left out.
   */
  readonly accumulate?: number;
}

/** The losses of a step, one number each; `penalty` is there if there is one. */
export type StepLosses =
  & Readonly<Record<"dReal" | "dFake" | "g", Tensor>>
  & { readonly penalty?: Tensor };

/** Gradients of one network, before its optimiser runs; with a scaler, those of the scaled loss. */
export interface Gradients {
  /** Whose they are. */
  readonly network: "G" | "D";
  /** As the optimiser lays them out, `[n]`. */
  readonly gradients: Tensor;
}

/** A step that stops at each network's gradients, and goes on with those that it is given back. */
export type Step = Generator<Gradients, StepLosses, Tensor>;

/**
 * One step: D's, on real and fake images in one pass (but their batch statistics must not
 * mix), then G's, on the last fakes, whose graph is still there.
 *
 * @param between What becomes of gradients before the optimiser takes them: scaled, checked, averaged.
 */
export function trainStep(
  players: Players,
  input: StepInput,
  between: (gradients: Gradients) => Tensor = ({ gradients }) => gradients,
): StepLosses {
  return scoped(() => {
    const step = stepOf(players, input);
    let next = step.next();
    while (!next.done) next = step.next(between(next.value));
    return next.value;
  });
}

/** The same as a generator; it takes its memory in the scope of whoever runs it. */
export function* stepOf(players: Players, input: StepInput): Step {
  const { G, D, optG, optD, spectraG, spectraD } = players;
  const { loss, dSteps, rates, beta2, augment = (x) => x, context = TRAINING } = input;
  const { accumulate = 1 } = input;
  const perBatch = 3 * dSteps + 1; // passes
  spectraG?.step();
  let d: Losses = {}, micro: readonly MicroBatch[] = [];
  for (let i = 0; i < dSteps; i++) {
    // Without accumulation, G learns from the graph of the last fakes.
    const keep = accumulate === 1 && i === dSteps - 1;
    const fakes = (z: Tensor) => {
      const fake = () => G.forward(z, context);
      return keep ? fake() : scoped(() => noGrad(fake));
    };
    micro = split(input.batch(i), accumulate).map((batch, m) => ({
      ...batch,
      pass: perBatch * m + 3 * i,
      ...keep && { fake: fakes(batch.z) },
    }));
    const parts = scoped(() => {
      spectraD?.step();
      return descend(
        optD,
        micro.flatMap((batch) =>
          partsOfD(players, input, batch, () => batch.fake ?? fakes(batch.z))
        ),
        accumulate,
      );
    });
    d = parts.losses;
    optD.step(yield { network: "D", gradients: optD.pack(parts.grads) }, rates?.D, beta2);
  }
  spectraD?.measure(); // D has changed since
  const ofG = micro.map(({ z, real, fake, pass, classes }) => () => {
    const ofD = told(context, classes);
    const reals = loss.isRelative
      ? noGrad(() => D.forward(augment(real, pass + 2), ofD))
      : undefined;
    const made = fake ?? G.forward(z, context);
    return {
      g: loss.G(D.forward(augment(made, pass + 3), ofD), reals),
      weights: sumOf(...ofParameters(input.terms?.G, optG)),
    };
  });
  const { losses: { g }, grads } = descend(optG, ofG, accumulate);
  optG.step(yield { network: "G", gradients: optG.pack(grads) }, rates?.G, beta2);
  const { dReal, dFake, penalty } = d;
  return { dReal: dReal!, dFake: dFake!, ...penalty && { penalty }, g: g! };
}

/** A share of a batch, the number of its first pass in D's step, and its fakes where these are kept. */
type MicroBatch = Batch & { readonly pass: number; readonly fake?: Tensor };

/** D's context where it is told classes. */
function told(context: Context, classes: Tensor | undefined): Context {
  return classes ? { ...context, classes } : context;
}

/** `n` shares of a batch. */
function split(batch: Batch, n: number): readonly Batch[] {
  if (n === 1) return [batch];
  const { z, real, labels, mix, classes } = batch, size = z.shape[0] / n;
  if (!Number.isInteger(size)) {
    throw new RangeError(
      `trainStep: a batch of ${z.shape[0]} has no ${n} micro-batches of one size`,
    );
  }
  const share = (x: Tensor, i: number) => slice(x, 0, i * size, size);
  return Array.from({ length: n }, (_, i) => ({
    z: share(z, i),
    real: share(real, i),
    labels: typeof labels === "number" || labels.size === 1 ? labels : share(labels, i),
    ...mix && { mix: share(mix, i) },
    ...classes && { classes: share(classes, i) },
  }));
}

/** What D's loss consists of for one micro-batch: parts that share nothing but the network. */
function partsOfD(
  { D, optD }: Players,
  { loss, terms, augment = (x) => x, observe, context: untold = TRAINING }: StepInput,
  { real: given, labels, mix, classes, pass: nth }: MicroBatch,
  fakes: () => Tensor,
): (() => Losses)[] {
  const all = terms?.D ?? [], made = fakes(), context = told(untold, classes);
  const real = augment(given, nth), fake = augment(made, nth + 1);
  const pass = (x: Tensor, c = context) => D.forward(x, c);
  const seen = { D: (x: Tensor) => pass(x), real, fake, ...mix && { mix } };
  const isDue = (term: Term) => term.of === "slope" && optD.steps % term.every === 0;
  const slopes = (at: Slope["at"], logits: Tensor, images: Tensor) =>
    all.map((term) =>
      term.of === "slope" && term.at === at &&
      (isDue(term) ? term.value(logits, images) : full([], 0))
    );
  const onReals = (onReal: Tensor, onFake?: Tensor): Losses => {
    observe?.(onReal);
    return {
      dReal: loss.real(onReal, labels, onFake),
      penalty: sumOf(
        ...slopes("real", onReal, given),
        ...all.map((term) => term.of === "reals" && term.value({ ...seen, onReal })),
        ...ofParameters(all, optD),
      ),
    };
  };
  const onFakes = (onFake: Tensor, onReal?: Tensor): Losses => ({
    dFake: loss.fake(onFake, onReal),
    penalty: sumOf(...slopes("fake", onFake, made)),
  });
  const due = all.some(isDue);
  const both = () => {
    const [onReal, onFake] = due
      ? [real, fake].map((x) => pass(x))
      : together(pass, [real, fake], context);
    const a = onReals(onReal, onFake), b = onFakes(onFake, onReal);
    return { ...a, ...b, penalty: sumOf(a.penalty, b.penalty) };
  };
  // A slope's derivative goes back and forth through the pass of its images alone.
  return [
    ...due && !loss.isRelative ? [() => onFakes(pass(fake)), () => onReals(pass(real))] : [both],
    ...all.filter((term) => term.of === "own").map((term) => () => ({ penalty: term.value(seen) })),
  ];
}

function ofParameters(terms: readonly Term[] = [], { params }: Adam): (Tensor | undefined)[] {
  return terms.map((term) => term.of === "parameters" ? term.value(params) : undefined);
}

/** Losses by their names. */
type Losses = { readonly [name: string]: Tensor | undefined };

/** The sum of those that there are. */
function sumOf(...terms: (Tensor | false | undefined)[]): Tensor | undefined {
  const there = terms.filter((term) => typeof term === "object");
  return there.length ? there.reduce(add) : undefined;
}

/**
 * The gradients of a sum of losses over `n`. `parts` share nothing but the network: each goes forward and
 * back by itself, so that memory is that of the largest, not of all. Losses of one name are added.
 *
 * Where the loss is scaled, so are penalties; the slopes that these look at are not: they begin at 1 a
 * logit, and are far from where f16 ends.
 */
function descend(opt: Adam, parts: readonly (() => Losses)[], n: number) {
  const seed = opt.options.scaler?.scale, share = (x: Tensor) => n === 1 ? x : scale(x, 1 / n);
  let grads: Tensor[] | undefined;
  const losses: Record<string, Tensor | undefined> = {};
  for (const part of parts) {
    const made = scoped(() => {
      const losses = part(), there = Object.values(losses).filter((loss) => loss !== undefined);
      const dy = n === 1 ? seed : share(seed ?? full([1], 1));
      return { losses, grads: grad(there, opt.params, { dy, onto: grads }) };
    });
    grads = made.grads;
    for (const [name, loss] of Object.entries(made.losses)) {
      losses[name] = noGrad(() => sumOf(losses[name], loss && share(loss)));
    }
  }
  return { losses, grads: grads! };
}
