/** The model card: the README.md that model hubs expect beside weights. */
import { imageChannels } from "../data/image.ts";
import { basename, join } from "@std/path";
import { grid } from "../data/grid.ts";
import { savePng } from "../data/png.ts";
import { aboutOf, type Exported, publicOptions } from "../export/save.ts";
import { loadMetadata } from "../io/safetensors.ts";
import { naming, writeAtomically } from "../io/write_atomically.ts";
import { readStats, type Report } from "../run/run_folder.ts";
import { samples } from "../train/sampling.ts";
import { type DataMark, markIn } from "../train/data_mark.ts";
import { VERSION } from "../train/version.ts";
import { UsageError } from "./errors.ts";
import { tableOf } from "./eval_table.ts";
import { textOf } from "./eval_report.ts";
import { kebab, type Values } from "./options.ts";

const COUNT = 64, SEED = 0;

/** What the card is of. */
export interface CardOptions {
  readonly run: string;
  readonly checkpoint: string;
  readonly to: string;
  readonly values: Values;
}

/** Writes README.md and samples.png; returns their paths. */
export async function saveCard(
  exported: Exported,
  { run, checkpoint, to, values }: CardOptions,
): Promise<string[]> {
  const { G, options } = exported, R = options.resolution, size = R * R * imageChannels(options);
  const metrics = values.metrics === undefined ? [] : await reportsIn(String(values.metrics));
  for (const report of metrics) refuseOthers(report, { run, checkpoint, images: exported.images });
  const card = cardText({
    exported,
    checkpoint: basename(checkpoint),
    license: String(values.license ?? "unknown"),
    data: markIn(await loadMetadata(checkpoint)),
    metrics: metrics.map(withoutFolders),
    stats: await readStats(run),
  });
  const sheet = join(to, "samples.png"), path = join(to, "README.md");
  await Deno.mkdir(to, { recursive: true });
  const pixels = new Uint8Array(COUNT * size);
  for await (const { at, bytes } of samples(G, options, COUNT, SEED)) pixels.set(bytes, at * size);
  await savePng(sheet, grid(pixels, COUNT, R));
  await naming(path, () => writeAtomically(path, new TextEncoder().encode(card)));
  return [path, sheet];
}

/** Reports that `gan eval --json` printed, one a line. */
async function reportsIn(path: string): Promise<Record<string, unknown>[]> {
  const made = "what gan eval all --run RUN --json prints";
  const text = await naming(path, () => Deno.readTextFile(path)).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError(`--metrics ${path} does not exist: expected a file of ${made}`);
  });
  try {
    const reports = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    if (reports.length && reports.every(({ weights, fake, notes }) => weights && fake && notes)) {
      return reports;
    }
  } catch {
    // It is told below.
  }
  throw new UsageError(`--metrics ${path}: expected ${made}`);
}

/**
 * Refuses numbers that were not measured of this checkpoint's images.
 *
 * @throws {UsageError} If they are of another run, another checkpoint, or of files.
 */
export function refuseOthers(
  { fake }: Record<string, unknown>,
  { run, checkpoint, images }: { run: string; checkpoint: string; images: number },
): void {
  const evaluated = fake as Record<string, unknown>,
    last = (path: unknown) => basename(String(path));
  const same = "checkpoint" in evaluated && last(evaluated.checkpoint) === basename(checkpoint) &&
    evaluated.images === images && (!("run" in evaluated) || last(evaluated.run) === basename(run));
  if (same) return;
  const of = evaluated.checkpoint ?? evaluated.dataset ?? evaluated.statistics;
  throw new UsageError(
    `--metrics: its numbers are of ${of}, not of ${checkpoint}: measure them by gan eval all ` +
      `--run ${run} --checkpoint ${basename(checkpoint)} --json`,
  );
}

/** A report in which files and runs go by their names: where they lie is nobody else's business. */
export function withoutFolders(report: Record<string, unknown>): Record<string, unknown> {
  const paths = [report.real, report.fake, report.heldOut].flatMap((side) =>
    ["run", "checkpoint", "dataset", "statistics"].map((name) =>
      (side as Record<string, unknown> | undefined)?.[name]
    )
  ).filter((path): path is string => typeof path === "string" && /[\\/]/.test(path));
  let text = JSON.stringify(report);
  for (const path of paths.sort((a, b) => b.length - a.length)) {
    const [from, to] = [path, path.split(/[\\/]/).filter(Boolean).at(-1) ?? "/"]
      .map((part) => JSON.stringify(part).slice(1, -1));
    text = text.replaceAll(from, to);
  }
  return JSON.parse(text);
}

/** What a card tells of. */
export interface Card {
  readonly exported: Exported;
  /** Name of the checkpoint's file. */
  readonly checkpoint: string;
  readonly license: string;
  /** The images that it was trained on, where known. */
  readonly data: DataMark | undefined;
  readonly metrics: readonly Record<string, unknown>[];
  readonly stats: readonly Report[];
}

/** The card's text: a head for hubs, then what a reader wants to know. */
export function cardText(card: Card): string {
  const { exported, checkpoint, license, data, metrics, stats } = card;
  const options = publicOptions(exported.options), { recipe, resolution, nz, seed } = options;
  const C = imageChannels(options);
  const name = options.data || "built-in images";
  const lines = [
    "---",
    `license: ${JSON.stringify(license)}`,
    "pipeline_tag: unconditional-image-generation",
    "library_name: pytorch",
    `tags: ${JSON.stringify(["gan", recipe, "image-generation", "webgan"])}`,
    "---",
    "",
    `# ${recipe.toUpperCase()}, ${resolution} pixels, ${name}`,
    "",
    aboutOf(exported),
    "",
    `![Samples of seed ${SEED}, not chosen](samples.png)`,
    "",
    "## Use",
    "",
    "`generator.py` and `model.safetensors` are written by `gan export torch`:",
    "",
    "```python",
    "import torch",
    "from generator import load",
    "",
    `images = load()(torch.randn(16, ${nz}))  # [16, ${C}, ${resolution}, ${resolution}] in [-1, 1]`,
    "```",
    "",
    "## Data",
    "",
    `${name}${data ? `, ${data.count} images, hash \`${data.hash}\`` : ""}; crop ` +
    `${options.crop}, resize ${options.resize}${options.mirror ? ", half of them mirrored" : ""}` +
    `${options.channels === "rgb" ? "" : `, channels ${options.channels}`}.`,
    "",
    "## Metrics",
    "",
    ...metricLines(metrics, stats, exported.images),
    "",
    "## Training",
    "",
    `${
      exported.images / 1000
    } thousand images, seed ${seed}, checkpoint \`${checkpoint}\`, webgan ` +
    `${VERSION}.`,
    "",
    "| option | value |",
    "| ------ | ----- |",
    ...Object.entries(options).filter(([, value]) => value !== "").map(([name, value]) =>
      `| \`--${kebab(name)}\` | ${value} |`
    ),
    "",
  ];
  return lines.join("\n");
}

/** Each report by itself: numbers that were made differently do not share a table. */
function metricLines(
  metrics: readonly Record<string, unknown>[],
  stats: readonly Report[],
  images: number,
): string[] {
  const lines = metrics.flatMap((report) => [
    "```",
    ...("metrics" in report ? tableOf(report) : textOf(report)),
    "```",
    "",
  ]);
  const evaluated = stats.filter((report) => report.images <= images).flatMap((report) =>
    Object.entries(report).filter(([name]) => /^(FID|KID|IS|PR|MIND|FD|Vendi|AuthPct)/.test(name))
      .map(([name, value]) => ({ images: report.images, name, value: Number(value) }))
  );
  const last = evaluated.filter(({ images }) => images === evaluated.at(-1)!.images);
  if (last.length) {
    lines.push(
      `While training, at ${last[0].images / 1000} thousand images, by the settings of ` +
        "`--eval-...` below (real images as prepared for training): " +
        `${last.map(({ name, value }) => `${name} ${value.toPrecision(5)}`).join(", ")}.`,
    );
  }
  return lines.length ? lines : ["None were measured."];
}
