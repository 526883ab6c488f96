/**
 * The one training loop. It knows no recipe and no command line.
 *
 * @module
 */
import { join } from "@std/path";
import { grid } from "../data/grid.ts";
import type { Pictures } from "../data/pack.ts";
import { savePng } from "../data/png.ts";
import type { Resize } from "../data/resample.ts";
import { batchAt, gather } from "../data/sampler.ts";
import { shrink } from "../data/shrink.ts";
import { profile, submitted } from "../gpu/record.ts";
import { timingTable } from "../gpu/stopwatch.ts";
import { nonFinite } from "../kernels/finite.ts";
import type { Module } from "../nn/module.ts";
import { scoped } from "../tensor/tensor.ts";
import { advance, play, stepPlayer } from "./advance.ts";
import { describe } from "./growth.ts";
import { collapse, diagnose } from "./diagnose.ts";
import { Ledger, type LossMeans } from "./ledger.ts";
import { type Judge, judgeDue, judgeNow } from "./judge.ts";
import type { TrainOptions } from "./options.ts";
import type { Progress } from "./progress.ts";
import { writeReport } from "./report.ts";
import { appendStats, checkpointPath, keepLast } from "./run_folder.ts";
import { latentsAt, render } from "./sampling.ts";
import { firstBad, grow, sampler, saveState, type State } from "./state.ts";
import { EventFile } from "./tensorboard.ts";

/** A run that cannot go on; the message says why and what to do. */
export class TrainError extends Error {
  override name = "TrainError";
}

/** What the loop works with. */
export interface Training {
  readonly state: State;
  readonly options: TrainOptions;
  readonly pictures: Pictures;
  /** The run's folder. */
  readonly run: string;
  readonly progress: Progress;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
  /** Tells how good the generator is, now and then, if that is asked for. */
  readonly judge?: Judge | undefined;
  /** Finds the fastest way to compute a step that is new. */
  readonly tune?: ((step: () => void) => Promise<void>) | undefined;
}

const GRID = 64; // pictures in a grid
const UNSHAPED = 25_000; // images until which pictures may well be alike
const LEAST_SCALE = 2 ** -10; // of a loss; it begins at 2^16 and halves with each step left out
const REPORT_MS = 1000; // between two readings of the losses

/**
 * Trains until the images are shown or the user stops; then, as now and then before, writes a grid
 * and a checkpoint.
 *
 * @returns True if the run is complete.
 * @throws {TrainError} If a loss is no longer finite.
 */
export async function train(training: Training): Promise<boolean> {
  const { state, options, pictures, run, progress, signal } = training;
  const { total, phases } = state.schedule, every = Math.round(1000 * options.snapshot);
  using events = new EventFile(run, state.images);
  const ledger = new Ledger(4096), pacer = new Pacer();
  const player = stepPlayer();
  const reals = gather(
    pictures,
    batchAt({ count: pictures.count, seed: options.seed, mirror: false }, 0, GRID),
  );
  if (state.images === 0) {
    await savePng(join(run, "reals.png"), grid(reals, GRID, options.resolution));
    progress.say(`Compiling shaders: the first steps are slow`);
  }
  grow(state);
  let shown = shrink(pictures, state.stage.resolution, options.resize as Resize);
  await tuned(training, shown);
  let reported = performance.now(), latest: LossMeans | undefined, warning: string | undefined;
  const report = async (beside?: Record<string, number>) => {
    const [fresh, scales] = await Promise.all([ledger.read(), lossScales(state)]);
    const means = fresh ?? latest;
    reported = performance.now();
    if (!means || !(fresh || beside)) return;
    latest = means;
    await refuseNaN(state, means);
    const { images } = state, { dReal, dFake, g, penalty } = means, grows = phases.length > 1;
    // Of the last image shown: the next one may belong to another phase.
    const { phase, alpha } = state.schedule.at(images - 1),
      place = { resolution: phase.resolution, alpha };
    const note = [grows ? describe(phase, alpha) : "", warning ?? ""].filter(Boolean).join("; ");
    progress.report({ images, total, real: dReal, fake: dFake, lossG: g, note });
    await appendStats(run, {
      images,
      time: Date.now() / 1000,
      ...means,
      ...scales,
      ...(grows && place),
      ...beside,
    });
    if (beside) events.scalars(images, beside);
    events.scalars(images, { "loss/D-real": dReal, "loss/D-fake": dFake, "loss/G": g });
    if (penalty !== undefined) events.scalars(images, { "loss/penalty": penalty });
    if (Object.keys(scales).length) events.scalars(images, scales);
    if (grows) {
      events.scalars(images, { "growth/resolution": phase.resolution, "growth/alpha": alpha });
    }
  };
  const snapshot = async () => {
    progress.pause();
    player.forget();
    const R = options.resolution, pixels = await fakes(state, options);
    const beside = await diagnose(state, { pixels, n: GRID, R }, { pixels: reals, n: GRID, R });
    warning = state.images > UNSHAPED ? collapse(beside) : undefined;
    await report(beside);
    progress.pause();
    const kimg = String(Math.floor(state.images / 1000)).padStart(6, "0");
    await savePng(join(run, `fakes${kimg}.png`), grid(pixels, GRID, R));
    events.image(state.images, "fakes", await Deno.readFile(join(run, `fakes${kimg}.png`)));
    await saveState(state, options, checkpointPath(run, state.images));
    await keepLast(run, options.keep);
    await writeReport(run, { ...options });
  };
  if (Deno.env.get("GPU_DEBUG") === "2") await showProfile(training, shown);
  while (state.images < total && !signal.aborted) {
    const before = state.images;
    if (grow(state, () => player.forget())) {
      shown = shrink(pictures, state.stage.resolution, options.resize as Resize);
      progress.say(`Image ${before}: ${describe(state.schedule.at(before).phase)}`);
      await tuned(training, shown);
    }
    play(player, state, options, shown, (losses) => ledger.note(losses));
    await pacer.step();
    if (ledger.full || performance.now() - reported > REPORT_MS) await report();
    const crossed = Math.floor(state.images / every) > Math.floor(before / every);
    if (crossed && state.images < total) await snapshot();
    const judge = judgeDue(training, before);
    if (judge) {
      player.forget();
      await judgeNow(judge, training, events);
    }
  }
  await snapshot();
  progress.finish();
  return state.images >= total;
}

/** Tunes the next step, which is rehearsed for that: afterwards the state is as it was. */
async function tuned({ tune, state, options }: Training, shown: Pictures): Promise<void> {
  const { images, optG, optD } = state, steps = [optG.steps, optD.steps];
  await tune?.(() => {
    try {
      scoped(() => void advance(state, options, shown));
    } finally {
      state.images = images;
      [optG.steps, optD.steps] = steps;
    }
  });
}

/**
 * Pictures made from latents that are the same for the same seed, some at a time. Those of nets that
 * have not grown to the run's resolution R yet are enlarged to it.
 *
 * @returns Bytes `[n, R, R, 3]`, of which the first is picture `at`.
 */
export async function* samples(
  G: Module,
  options: TrainOptions,
  count: number,
  seed: number,
): AsyncGenerator<{ at: number; bytes: Uint8Array }> {
  for (let at = 0; at < count; at += options.batch) {
    const n = Math.min(options.batch, count - at);
    yield { at, bytes: await render(G, options, () => latentsAt(options, seed, at, n)) };
  }
}

/** The grid's pictures, from latents that stay the same. */
async function fakes(state: State, options: TrainOptions) {
  const R = options.resolution, pixels = new Uint8Array(GRID * R * R * 3);
  const { batch } = state.schedule.at(state.images);
  for await (
    const { at, bytes } of samples(sampler(state), { ...options, batch }, GRID, options.seed)
  ) {
    pixels.set(bytes, at * R * R * 3);
  }
  return pixels;
}

/** Where the time of one step goes, kernel by kernel; the step before it compiles. */
async function showProfile({ state, options, progress }: Training, shown: Pictures): Promise<void> {
  const step = () => scoped(() => void advance(state, options, shown));
  step();
  for (const line of timingTable(await profile(step))) progress.say(line);
}

async function refuseNaN(state: State, means: Record<string, number>): Promise<void> {
  if (Object.values(means).every(Number.isFinite)) return;
  const name = await firstBad(state, nonFinite);
  throw new TrainError(
    `Training broke down near image ${state.images}: ` +
      (name ? `${name} holds NaN or infinity` : "a loss is NaN or infinite") +
      `; go back to the last checkpoint with --resume, or start again with a lower --lr-g and --lr-d` +
      (state.options.precision === "f16" ? ", or with --precision f32" : ""),
  );
}

/**
 * The loss scales of both nets, where there are any.
 *
 * @throws {TrainError} If one has come down to where not the scale is why gradients are not finite: no
 * step is made any more.
 */
async function lossScales({ optG, optD, images }: State): Promise<Record<string, number>> {
  const scales: Record<string, number> = {};
  for (const [net, { options: { scaler } }] of [["G", optG], ["D", optD]] as const) {
    if (!scaler) continue;
    const { scale } = await scaler.read();
    scales[`scale/${net}`] = scale;
    if (scale >= LEAST_SCALE) continue;
    throw new TrainError(
      `Training stands still near image ${images}: gradients of ${net} are not finite in f16, ` +
        `however small the loss is made; go back to an earlier checkpoint with --resume, or start ` +
        `again with --precision f32`,
    );
  }
  return scales;
}

/**
 * Keeps the host from running far ahead of the device, without ever letting the device wait: a wait
 * takes 10 ms at least, so several short steps share one.
 */
class Pacer {
  #waiting: Promise<void>[] = [];
  #steps = 0;
  #perWait = 1;
  #last = performance.now();

  async step(): Promise<void> {
    if (++this.#steps < this.#perWait) return;
    this.#steps = 0;
    this.#waiting.push(submitted());
    if (this.#waiting.length > 2) await this.#waiting.shift();
    const now = performance.now(), took = now - this.#last;
    this.#last = now;
    if (took < 30 && this.#perWait < 256) this.#perWait *= 2;
    else if (took > 200 && this.#perWait > 1) this.#perWait /= 2;
  }
}
