/**
 * `gan thesis`: trains the experiments of the thesis at a chosen scale and reports what came out.
 *
 * @module
 */
import { join, resolve } from "@std/path";
import { writeAtomically } from "../io/write_atomically.ts";
import { UsageError } from "./errors.ts";
import { choose, common, kebab, type Option, optionLines, parse, type Values } from "./options.ts";
import { type Experiment, experiments } from "./thesis/experiments.ts";
import { commandOf, type Job, jobsOf, type Scale } from "./thesis/plan.ts";
import { madeIn } from "./thesis/runs.ts";
import { trainApart } from "./thesis/apart.ts";
import { writeThesis } from "./thesis/report.ts";
import { trainOptions } from "./train_options.ts";

const TO = "runs/thesis", STANDARD = { seeds: 3, samples: 2000, feature: "768" };

/** Options that are those of `gan train`. */
const shared = (...names: string[]) => trainOptions.filter(({ name }) => names.includes(name));

const scaleOptions: readonly Option[] = [
  { name: "kimg", kind: "number", help: "thousands of images a run [the preset's]", min: 0.001 },
  { name: "seeds", kind: "count", help: "runs of each variant", min: 1, max: 100 },
  ...shared("data", "crop", "resolution", "batch"),
  {
    name: "width",
    kind: "count",
    help: "channels: --ngf and --ndf, and pggan's in proportion [the preset's]",
    min: 1,
    max: 1024,
  },
  { name: "samples", kind: "count", help: "images an evaluation, at the end; 0 for none" },
  {
    name: "feature",
    kind: "text",
    help: "where in Inception",
    choices: ["64", "192", "768", "2048"],
  },
  { name: "weights", kind: "text", help: "Inception's file, .pth or safetensors" },
];

export const table: readonly Option[] = [
  ...scaleOptions,
  { name: "to", kind: "text", help: "folder of the runs, of the scale and of the report" },
  { name: "report", kind: "flag", help: "train nothing: write the report of the runs there are" },
  { name: "page", kind: "text", help: "folder of the report, where it is not to lie in --to" },
  ...common.filter(({ name }) => name !== "json"),
];

const help = [
  "Trains the experiments of a master's thesis (A. Bychkov, Belarusian State University, 2020), each",
  "variant with several seeds, and writes what came out beside what the thesis says.",
  "",
  "  gan thesis                                       lists the experiments",
  "  gan thesis systems ttur --data faces.zip         trains two of them, as large as their presets",
  "  gan thesis all --data faces.zip --resolution 32 --width 16 --batch 16 --kimg 16 --samples 200",
  "                                                   all of them, small: half a day without a GPU",
  "  gan thesis all                                   goes on where it stopped, at the same scale",
  "  gan thesis --report                              writes the report of what there is",
  "",
  "Finished runs are not repeated, and what two experiments share is trained once. The scale is kept",
  `in ${TO}/scale.json. The report is thesis.md and thesis.html.`,
  "",
  "Options [default]:",
  ...optionLines(table, { ...STANDARD, to: TO }),
].join("\n");

/** Trains by the words after `gan train`; returns the exit code. */
export type Train = (args: string[]) => Promise<number>;

/** `gan thesis`. Returns the exit code. */
export async function thesisCommand(
  args: string[],
  print: (line: string) => void,
  train: Train = trainApart,
): Promise<number> {
  const { values, rest } = parse(args, table);
  if (values.help) {
    print(help);
    return 0;
  }
  const to = String(values.to ?? TO), chosen = chosenOf(rest);
  if (chosen.length === 0 && !values.report) {
    const idle = Object.keys(values).find((name) => name !== "to");
    if (idle) throw new UsageError(`--${kebab(idle)}: name experiments to train, or all`);
    for (const line of listing(await scaleOf(to, {}))) print(line);
    return 0;
  }
  const scale = await scaleOf(to, values);
  let code = 0;
  if (!values.report) {
    await keepScale(to, scale);
    const device = values.device === undefined ? [] : ["--device", String(values.device)];
    code = await trainAll(jobsOf(chosen, scale), to, print, (args) => train([...args, ...device]));
  }
  if (code !== 130) await report(scale, to, String(values.page ?? to), print);
  return code;
}

async function report(scale: Scale, to: string, page: string, print: (line: string) => void) {
  for (const path of await writeThesis(experiments, scale, to, page)) print(`Wrote ${path}`);
}

function chosenOf(names: readonly string[]): Experiment[] {
  if (names.includes("all")) return [...experiments];
  return names.map((name) => {
    const found = experiments.find((experiment) => experiment.name === name);
    if (found) return found;
    const all = ["all", ...experiments.map(({ name }) => name)];
    throw new UsageError(`There is no experiment ${name}${choose(name, all)}`);
  });
}

/** What is given, and else what was given before. */
async function scaleOf(to: string, values: Values): Promise<Scale> {
  const path = join(to, "scale.json");
  let before: Partial<Scale> = {};
  try {
    before = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new UsageError(`${path} is broken (${error.message}): remove it and give all options`);
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const names = scaleOptions.map(({ name }) => name);
  const given = Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
  const scale: Scale = { ...STANDARD, ...before, ...given };
  const { data, weights } = scale; // as in a run's options, they hold from any folder
  return {
    ...scale,
    ...data && { data: resolve(data) },
    ...weights && { weights: resolve(weights) },
  };
}

async function keepScale(to: string, scale: Scale): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  const text = JSON.stringify(scale, null, 2) + "\n";
  await writeAtomically(join(to, "scale.json"), new TextEncoder().encode(text));
}

function listing(scale: Scale): string[] {
  const lines = experiments.map((one) =>
    `  ${one.name.padEnd(20)} ${one.about} (${Object.keys(one.variants).join(", ")})`
  );
  const runs = jobsOf(experiments, scale).length;
  return [
    "Experiments:",
    ...lines,
    "",
    `All of them are ${runs} runs with ${scale.seeds} seeds: gan thesis all; or name some`,
  ];
}

/** Trains what is not finished yet; a run that fails does not end the others, once it has begun. */
async function trainAll(
  jobs: readonly Job[],
  to: string,
  print: (line: string) => void,
  train: Train,
): Promise<number> {
  let failed = 0;
  for (const [i, job] of jobs.entries()) {
    const made = (await madeIn(to)).get(job.key);
    const words = commandOf(job), place = `Run ${i + 1} of ${jobs.length}`;
    if (made?.state === "finished") {
      print(`${place}: ${made.folder} is finished`);
      continue;
    }
    print(`${place}: gan train ${words.join(" ")}`);
    const code = await train(
      made?.state === "stopped" ? ["--resume", made.folder] : [...words, "--out", to],
    );
    if (code === 130) {
      print("Stopped; the same command goes on");
      return code;
    }
    if (code !== 0 && !(await madeIn(to)).has(job.key)) {
      print(`${place} did not begin: mend what it says above; the same command goes on`);
      return code;
    }
    if (code !== 0) {
      failed++;
      print(`${place} failed (code ${code}): the others go on; the same command tries again`);
    }
  }
  return failed === 0 ? 0 : 1;
}
