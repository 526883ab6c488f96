/**
 * What a run leaves behind: statistics, grids, checkpoints, the page of its curves.
 *
 * @module
 */
import { imageChannels } from "../data/image.ts";
import { join } from "@std/path";
import { grid } from "../data/grid.ts";
import type { Dataset } from "../data/pack.ts";
import { savePng } from "../data/png.ts";
import { batchAt, gather } from "../data/sampler.ts";
import { naming } from "../io/write_atomically.ts";
import { Balance } from "../train/balance.ts";
import { lossScales, refuseBreakdown } from "../train/breakdown.ts";
import { collapse, diagnose } from "../train/diagnose.ts";
import { describe } from "../train/growth.ts";
import { CollapseError } from "../train/errors.ts";
import { evaluateNow, evaluationDue, type Evaluator } from "./evaluator.ts";
import { Ledger, type LossMeans } from "../train/ledger.ts";
import type { Progress } from "./progress.ts";
import { writeReport } from "./report.ts";
import {
  amendStats,
  appendStats,
  checkpointPath,
  gridPath,
  hasGrid,
  keepLast,
  type Report,
} from "./run_folder.ts";
import { samples } from "../train/sampling.ts";
import type { Drawing } from "./terminal_image.ts";
import { savedOptions } from "../train/recipe.ts";
import { sampler, saveState, type State } from "../train/state.ts";
import type { StepLosses } from "../train/step.ts";
import { EventFile } from "../io/tensorboard.ts";
import { type PhaseSpeed, secondsLeft } from "../train/time_left.ts";
import type { Observer, Stepped } from "../train/training.ts";

/** Images in a grid. */
const GRID = 64;
const WARMUP_IMAGES = 25_000; // images until which images may well be alike
const REPORT_MS = 1000; // between two readings of the losses

/** What a reading of the losses found besides the losses themselves. */
interface Losses {
  /** True if there was a step since the last one. */
  readonly fresh: boolean;
  readonly scales: Readonly<Record<string, number>>;
}

/** What is reported of, and where to. */
export interface Reported {
  readonly state: State;
  readonly dataset: Dataset;
  /** The run's folder. */
  readonly run: string;
  readonly progress: Progress;
  /** Draws images `[n, R, R, C]` for the terminal. */
  readonly draw?: ((pixels: Uint8Array, n: number, R: number) => Drawing | undefined) | undefined;
  /** Evaluates the generator now and then. */
  readonly evaluator?: Evaluator | undefined;
  /** The phases of a growing run with their speeds, where these were measured. */
  readonly phases?: readonly PhaseSpeed[] | undefined;
}

/** Tells how a run goes, and writes what it leaves. Close it, or `using` it. */
export class Reporter implements Observer, Disposable {
  readonly #ledger = new Ledger(4096);
  readonly #reported: Reported;
  readonly #reals: Uint8Array<ArrayBuffer>;
  readonly #events: EventFile;
  #readAt = -Infinity; // the first step is told of at once
  #evaluated: Record<string, number> | undefined;
  #latest: LossMeans | undefined;
  readonly #balance: Balance;
  /** Of grids that have become alike, and of one network that has won. */
  #warnings: Readonly<Partial<Record<"alike" | "balance" | "declined", string | undefined>>> = {};
  /** Images of the last line of statistics, and of the last snapshot. */
  #told = -1;
  #kept: number;

  constructor(reported: Reported) {
    this.#reported = reported;
    const { run, dataset, state: { images, options } } = reported, { seed, loss } = options;
    const { count } = dataset;
    this.#reals = gather(dataset, batchAt({ count, seed, mirror: false }, 0, GRID));
    this.#balance = new Balance(loss);
    this.#events = new EventFile(run, images);
    this.#kept = images > 0 ? images : -1; // a resumed run has its first checkpoint
  }

  [Symbol.dispose](): void {
    this.#events[Symbol.dispose]();
  }

  /** Writes the grid of real images of a new run, or the grid that a killed one did not come to. */
  async begin(): Promise<void> {
    const { run, state: { images, options } } = this.#reported;
    if (images > 0) return await hasGrid(run, images) ? undefined : await this.#show();
    const path = join(run, "reals.png");
    await naming(path, () => savePng(path, grid(this.#reals, GRID, options.resolution)));
  }

  stage(): void {
    const { state: { images, schedule }, progress } = this.#reported;
    progress.say(`Image ${images}: ${describe(schedule.at(images).phase)}`);
    progress.restart();
  }

  losses(losses: StepLosses): void {
    this.#ledger.note(losses);
  }

  /** Evaluates, keeps a snapshot and reports, where it is time to. */
  async stepped({ before, last, pause }: Stepped): Promise<void> {
    const { state: { images, options } } = this.#reported;
    const evaluator = evaluationDue(this.#reported, before);
    if (evaluator) pause();
    const evaluation = evaluator && await evaluateNow(evaluator, this.#reported);
    this.#evaluated = evaluation?.numbers;
    if (evaluation) this.#warn({ declined: evaluation.declined });
    // Before a checkpoint: what goes on from that must know what is the best so far.
    if (this.#evaluated) await this.#note({ images, time: Date.now() / 1000, ...this.#evaluated });
    if (last) return; // the snapshot at the end tells it all
    const every = Math.round(1000 * options.snapshot);
    if (Math.floor(images / every) > Math.floor(before / every)) {
      pause();
      await this.#snapshot(this.#evaluated);
    } else if (
      this.#evaluated || this.#ledger.full || performance.now() - this.#readAt > REPORT_MS
    ) {
      await this.#tell(await this.#read(), this.#evaluated);
    }
  }

  async end(): Promise<void> {
    await this.#snapshot(this.#evaluated);
    this.#reported.progress.finish();
  }

  /** The losses since the last reading; throws if they tell that the run has broken down. */
  async #read(): Promise<Losses> {
    const { state } = this.#reported;
    const [fresh, scales] = await Promise.all([this.#ledger.read(), lossScales(state)]);
    this.#readAt = performance.now();
    if (fresh) {
      refuseBreakdown(state, fresh);
      this.#warn({ balance: this.#balance.read(state.images, fresh) });
    }
    this.#latest = fresh ?? this.#latest;
    return { fresh: fresh !== undefined, scales };
  }

  async #tell(
    { fresh, scales }: Losses,
    beside?: Readonly<Record<string, number>>,
  ): Promise<void> {
    const { state: { images } } = this.#reported, means = this.#latest;
    if (!means || !(fresh || beside)) return;
    const place = this.#place(means), time = Date.now() / 1000;
    const line = { images, time, ...means, ...scales, ...place, ...beside };
    await this.#note(line);
    const { dReal, dFake, g, penalty } = means;
    this.#events.scalars(images, {
      ...beside && prefixed(beside),
      ...{ "loss/D-real": dReal, "loss/D-fake": dFake, "loss/G": g },
      ...penalty !== undefined && { "loss/penalty": penalty },
      ...scales,
      ...place && { "growth/resolution": place.resolution, "growth/alpha": place.alpha },
    });
  }

  /** Writes a line of statistics, or adds to that of as many images. */
  async #note(line: Report): Promise<void> {
    await (line.images === this.#told ? amendStats : appendStats)(this.#reported.run, line);
    this.#told = line.images;
  }

  /** Keeps warnings for the progress line, and says one that is new in full. */
  #warn(found: Record<string, string | undefined>): void {
    const before: string[] = Object.values(this.#warnings).filter((text) => text !== undefined);
    for (const text of Object.values(found)) {
      if (text === undefined || before.includes(text)) continue;
      this.#reported.progress.say(`Image ${this.#reported.state.images}: ${text}`);
    }
    this.#warnings = { ...this.#warnings, ...found };
  }

  /** Shows progress; returns where a growing run is. */
  #place({ dReal, dFake, g }: LossMeans): { resolution: number; alpha: number } | undefined {
    const { state: { images, schedule }, progress, phases } = this.#reported;
    const { total } = schedule, grows = schedule.phases.length > 1;
    // Of the last image shown: the next one may belong to another phase.
    const { phase, alpha } = schedule.at(images - 1);
    const note = Object.values(this.#warnings).filter(Boolean).join("; ");
    progress.report({
      ...{ images, total, real: dReal, fake: dFake, lossG: g },
      ...grows && { phase: describe(phase, alpha) },
      ...note && { note },
      ...phases && { secondsLeft: (rate) => secondsLeft(phases, images, rate) },
    });
    return grows ? { resolution: phase.resolution, alpha } : undefined;
  }

  /**
   * Writes a checkpoint and a grid, unless there is a checkpoint of just these images.
   *
   * @param beside Numbers to tell with the losses.
   * @throws {TrainError} If the run has broken down, or collapsed where it must not; then the checkpoints
   *   stay as they are.
   */
  async #snapshot(beside?: Readonly<Record<string, number>>): Promise<void> {
    const { state, run, progress } = this.#reported, { images, options } = state;
    if (images === this.#kept) return;
    progress.pause();
    const losses = await this.#read();
    // A run that must not collapse keeps no checkpoint of alike images.
    const seen = options.onCollapse === "continue" ? undefined : await this.#diagnosed();
    if (seen?.alike) throw new CollapseError(`Image ${images}: ${seen.alike}`);
    // Before all else that is written: whoever stops a run may not wait for the rest.
    await saveState(state, checkpointPath(run, images, options.snapshot));
    this.#kept = images;
    await keepLast(run, options.keep);
    const R = options.resolution, { pixels, numbers, alike } = seen ?? await this.#diagnosed();
    this.#warn({ alike });
    const drawing = this.#reported.draw?.(pixels, GRID, R);
    if (drawing) progress.picture(drawing);
    await this.#tell(losses, { ...numbers, ...beside });
    progress.pause();
    await this.#show(pixels);
  }

  /** Writes the grid of fakes, and the page that shows it. */
  async #show(pixels?: Uint8Array): Promise<void> {
    const { run, state: { recipe, images, options } } = this.#reported;
    const path = gridPath(run, images, options.snapshot);
    const shown = grid(pixels ?? await this.#fakes(), GRID, options.resolution);
    await naming(path, () => savePng(path, shown));
    this.#events.image(images, "fakes", await Deno.readFile(path));
    await writeReport(run, savedOptions(recipe, options));
  }

  /** The grid's images, the numbers that tell of the state, and what to do where images are alike. */
  async #diagnosed() {
    const { state } = this.#reported, R = state.options.resolution, pixels = await this.#fakes();
    const reals = { pixels: this.#reals, n: GRID, R };
    const numbers = await diagnose(state, { pixels, n: GRID, R }, reals);
    return { pixels, numbers, alike: state.images > WARMUP_IMAGES ? collapse(numbers) : undefined };
  }

  /** The grid's images, from latents that stay the same. */
  async #fakes() {
    const { state } = this.#reported, { options } = state, R = options.resolution;
    const size = R * R * imageChannels(options), pixels = new Uint8Array(GRID * size);
    const { batch } = state.schedule.at(state.images);
    for await (
      const { at, bytes } of samples(sampler(state), { ...options, batch }, GRID, options.seed)
    ) {
      pixels.set(bytes, at * size);
    }
    return pixels;
  }
}

/** Evaluations go under `metric/` in TensorBoard. */
function prefixed(numbers: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(numbers).map(([name, x]) => [name.includes("/") ? name : `metric/${name}`, x]),
  );
}
