import { basename, dirname, join, resolve } from "@std/path";
import type { Pictures } from "../data/pack.ts";
import { openPictures } from "../data/pictures.ts";
import { parseCrop } from "../data/crop.ts";
import { openGpu } from "../gpu/device.ts";
import { trim } from "../gpu/record.ts";
import { assertPrecision, type Precision } from "../kernels/precision.ts";
import { train } from "../train/loop.ts";
import { complaint, defaults, type TrainOptions } from "../train/options.ts";
import { PHASE_HEAD, phaseRow, plan, planText } from "../train/plan.ts";
import { duration, Progress } from "../train/progress.ts";
import { createRun } from "../train/new_run.ts";
import type { Recipe } from "../train/recipe.ts";
import { findCheckpoint, findRun, trimSnapshots, trimStats } from "../train/run_folder.ts";
import { freeState, loadState, newState, type State } from "../train/state.ts";
import { UsageError } from "./errors.ts";
import { openJudge } from "./judged.ts";
import { optionLines, parse, type Values } from "./options.ts";
import { optionsOf, recipeOf, recipes } from "./recipes.ts";
import { trainOptions } from "./train_options.ts";
import { openTuner } from "./tuning.ts";

const NAMED = 20; // pictures that were left out

function help(): string {
  const presets = Object.values(recipes).flatMap(({ name, about, presets }) => [
    `  ${name}: ${about}`,
    ...Object.entries(presets).map(([preset, { about }]) =>
      `    --preset ${preset.padEnd(10)} ${about}`
    ),
  ]);
  return [
    "Trains a GAN on pictures.",
    "",
    "  gan train dcgan                                      on built-in pictures",
    "  gan train dcgan --data faces.zip --resolution 64     on your own",
    "  gan train sagan --data faces.zip --attention 32      with self-attention",
    "  gan train pggan --data faces.zip --resolution 128    with nets that grow",
    "  gan train --resume latest                            goes on where it stopped",
    "",
    "Systems and presets:",
    ...presets,
    "",
    "Options [default]:",
    ...optionLines(trainOptions, {
      ...defaults,
      out: "runs",
      preset: "default, without a GPU small",
    }),
    "",
    "Ctrl-C writes a checkpoint first.",
  ].join("\n");
}

/** `gan train`. Returns the exit code. */
export async function trainCommand(args: string[], print: (line: string) => void): Promise<number> {
  const { values, rest } = parse(args, trainOptions);
  if (values.help) {
    print(help());
    return 0;
  }
  if (rest.length > 1) throw new UsageError(`One system at a time, not ${rest.join(" and ")}`);
  const out = String(values.out ?? "runs");
  const there = await Deno.stat(out).catch(() => undefined);
  if (there?.isDirectory === false) throw new UsageError(`--out ${out} is a file: give a folder`);
  const resumed = values.resume === undefined
    ? undefined
    : await findRun(out, String(values.resume));
  if (resumed === undefined && values.checkpoint !== undefined) {
    throw new UsageError("--checkpoint is a place to go back to: name the run with --resume");
  }
  if (resumed === undefined) recipeOf(rest[0]); // a misspelt name needs no device
  const device = await openGpu(values.device as string | undefined), { name, software } = device;
  const { recipe, options } = resumed === undefined
    ? fresh(rest[0], values, software)
    : await resuming(resumed, rest[0], values);
  assertPrecision(options.precision as Precision, device);
  if (values.dryRun) return await dryRun(newState(recipe, options), options, values, print);
  // A run's neighbours share its cache, wherever they are.
  const cache = join(resumed === undefined ? out : dirname(resolve(resumed)), ".cache");
  await assertWritable(cache, resumed === undefined ? `--out ${out}` : resumed);
  const { progress, signal, release } = interruptible(Boolean(values.json));
  try {
    const pictures = await open(options, cache, progress, signal);
    if (resumed === undefined && recipe.schedule) {
      await tellCourse(recipe, options, progress, signal);
    }
    const judge = await openJudge(options, pictures, cache, progress);
    const tune = values.autotune ?? !software
      ? await openTuner(cache, device, (text) => progress.say(text))
      : undefined;
    const state = newState(recipe, options);
    const run = resumed ?? await createRun(out, title(options, pictures), options);
    if (resumed !== undefined) {
      const checkpoint = await findCheckpoint(run, values.checkpoint as string | undefined);
      await loadState(state, checkpoint);
      await trimStats(run, state.images);
      await trimSnapshots(run, state.images);
      progress.say(`Going on from ${checkpoint}`);
    }
    const { preset, resolution, batch } = options;
    progress.say(
      `${run}: ${pictures.count} pictures of ${pictures.name}; preset ${preset}, ${resolution} px, ` +
        `batch ${batch}, ${state.schedule.total / 1000} kimg, on ${name}`,
    );
    if (options.precision === "f16" && software) {
      progress.say("On the processor f16 is slower than f32: it is meant for GPUs");
    }
    const complete = await train({ state, options, pictures, run, progress, signal, judge, tune });
    progress.say(
      complete
        ? `Done: ${run} holds grids, checkpoints and curves; gan sample ${run} makes pictures`
        : `Stopped; go on with: gan train --resume ${run}`,
    );
    return complete ? 0 : 130;
  } finally {
    release();
  }
}

function fresh(
  name: string | undefined,
  values: Values,
  software: boolean,
): { recipe: Recipe; options: TrainOptions } {
  const recipe = recipeOf(name), names = Object.keys(recipe.presets);
  // Without a GPU the full nets would take weeks.
  const preset = String(values.preset ?? (software ? "small" : "default"));
  if (!Object.hasOwn(recipe.presets, preset)) {
    throw new UsageError(`--preset ${preset}: ${recipe.name} has ${names.join(", ")}`);
  }
  const standard = { ...defaults, ...recipe.presets[preset].options };
  const given = Object.fromEntries(Object.entries(values).filter(([key]) => key in standard));
  const options: TrainOptions = { ...standard, ...given, recipe: recipe.name, preset };
  const foreign = Object.values(recipes).find(({ own = [] }) =>
    own !== recipe.own && own.some((key) => key in given && !recipe.own?.includes(key))
  );
  if (foreign) {
    const name = foreign.own!.find((key) => key in given && !recipe.own?.includes(key))!;
    throw new UsageError(
      `--${kebab(name)} is for ${foreign.name}: ${recipe.name} has no use for it`,
    );
  }
  for (const [needed, { off, parts }] of Object.entries(PARTS)) {
    const idle = parts.find((key) => key in given);
    if (idle && options[needed as keyof TrainOptions] === off) {
      throw new UsageError(
        `--${kebab(idle)} has no effect without --${kebab(needed)}: give that, too`,
      );
    }
  }
  return { recipe, options: checked(recipe, options) };
}

/** Options that say more about another, which is off at the value given here. */
const PARTS: Readonly<Record<string, { off: unknown; parts: readonly (keyof TrainOptions)[] }>> = {
  fidEvery: { off: 0, parts: ["fidSamples", "fidFeature", "fidWeights"] },
  r1: { off: 0, parts: ["r1Every"] },
  attention: {
    off: "none",
    parts: ["attentionReduction", "attentionValues", "attentionPool"],
  },
};

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
}

function checked(recipe: Recipe, options: TrainOptions): TrainOptions {
  const wrong = complaint(options) ?? recipe.complaint?.(options);
  if (wrong) throw new UsageError(wrong);
  if (!Number.isInteger(Math.log2(options.resolution))) {
    throw new UsageError(`--resolution ${options.resolution}: expected a power of two`);
  }
  try {
    parseCrop(options.crop);
  } catch (error) {
    throw new UsageError(`--crop ${options.crop}: ${(error as Error).message}`);
  }
  return options;
}

/** A resumed run keeps its options: of those given, only how long it runs and what it keeps count. */
async function resuming(run: string, name: string | undefined, values: Values) {
  const saved = await optionsOf(run);
  const recipe = recipeOf(saved.recipe);
  if (name !== undefined && name !== recipe.name) {
    throw new UsageError(`${run} is a run of ${recipe.name}`);
  }
  const free = ["kimg", "snapshot", "keep", "data", "fidEvery", "fidSamples", "fidWeights"],
    other = ["out", "resume", "checkpoint", "device", "autotune", "json", "debug", "dryRun"];
  const fixed = Object.keys(values).find((key) => !free.includes(key) && !other.includes(key));
  if (fixed) {
    throw new UsageError(
      `--${kebab(fixed)} cannot change in a run that goes on: ` +
        `only --${free.map(kebab).join(", --")} can`,
    );
  }
  const given = Object.fromEntries(Object.entries(values).filter(([key]) => free.includes(key)));
  return { recipe, options: checked(recipe, { ...saved, ...given }) };
}

/** Makes a folder and writes to it, so that what cannot be kept is not computed first. */
async function assertWritable(folder: string, what: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.remove(await Deno.makeTempFile({ dir: folder }));
  } catch (error) {
    throw new UsageError(
      `${what} cannot be written to (${(error as Error).message}): choose another folder`,
    );
  }
}

async function open(options: TrainOptions, cache: string, progress: Progress, signal: AbortSignal) {
  const { data, resolution, crop, resize } = options;
  let told = performance.now();
  const pictures = await openPictures({
    ...(data && { data }),
    resolution,
    crop,
    resize: resize as "area",
    cache,
    signal,
    onProgress: (done, total) => {
      if (performance.now() - told < 2000) return;
      told = performance.now();
      progress.say(`Reading pictures: ${done} of ${total}`);
    },
  });
  const { broken } = pictures, rest = broken.length - NAMED;
  if (broken.length) {
    progress.say(`Left out ${broken.length} picture${broken.length > 1 ? "s" : ""}:`);
  }
  for (const { name, reason } of broken.slice(0, NAMED)) progress.say(`  ${name}: ${reason}`);
  if (rest > 0) progress.say(`  and ${rest} more`);
  return pictures;
}

function title({ recipe, resolution }: TrainOptions, pictures: Pictures): string {
  return `${recipe}-${basename(pictures.name)}-${resolution}`;
}

async function dryRun(
  state: State,
  options: TrainOptions,
  values: Values,
  print: (line: string) => void,
): Promise<number> {
  if (values.json) {
    print(JSON.stringify({ options, ...await plan(state, options) }));
    return 0;
  }
  for (const [name, value] of Object.entries(options)) print(`${name.padEnd(20)}${value}`);
  print("");
  const grows = state.schedule.phases.length > 1;
  if (grows) print(PHASE_HEAD);
  const made = await plan(state, options, {
    onPhase: (phase) => grows && print(phaseRow(phase)),
  });
  if (grows) print("");
  for (const line of planText(made)) print(line);
  return 0;
}

/** The phases of a run with the time each will take, before it begins. */
async function tellCourse(
  recipe: Recipe,
  options: TrainOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  progress.say("Measuring the phases: shaders are compiled, so it takes a while the first time");
  const spoilt = newState(recipe, options);
  progress.say(PHASE_HEAD);
  const { seconds } = await plan(spoilt, options, {
    signal,
    onPhase: (phase) => progress.say(phaseRow(phase)),
  });
  freeState(spoilt);
  trim();
  progress.say(`${duration(seconds)} in all`);
}

/**
 * Progress, and a signal that ends a run with a checkpoint: Ctrl-C aborts it (the second Ctrl-C ends
 * the program at once), and so does the end of the terminal or program that progress is written to.
 */
function interruptible(json: boolean) {
  const controller = new AbortController();
  const abort = () => controller.abort(new DOMException("stopped by the user", "AbortError"));
  const progress = new Progress({ ...json && { style: "json" }, onLost: abort });
  const stop = () => {
    if (controller.signal.aborted) Deno.exit(130);
    progress.say("Stopping, and keeping what there is; Ctrl-C again ends at once");
    abort();
  };
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  const release = () => signals.forEach((signal) => Deno.removeSignalListener(signal, stop));
  return { progress, signal: controller.signal, release };
}
