/**
 * The report on the experiments: `thesis.md`, `thesis.html` and their figures, from the runs alone.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { decode } from "../../data/decode.ts";
import { savePng } from "../../data/png.ts";
import { replaceFile } from "../../io/replace_file.ts";
import { gridsOf, type Report } from "../../run/run_folder.ts";
import { kebab } from "../options.ts";
import { conditions } from "./conditions.ts";
import type { Experiment, MeasureName, Variant } from "./experiments.ts";
import { chart, COLOURS, type Curve, topRows } from "./figures.ts";
import { type Finding, findingOf, finished, type Tried, valuesOf } from "./findings.ts";
import { type Measure, measuresOf } from "./measures.ts";
import { type Block, html, markdown } from "./page.ts";
import type { Scale } from "./plan.ts";
import { madeIn } from "./runs.ts";
import { deviation, digits, mean, RULE, type Verdict } from "./verdict.ts";

const FIGURES = "thesis"; // folder beside the page

type Table = Extract<Block, { kind: "table" }>;

/**
 * Writes the report of the runs in a folder.
 *
 * @param runs Folder of the runs.
 * @param to Folder of the report.
 * @returns Paths of both pages.
 */
export async function writeThesis(
  experiments: readonly Experiment[],
  scale: Scale,
  runs: string,
  to: string,
): Promise<string[]> {
  const made = await madeIn(runs), measures = measuresOf(scale.feature);
  const findings = experiments.map((one) => findingOf(one, scale, made, measures));
  const sections: Block[] = [], strips = new Map<string, string>();
  for (const finding of findings) sections.push(...await section(finding, measures, to, strips));
  const blocks = [...summary(findings), ...conditions(findings, scale), ...sections];
  const pages = [["thesis.md", markdown(blocks)], ["thesis.html", html(blocks)]];
  return await Promise.all(pages.map(async ([name, text]) => {
    await replaceFile(join(to, name), new TextEncoder().encode(text));
    return join(to, name);
  }));
}

/** Claims of the thesis, or of ours. */
function claims(title: string, findings: readonly Finding[]): Table {
  const rows = findings.flatMap(({ experiment: { name }, judged }) =>
    judged.map(({ claim, verdict: { word, why } }) => [
      claim.says,
      `**${word}**`,
      why,
      `\`${name}\``,
    ])
  );
  return { kind: "table", head: [title, "verdict", "measured", "experiment"], rows };
}

function summary(findings: readonly Finding[]): Block[] {
  return [
    { kind: "heading", level: 1, text: "The thesis, measured" },
    {
      kind: "text",
      text:
        "A. Bychkov's master's thesis (Belarusian State University, 2020) compares DCGAN, SAGAN " +
        "and PGGAN on faces and churches. Here its experiments are made again with this program, at " +
        "the scale given below. Claims are in our words. This page is written by `gan thesis`; it is " +
        "not to be edited.",
    },
    claims("the thesis says", findings.filter(({ experiment }) => !experiment.ours)),
    claims("beyond the thesis", findings.filter(({ experiment }) => experiment.ours)),
    { kind: "text", text: RULE },
  ];
}

/** The part of the page about one experiment; its figures are written. */
async function section(
  { experiment: { name, about, ours }, tried, judged, compared }: Finding,
  measures: Readonly<Record<MeasureName, Measure>>,
  to: string,
  strips: Map<string, string>,
): Promise<Block[]> {
  const blocks: Block[] = [{ kind: "heading", level: 2, text: `${name}: ${about}` }];
  for (const { claim, verdict: { word, why } } of judged) {
    const text = `${claim.says}. By ${measures[claim.measure].title}: **${word}** (${why}).`;
    blocks.push({ kind: "text", text });
  }
  if (ours) {
    const text = `${ours.question} The thesis does not ask this; the rule is the same.`;
    blocks.push({ kind: "text", text });
  } else if (judged.length === 0) {
    blocks.push({
      kind: "text",
      text:
        "The thesis makes this comparison; how it ended there is not in our notes, so there is " +
        "nothing to agree with.",
    });
  }
  if (tried.every(({ runs }) => runs.every((run) => run === undefined))) {
    return [...blocks, { kind: "text", text: "Not run yet." }];
  }
  const table = tableOf(tried, measures);
  blocks.push(ours ? besides(table, ours.against, tried, compared) : table);
  if (tried.length <= COLOURS.length) {
    const file = `${FIGURES}/${name}.svg`;
    await replaceFile(join(to, file), new TextEncoder().encode(curvesOf(tried)));
    blocks.push({ kind: "figure", file, text: `${name}: losses, a line for each seed` });
  }
  for (const one of tried) blocks.push(...await strip(name, one, to, strips));
  return blocks;
}

function tableOf(
  tried: readonly Tried[],
  measures: Readonly<Record<MeasureName, Measure>>,
): Table {
  const all = Object.values(measures);
  return {
    kind: "table",
    head: [
      "variant",
      "trained as",
      "finished",
      ...all.map(({ title, better }) => `${title} (${better} is better)`),
    ],
    rows: tried.map((one) => [
      one.name,
      trainedAs(one.variant),
      progressOf(one),
      ...all.map((measure) => spread(valuesOf(one, measure))),
    ]),
  };
}

/** The table with a column of verdicts behind the variants' names. */
function besides(
  { kind, head: [first, ...head], rows }: Table,
  against: string,
  tried: readonly Tried[],
  compared: ReadonlyMap<string, Verdict>,
): Table {
  const cell = (name: string) => {
    const verdict = compared.get(name);
    if (!verdict) return "";
    const { word, why } = verdict;
    if (word === "not run yet") return word;
    return word === "cannot be told" ? `${word}: ${why}` : `**${why}**`;
  };
  return {
    kind,
    head: [first, `against ${against}`, ...head],
    rows: rows.map(([variant, ...row], i) => [variant, cell(tried[i].name), ...row]),
  };
}

function trainedAs({ recipe, preset, options }: Variant): string {
  const changes = Object.entries(options).map(([name, value]) =>
    typeof value === "boolean"
      ? ` --${value ? "" : "no-"}${kebab(name)}`
      : ` --${kebab(name)} ${value}`
  );
  return `\`${recipe} --preset ${preset}${changes.join("")}\``;
}

function progressOf(tried: Tried): string {
  const open = tried.runs.flatMap((run, seed) =>
    run && run.state !== "finished" ? [`; seed ${seed} at ${run.images / 1000} kimg`] : []
  );
  return `${finished(tried).length} of ${tried.runs.length}${open.join("")}`;
}

/** Mean, standard deviation, and each value. */
function spread(values: readonly number[]): string {
  if (values.length === 0) return "";
  const each = values.map(digits).join(", ");
  return values.length === 1
    ? each
    : `${digits(mean(values))} ± ${digits(deviation(values))} (${each})`;
}

function curvesOf(tried: readonly Tried[]): string {
  const panel = (title: string, ...names: readonly string[]) => ({
    title,
    groups: tried.map(({ name, runs }) => ({
      label: name,
      curves: runs.flatMap((run) => run ? [curve(run.stats, names)] : []),
    })),
  });
  return chart([panel("G's loss", "g"), panel("D's loss", "dReal", "dFake")], "thousand images");
}

/** The sum of these numbers of the statistics, over thousands of images. */
function curve(stats: readonly Report[], names: readonly string[]): Curve {
  return stats.flatMap((line) => {
    const values = names.map((name) => line[name]);
    return values.every((value) => typeof value === "number")
      ? [[line.images / 1000, values.reduce((a, b) => a + b, 0)] as const]
      : [];
  });
}

/** The first images of a variant's first finished run, not chosen; of one run there is one file. */
async function strip(
  experiment: string,
  tried: Tried,
  to: string,
  files: Map<string, string>,
): Promise<Block[]> {
  const [run] = finished(tried), grid = run && (await gridsOf(run.folder)).at(-1);
  if (!grid) return [];
  let file = files.get(tried.key);
  if (file === undefined) {
    file = `${FIGURES}/${experiment}-${tried.name.replace(/[^\w.-]/g, "-")}.png`;
    files.set(tried.key, file);
    const image = decode(await Deno.readFile(join(run.folder, grid.name)));
    await savePng(join(to, file), topRows(image, image.width / 8));
  }
  return [{ kind: "figure", file, text: `${tried.name}, not chosen (${basename(run.folder)})` }];
}
