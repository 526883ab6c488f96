import { basename, dirname, join, resolve } from "@std/path";
import type { Dataset } from "../data/pack.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import { compileAhead } from "../gpu/ahead.ts";
import { assertHalves } from "../kernels/half_check.ts";
import { assertPrecision, type Precision } from "../kernels/precision.ts";
import { named, removeLeft } from "../io/write_atomically.ts";
import { lockRun } from "../run/lock.ts";
import { rehearsable } from "../train/advance.ts";
import { train } from "../train/loop.ts";
import { createRun } from "../run/new_run.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import type { Progress } from "../run/progress.ts";
import { presetOptions, savedOptions } from "../train/recipe.ts";
import { drawn } from "../run/preview.ts";
import { type Reported, Reporter } from "../run/reporter.ts";
import { graphicsHere } from "../run/terminal.ts";
import { classesIn } from "../train/classes.ts";
import { markOf } from "../train/data_mark.ts";
import type { Training } from "../train/training.ts";
import { newState, type State } from "../train/state.ts";
import { VERSION } from "../train/version.ts";
import { tellCourse } from "./course.ts";
import { dryRun } from "./dry_run.ts";
import { messageOf, UsageError } from "./errors.ts";
import { interruptible } from "./interrupt.ts";
import { openEvaluator } from "./evaluator.ts";
import { optionLines, parse, type Values } from "./options.ts";
import { recipeOf, recipes } from "./recipes.ts";
import { persist } from "./persist.ts";
import { limitReading } from "./reading.ts";
import { finished, goOn, openResumed, type Resumed } from "./resume.ts";
import { newOptions } from "./run_options.ts";
import { trainOptions, trainOptionsOf } from "./train_options.ts";
import { openTraining, withNames } from "./training_data.ts";
import { openTuner, profiling, type Tuning } from "./tuning.ts";
import { advised } from "./way_on.ts";
import { openGpu } from "../gpu/engines/deno.ts";

const EXAMPLES = [
  "  gan train dcgan                                      on built-in images",
  "  gan train dcgan --data faces.zip --resolution 64     on your own",
  "  gan train sagan --data faces.zip --attention 32      with self-attention",
  "  gan train pggan --data faces.zip --resolution 128    with networks that grow",
  "  gan train --resume latest                            goes on where it stopped",
];

function help(name?: string): string {
  const recipe = name === undefined ? undefined : recipeOf(name);
  const shown = Object.values(recipes).filter((one) => !recipe || one === recipe);
  const presets = shown.flatMap(({ name, about, presets }) => [
    `  ${name}: ${about}`,
    ...Object.entries(presets).map(([preset, { about }]) =>
      `    --preset ${preset.padEnd(10)} ${about}`
    ),
  ]);
  const systems = Object.keys(recipes).map((one) => `  gan train ${one} --help`);
  return [
    "Trains a GAN on images.",
    "",
    ...EXAMPLES.filter((line) =>
      !recipe || line.includes(recipe.name) || line.includes("--resume")
    ),
    "",
    recipe ? "Presets:" : "Systems and presets:",
    ...presets,
    ...recipe ? [] : ["", "Each system has options of its own, and defaults:", ...systems],
    "",
    recipe ? "Options [of --preset default]:" : "Options of all systems [default]:",
    ...optionLines(trainOptionsOf(recipe), {
      ...recipe ? presetOptions(recipe, "default") : defaults,
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
    print(help(rest[0]));
    return 0;
  }
  if (rest.length > 1) throw new UsageError(`One system at a time, not ${rest.join(" and ")}`);
  const out = String(values.out ?? "runs");
  const there = await Deno.stat(out).catch(() => undefined);
  if (there?.isDirectory === false) throw new UsageError(`--out ${out} is a file: give a folder`);
  const resumed = values.resume === undefined ? undefined : await openResumed(out, values, rest[0]);
  if (resumed === undefined && values.checkpoint !== undefined) {
    throw new UsageError("--checkpoint is a place to go back to: name the run with --resume");
  }
  if (resumed === undefined) recipeOf(rest[0]); // a misspelt name needs no device
  const end = resumed && await finished(resumed);
  if (end !== undefined) {
    print(values.json ? JSON.stringify({ say: end }) : end);
    return 0;
  }
  const { info: device } = await openGpu({ choice: values.device as string | undefined });
  const { recipe, options } = resumed ??
    await withNames(newOptions(rest[0], values, device.software), join(out, ".cache"));
  assertPrecision(options.precision as Precision, device);
  if (options.precision === "f16") await assertHalves();
  if (values.dryRun) return await dryRun(newState(recipe, options), values, print);
  const state = newState(recipe, options, resumed === undefined), command = ["train", ...args];
  return await trainRun({ out, values, command, device, resumed, state });
}

/** What a run is started with. */
interface Start {
  readonly out: string;
  readonly values: Values;
  /** The command line's words. */
  readonly command: readonly string[];
  readonly device: DeviceInfo;
  readonly resumed: Resumed | undefined;
  readonly state: State;
}

async function trainRun(start: Start): Promise<number> {
  const { out, values, command, device, resumed, state } = start, { recipe, options } = state;
  // A run's neighbours share its cache, wherever they are.
  const cache = join(resumed === undefined ? out : dirname(resolve(resumed.run)), ".cache");
  await assertWritable(cache, resumed === undefined ? `--out ${out}` : resumed.run);
  const named = [options.data, options.evalWeights, resumed?.run ?? ""].filter(Boolean);
  await limitReading([...named, out, cache]);
  using before = resumed && await lockRun(resumed.run);
  const { progress, signal, release } = interruptible(Boolean(values.json));
  let run = resumed?.run;
  // The processor's kernels are compiled while the images are read.
  const compiling = recipe.schedule || values.autotune ? undefined : compile(state, progress);
  try {
    const dataset = await openTraining(options, cache, progress, signal);
    if (resumed) await goOn(resumed, state, dataset, values, progress);
    // A run that was killed after its last checkpoint lacks no more than a grid.
    const isLeft = state.images < state.schedule.total;
    const phases = recipe.schedule && isLeft
      ? await tellCourse(state, progress, signal)
      : undefined;
    let evaluator = await openEvaluator(options, dataset, cache, progress);
    const data = state.data = markOf(dataset);
    const origin = { version: VERSION, device: device.name, data, command };
    run ??= await createRun(out, title(options, dataset), savedOptions(recipe, options), origin);
    using _lock = before ?? await lockRun(run);
    const tuning = { cache, run, device, say: (text: string) => progress.say(text) };
    let tune = await tunerOf(tuning, values);
    tellStart(run, state, dataset, device, progress);
    await compiling;
    if (!device.software) progress.say("Compiling shaders: the first steps are slow");
    const draw = options.preview === "off" || values.json ? undefined : previewer();
    const reported = { dataset, run, progress, phases, draw };
    const complete = await persist(state, {
      ...{ run, progress },
      attempt: async (state) => {
        using observer = new Reporter({ ...reported, evaluator, state });
        return await train({ state, dataset, observer, signal, tune });
      },
      reopen: async () => {
        await openGpu({ choice: values.device as string | undefined });
        evaluator = await openEvaluator(options, dataset, cache, progress);
        tune = await tunerOf(tuning, values);
      },
    });
    progress.say(
      complete
        ? `Done: ${run} holds grids, checkpoints and curves; gan sample ${run} makes images`
        : `Stopped; go on with: gan train --resume ${run}`,
    );
    return complete ? 0 : 130;
  } catch (error) {
    progress.finish(); // what is said of it has a line of its own
    throw run === undefined ? error : await advised(error, run);
  } finally {
    release();
  }
}

/** Compiles what a step needs; a run that does not grow needs nothing else later. */
function compile(state: State, progress: Progress): Promise<void> {
  const labels = { classes: classesIn(state.options), of: new Uint16Array(1) };
  const compiling = compileAhead(
    rehearsable(state, { count: 1, labels }),
    (done, of) => progress.doing(`Compiling ${done} of ${of} kernels`),
  );
  compiling.catch(() => {}); // it is waited for later, if at all
  return compiling;
}

async function tunerOf(tuning: Tuning, { autotune }: Values): Promise<Training["tune"]> {
  const tune = await openTuner(tuning, autotune as boolean | undefined);
  return Deno.env.get("GPU_DEBUG") === "2" ? profiling(tuning.say, tune) : tune;
}

/** What draws images for the terminal; undefined where there is none that can show them. */
function previewer(): Reported["draw"] {
  const graphics = graphicsHere();
  return graphics && ((pixels, n, R) => drawn(pixels, n, R, graphics, Deno.consoleSize()));
}

function tellStart(
  run: string,
  { options: { preset, resolution, batch, precision }, schedule }: State,
  dataset: Dataset,
  { name, software }: DeviceInfo,
  progress: Progress,
): void {
  progress.say(
    `${run}: ${dataset.count} images of ${dataset.name}; preset ${preset}, ${resolution} px, ` +
      `batch ${batch}, ${schedule.total / 1000} kimg, on ${name}`,
  );
  if (precision === "f16" && software) {
    progress.say("On the processor f16 is slower than f32: it is meant for GPUs");
  }
}

const LEFT_MS = 600_000; // after which nobody writes to a file in a cache any more

/** Makes a folder and writes to it, so that what cannot be kept is not computed first. */
async function assertWritable(folder: string, what: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.remove(await Deno.makeTempFile({ dir: folder, suffix: ".part" }));
    await removeLeft(folder, () => true, LEFT_MS);
  } catch (error) {
    // Another folder would not help.
    if (/^(EM|EN)FILE$/.test((error as { code?: string }).code ?? "")) throw named(error, folder);
    throw new UsageError(
      `${what} cannot be written to (${messageOf(error)}): choose another folder`,
    );
  }
}

function title({ recipe, resolution }: TrainOptions, dataset: Dataset): string {
  return `${recipe}-${basename(dataset.name)}-${resolution}`;
}
