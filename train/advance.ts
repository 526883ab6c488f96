/**
 * One step of a run: what it shows, with which random numbers, and what follows it.
 *
 * @module
 */
import { imageChannels } from "../data/image.ts";
import type { Dataset } from "../data/pack.ts";
import { batchAt, gather } from "../data/sampler.ts";
import { effect } from "../gpu/record.ts";
import { Player } from "../gpu/tape.ts";
import { fromBytes } from "../kernels/bytes.ts";
import { affine } from "../kernels/elementwise.ts";
import type { Precision } from "../kernels/precision.ts";
import { normal, uniform } from "../kernels/random.ts";
import { downAverage, upNearest } from "../kernels/resample.ts";
import { mix, type Stage } from "../models/stage.ts";
import { RandomStreams } from "../nn/context.ts";
import { scoped, type Tensor } from "../tensor/tensor.ts";
import { annealed } from "./anneal.ts";
import { adapt, augment } from "./augment.ts";
import { classesIn, classesOfBatch, withClasses } from "./classes.ts";
import { stepThatFits } from "./fit.ts";
import { losses } from "./losses.ts";
import { changesOf } from "./validate.ts";
import type { State } from "./state.ts";
import { type Batch, type StepLosses, trainStep } from "./step.ts";

/** Streams of random numbers on the device, by what they are for; 3 is for samples. */
const LATENTS = 1, LABELS = 2, MIX = 4;
// Many of each: one for every pass of a step, and draw of it; one for every layer, and pass.
const AUGMENTATIONS = 1_000_000, DROPOUTS = 2_000_000;

/** What plays steps of a run. */
export function stepPlayer(): Player<StepLosses> {
  return new Player((losses) => Object.values(losses).map(({ storage }) => storage));
}

/**
 * As {@linkcode advance}, but played where it was recorded before; `note` is given the losses. When a
 * new stage has begun the player must have been made to forget the old one.
 */
export function play(
  player: Player<StepLosses>,
  state: State,
  dataset: Dataset,
  note: (losses: StepLosses) => void,
): void {
  note(player.step(tapeKey(state), () => advance(state, dataset)));
}

/** Names the steps of this stage that are as the next one but for what is live in it. */
function tapeKey({ schedule, images, optD, options }: State): string {
  const { dSteps, r1, r2, r1Every } = options, slopes = r1 > 0 || r2 > 0;
  const due = Array.from({ length: dSteps }, (_, i) => slopes && (optD.steps + i) % r1Every === 0);
  return JSON.stringify([schedule.at(images).batch, due]);
}

/**
 * One step on the next images; returns its losses. What differs from that of the next step is live.
 *
 * @param dataset As large as the state's stage wants them.
 * @throws {TrainError} If a tensor is too large for the device.
 */
export function advance(state: State, dataset: Dataset): StepLosses {
  return stepThatFits(state, (state) => step(state, dataset));
}

/** As {@linkcode advance}, to be rehearsed: afterwards the state is as before. */
export function rehearsable(state: State, dataset: Pick<Dataset, "count" | "labels">): () => void {
  return () => {
    const { images, optG, optD } = state, steps = [optG.steps, optD.steps];
    try {
      scoped(() => void advance(state, dataset as Dataset));
    } finally {
      state.images = images;
      [optG.steps, optD.steps] = steps;
    }
  };
}

function step(state: State, dataset: Dataset): StepLosses {
  const { options } = state;
  const { nz, labelSmoothing: low, dSteps, mirror } = options, seed = seedOf(state);
  const { probability } = state;
  const shown = (more = 0) => () => state.images + more, { stage } = state, R = stage.resolution;
  const C = imageChannels(options);
  const { batch: N } = state.schedule.at(state.images);
  const live = annealed(options, shown()), { lrG, lrD, beta2 } = live;
  const context = {
    training: true,
    precision: options.precision as Precision,
    random: new RandomStreams({ seed, stream: DROPOUTS, counter: shown() }),
  };
  const changes = changesOf(options.augment), names = classesIn(options);
  const losses_ = trainStep(state, {
    loss: losses[options.loss],
    dSteps,
    rates: { G: lrG, D: lrD },
    beta2,
    terms: state.recipe.terms(live),
    accumulate: options.accumulate,
    context,
    augment: (x, pass) =>
      augment(
        x,
        changes,
        { seed, stream: AUGMENTATIONS + 100 * pass, counter: shown() },
        probability ?? options.augmentStrength,
      ),
    ...probability && {
      observe: (onReal) =>
        adapt(probability, onReal, {
          ...{ target: options.adaTarget, kimg: options.adaKimg, most: options.augmentStrength },
        }),
    },
    batch: (i): Batch => {
      const counter = shown(i * N);
      const chosen = () => batchAt({ count: dataset.count, seed, mirror }, counter(), N);
      // Uploading submits what is recorded, so it comes first.
      const real = faded(fromBytes(() => gather(dataset, chosen()), [N, R, R, C]), stage);
      const classes = classesOfBatch(dataset, names, chosen, N);
      const labels = low < 1
        ? affine(uniform([N], { seed, stream: LABELS, counter }), 1 - low, low)
        : 1;
      const noise = normal([N, nz], { seed, stream: LATENTS, counter });
      return {
        real,
        labels,
        ...classes ? { z: withClasses(noise, classes), classes } : { z: noise },
        ...options.gp && { mix: uniform([N], { seed, stream: MIX, counter }) },
      };
    },
  });
  state.average?.update(() => decay(options.ema, state.images, N * dSteps));
  effect(() => state.images += N * dSteps);
  return losses_;
}

/** What a run's random numbers follow from: others after each time that it went back. */
function seedOf({ options: { seed }, rollbacks }: State): number {
  return seed + (seed < 2 ** 52 ? 1 : -1) * rollbacks * 2 ** 32;
}

/**
 * Real images as D sees them while a level is faded in: mixed with what half their size would show,
 * as the fakes are.
 */
function faded(real: Tensor, stage: Stage): Tensor {
  return stage.fading ? mix(upNearest(downAverage(real, 2), 2), real, stage) : real;
}

/**
 * The average's decay for a step of `shown` images after `images`. `ema` is meant for steps of 64. While
 * the run is young the average forgets faster, with a half-life of a twentieth of its age: else it would
 * be grey for long.
 *
 * @see Karras et al. 2022 (EDM), ema_rampup_ratio
 */
export function decay(ema: number, images: number, shown: number): number {
  const halfLife = Math.min(64 * Math.log(0.5) / Math.log(ema), 0.05 * images);
  return 0.5 ** (shown / halfLife);
}
