/**
 * What holds at which point of a run: how far the networks have grown, the batch.
 * All of it follows from the images shown, so a resumed run is where the unbroken one was.
 *
 * @module
 */
import { FIRST, levelOf, type Stage } from "../models/stage.ts";
import type { TrainOptions } from "./options.ts";

/** A stretch of a run in which the networks keep their shape. */
export interface Phase {
  /** Side of the images in pixels. */
  readonly resolution: number;
  /** Whether the newest level is being faded in; else it is stabilised. */
  readonly fading: boolean;
  /** Images shown when it begins. */
  readonly from: number;
  /** Images that it shows. */
  readonly images: number;
}

/** What holds at one point of a run. */
export interface Moment {
  /** The stretch that it lies in. */
  readonly phase: Phase;
  /** Share of the newest level, from 0 to 1 while it is faded in, else 1. */
  readonly alpha: number;
  /** Images a step. */
  readonly batch: number;
}

/** The course of a run: a pure function of the images shown. */
export interface Schedule {
  /** In their order. */
  readonly phases: readonly Phase[];
  /** Images shown at the end. */
  readonly total: number;
  /** What holds after so many images. */
  readonly at: (images: number) => Moment;
}

/** The course of a run of a recipe: {@linkcode steady} if the recipe has none of its own. */
export function scheduleOf(
  { schedule = steady }: { readonly schedule?: (options: TrainOptions) => Schedule },
  options: TrainOptions,
): Schedule {
  return schedule(options);
}

/** What to tell of a run that ends before its networks are grown; undefined of one that does not. */
export function reach({ phases, total }: Schedule): string | undefined {
  const { resolution } = phases.at(-1)!, end = phases.findLast(({ from }) => from < total)!;
  const grown = phases.find((phase) => phase.resolution === resolution && !phase.fading);
  if (!grown || total > grown.from) return undefined;
  const last = phases.at(-1)!;
  return `${total / 1000} kimg end ${describe(end)}: ${resolution} px are grown after ` +
    `${grown.from / 1000} kimg, and trained after ${(last.from + last.images) / 1000}`;
}

/** The schedule of networks that do not grow. */
export function steady({ resolution, kimg, batch }: TrainOptions): Schedule {
  const total = Math.round(1000 * kimg);
  const phase = { resolution, fading: false, from: 0, images: total };
  return { phases: [phase], total, at: () => ({ phase, alpha: 1, batch }) };
}

/**
 * Progressive growing: 4x4 is stabilised; then each level is faded in and stabilised; in the end the
 * last one once more. `kimg`, if it is not 0, ends the run elsewhere: earlier, or later within the
 * last phase.
 *
 * @see Karras et al. 2018, section 2 and appendix A
 */
export function growing(options: TrainOptions): Schedule {
  const { resolution, kimg, phaseKimg, phaseFactor, lastKimg } = options;
  const phases: Phase[] = [];
  let end = 0;
  const add = (resolution: number, fading: boolean, kimg: number) => {
    const images = Math.round(1000 * kimg);
    if (images === 0) return;
    phases.push({ resolution, fading, from: end, images });
    end += images;
  };
  for (let level = 0; level <= levelOf(resolution); level++) {
    const R = FIRST * 2 ** level, length = phaseKimg * phaseFactor ** level;
    if (level > 0) add(R, true, length);
    add(R, false, length);
  }
  add(resolution, false, lastKimg);
  const total = kimg === 0 ? end : Math.round(1000 * kimg);
  return {
    phases,
    total,
    at: (images) => {
      const phase = phases.findLast(({ from }) => from <= images)!;
      const alpha = phase.fading ? Math.min(1, (images - phase.from) / phase.images) : 1;
      return { phase, alpha, batch: batchAt(options, phase.resolution) };
    },
  };
}

/**
 * The batch of a level: whole up to `fullBatchTo` pixels, halved with each doubling above. Never
 * below 4, and a multiple of 4 where it is halved: the images that one minibatch deviation is of.
 */
function batchAt({ batch, fullBatchTo }: TrainOptions, resolution: number): number {
  if (resolution <= fullBatchTo || batch <= 4) return batch;
  return Math.max(4, 4 * Math.floor(batch * fullBatchTo / resolution / 4));
}

/** The stage that networks have in a phase, where it begins. */
export function stageOf({ resolution, fading }: Phase, alpha = 1): Stage {
  return { resolution, fading, alpha };
}

/** A phase in words, e.g. `fading in 16 px`, with its `alpha` where that is given and changes. */
export function describe({ resolution, fading }: Phase, alpha?: number): string {
  if (!fading) return `stabilising ${resolution} px`;
  return `fading in ${resolution} px${alpha === undefined ? "" : ` ${alpha.toFixed(2)}`}`;
}

/** The stage that a checkpoint is of; undefined if it cannot be read, or the run never comes to it. */
export function stageIn(
  { stage }: Readonly<Record<string, string>>,
  options: TrainOptions,
): Stage | undefined {
  const whole = { resolution: options.resolution, fading: false, alpha: 1 };
  if (stage === undefined) return whole; // networks that do not grow
  try {
    const { resolution, fading, alpha } = JSON.parse(stage);
    const sound = Number.isInteger(Math.log2(resolution)) && resolution <= options.resolution &&
      typeof fading === "boolean" && alpha >= 0 && alpha <= 1;
    return sound ? { resolution, fading, alpha } : undefined;
  } catch {
    return undefined;
  }
}
