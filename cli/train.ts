import { basename, join } from "@std/path";
import { openPictures, type Pictures } from "../data/pictures.ts";
import { parseCrop } from "../data/crop.ts";
import { openGpu } from "../gpu/device.ts";
import { trim } from "../gpu/record.ts";
import { losses } from "../train/losses.ts";
import { train } from "../train/loop.ts";
import { complaint, defaults, type TrainOptions } from "../train/options.ts";
import { phaseTable, plan, planText } from "../train/plan.ts";
import { duration, Progress } from "../train/progress.ts";
import type { Recipe } from "../train/recipe.ts";
import {
  createRun,
  findCheckpoint,
  findRun,
  trimCheckpoints,
  trimStats,
} from "../train/run_folder.ts";
import { freeState, loadState, newState, type State } from "../train/state.ts";
import { UsageError } from "./errors.ts";
import { openJudge } from "./judged.ts";
import { common, type Option, optionLines, parse, type Values } from "./options.ts";
import { optionsOf, recipeOf, recipes } from "./recipes.ts";
import { openTuner } from "./tuning.ts";

const table: readonly Option[] = [
  { name: "data", kind: "text", help: "folder or zip of pictures; without it the built-in emoji" },
  { name: "crop", kind: "text", help: "WxH+X+Y, center (square) or none (squash)" },
  {
    name: "resize",
    kind: "text",
    help: "how pictures are made smaller",
    choices: ["area", "bilinear", "nearest"],
  },
  { name: "mirror", kind: "flag", help: "mirror half of the pictures; --no-mirror does not" },
  {
    name: "resolution",
    kind: "count",
    help: "side of the pictures: 16, 32, 64, 128, 256",
    min: 8,
    max: 512,
  },
  { name: "batch", kind: "count", help: "pictures a step", min: 2, max: 4096 },
  {
    name: "kimg",
    kind: "number",
    help: "thousands of pictures to show; pggan: as many as its phases take",
    min: 0.001,
  },
  { name: "seed", kind: "count", help: "all random numbers follow from it" },
  { name: "preset", kind: "text", help: "a named set of options (below)" },
  { name: "loss", kind: "text", help: "the losses of D and G", choices: Object.keys(losses) },
  {
    name: "label-smoothing",
    kind: "number",
    help: "real targets are uniform in [this, 1]",
    min: 0.5,
    max: 1,
  },
  { name: "lr-g", kind: "number", help: "learning rate of G", min: 1e-9, max: 1 },
  { name: "lr-d", kind: "number", help: "learning rate of D", min: 1e-9, max: 1 },
  { name: "beta1", kind: "number", help: "Adam's memory of gradients", max: 1 },
  { name: "beta2", kind: "number", help: "Adam's memory of their squares", max: 1 },
  { name: "d-steps", kind: "count", help: "D's steps for one of G", min: 1, max: 100 },
  { name: "gp", kind: "number", help: "weight of WGAN-GP's penalty on D's slope (10 there)" },
  { name: "r1", kind: "number", help: "weight of R1's penalty on D's slope at real pictures" },
  { name: "drift", kind: "number", help: "weight of the squares of D's logits on real pictures" },
  { name: "l1", kind: "number", help: "weight of the sum of all weights' sizes" },
  { name: "l2", kind: "number", help: "weight of half the sum of their squares" },
  { name: "nz", kind: "count", help: "length of a latent", min: 1, max: 4096 },
  { name: "ngf", kind: "count", help: "channels of G's last hidden map", min: 1, max: 1024 },
  { name: "ndf", kind: "count", help: "channels of D's first map", min: 1, max: 1024 },
  {
    name: "fmap-base",
    kind: "count",
    help: "pggan: channels of a map are this over its side, times 2, ...",
    min: 8,
    max: 65_536,
  },
  { name: "fmap-max", kind: "count", help: "pggan: ... and at most this", min: 1, max: 4096 },
  {
    name: "norm",
    kind: "text",
    help: "pggan: pixel (in G), batch (in both nets) or none",
    choices: ["pixel", "batch", "none"],
  },
  {
    name: "weights",
    kind: "text",
    help: "pggan: what becomes of weights when they are used",
    choices: ["equalised", "spectral", "plain"],
  },
  {
    name: "minibatch",
    kind: "text",
    help: "sagan, pggan: what shows D how pictures of a batch differ",
    choices: ["discrimination", "stddev", "none"],
  },
  {
    name: "spectral-norm",
    kind: "flag",
    help: "sagan: in both nets; --no-spectral-norm leaves it out",
  },
  {
    name: "attention",
    kind: "text",
    help: "sagan: maps that attend to themselves, by their sides: 32, or 32,16, or none",
  },
  {
    name: "attention-reduction",
    kind: "count",
    help: "sagan: queries and keys have a map's channels over this",
    min: 1,
    max: 64,
  },
  {
    name: "attention-values",
    kind: "text",
    help: "sagan: channels of the values",
    choices: ["full", "half"],
  },
  {
    name: "attention-pool",
    kind: "flag",
    help: "sagan: keys and values are maxima of 2x2 pixels; --no-attention-pool",
  },
  { name: "norm-d", kind: "text", help: "sagan: norm in D", choices: ["batch", "none"] },
  { name: "dropout", kind: "number", help: "sagan: share of D's hidden elements dropped", max: 1 },
  {
    name: "augment",
    kind: "text",
    help: "what real and fake pictures undergo before D: color,translation,cutout, or none",
  },
  { name: "phase-kimg", kind: "number", help: "pggan: thousands of pictures a phase at 4 pixels" },
  {
    name: "phase-factor",
    kind: "number",
    help: "pggan: ... times this with each level above",
    min: 0.1,
    max: 10,
  },
  { name: "last-kimg", kind: "number", help: "pggan: thousands of pictures for the last phase" },
  {
    name: "full-batch-to",
    kind: "count",
    help: "pggan: side up to which batches are whole; they halve above",
    min: 4,
    max: 512,
  },
  {
    name: "ema",
    kind: "number",
    help: "decay of the running average of G at batch 64; 0 for none",
    max: 1,
  },
  {
    name: "snapshot",
    kind: "number",
    help: "thousands of pictures between grids and checkpoints",
    min: 0.001,
  },
  { name: "keep", kind: "count", help: "checkpoints to keep", min: 1 },
  {
    name: "fid-every",
    kind: "number",
    help: "thousands of pictures between evaluations by FID, the best is kept; 0 for none",
  },
  { name: "fid-samples", kind: "count", help: "pictures an evaluation", min: 2, max: 1_000_000 },
  {
    name: "fid-feature",
    kind: "text",
    help: "where in Inception; only 2048 is called FID",
    choices: ["64", "192", "768", "2048"],
  },
  { name: "fid-weights", kind: "text", help: "Inception's file, .pth or safetensors" },
  { name: "out", kind: "text", help: "folder of runs" },
  { name: "resume", kind: "text", help: "go on with a run: its folder, number or latest" },
  { name: "checkpoint", kind: "text", help: "go back to this file of the resumed run, or to best" },
  {
    name: "autotune",
    kind: "flag",
    help: "try ways to compute first: as a rule on a GPU; --no-autotune takes safe ones",
  },
  { name: "dry-run", kind: "flag", help: "print layers, memory, arithmetic and time, and stop" },
  ...common,
];

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
    ...optionLines(table, { ...defaults, out: "runs", preset: "default, without a GPU small" }),
    "",
    "Ctrl-C writes a checkpoint first.",
  ].join("\n");
}

/** `gan train`. Returns the exit code. */
export async function trainCommand(args: string[], print: (line: string) => void): Promise<number> {
  const { values, rest } = parse(args, table);
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
  if (values.dryRun) return await dryRun(newState(recipe, options), options, values, print);
  const progress = new Progress(values.json ? { style: "json" } : {});
  const { signal, release } = interruptible(progress);
  try {
    const pictures = await open(options, out, progress, signal);
    if (resumed === undefined && recipe.schedule) {
      await tellCourse(recipe, options, progress, signal);
    }
    const judge = await openJudge(options, pictures, join(out, ".cache"), progress);
    const tune = values.autotune ?? !software
      ? await openTuner(join(out, ".cache"), device, progress)
      : undefined;
    const state = newState(recipe, options);
    const run = resumed ?? await createRun(out, title(options, pictures), options);
    if (resumed !== undefined) {
      const checkpoint = await findCheckpoint(run, values.checkpoint as string | undefined);
      await loadState(state, checkpoint);
      await trimStats(run, state.images);
      await trimCheckpoints(run, state.images);
      progress.say(`Going on from ${checkpoint}`);
    }
    const { preset, resolution, batch } = options;
    progress.say(
      `${run}: ${pictures.count} pictures of ${pictures.name}; preset ${preset}, ${resolution} px, ` +
        `batch ${batch}, ${state.schedule.total / 1000} kimg, on ${name}`,
    );
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
  return { recipe, options: checked(recipe, options) };
}

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
    other = ["out", "resume", "checkpoint", "device", "json", "debug", "dryRun"];
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

async function open(options: TrainOptions, out: string, progress: Progress, signal: AbortSignal) {
  const { data, resolution, crop, resize } = options;
  let told = performance.now();
  const pictures = await openPictures({
    ...(data && { data }),
    resolution,
    crop,
    resize: resize as "area",
    cache: join(out, ".cache"),
    signal,
    onProgress: (done, total) => {
      if (performance.now() - told < 2000) return;
      told = performance.now();
      progress.say(`Reading pictures: ${done} of ${total}`);
    },
  });
  if (pictures.broken.length) {
    const [{ name, reason }] = pictures.broken;
    progress.say(`Left out ${pictures.broken.length} broken pictures, first ${name}: ${reason}`);
  }
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
  const made = await plan(state, options);
  if (values.json) print(JSON.stringify({ options, ...made }));
  else {
    for (const [name, value] of Object.entries(options)) print(`${name.padEnd(18)}${value}`);
    print("");
    for (const line of planText(made)) print(line);
  }
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
  const { phases, seconds } = await plan(spoilt, options, signal);
  freeState(spoilt);
  trim();
  for (const line of phaseTable(phases)) progress.say(line);
  progress.say(`${duration(seconds)} in all`);
}

/** A signal that Ctrl-C aborts; the second Ctrl-C ends the program at once. */
function interruptible(progress: Progress) {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) Deno.exit(130);
    progress.say("Stopping, and keeping what there is; Ctrl-C again ends at once");
    controller.abort(new DOMException("stopped by the user", "AbortError"));
  };
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  const release = () => signals.forEach((signal) => Deno.removeSignalListener(signal, stop));
  return { signal: controller.signal, release };
}
