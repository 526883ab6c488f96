import { conventionsOf, type Metric, METRICS, type Tool, TOOLS } from "../eval/conventions.ts";
import { printable } from "../eval/errors.ts";
import type { ExtractOptions } from "../eval/extract.ts";
import { STAGES } from "../eval/input.ts";
import { loadInception } from "../eval/weights.ts";
import type { Feature } from "../models/inception.ts";
import { duration, Rate } from "../train/progress.ts";
import { UsageError } from "./errors.ts";
import { aboutOf, notesOf, textOf } from "./eval_report.ts";
import { measure } from "./measure.ts";
import { common, type Option, optionLines, parse, type Values } from "./options.ts";
import { judgedIn, openFakes, openGenerator, openReal, type Side } from "./sides.ts";
import { openGpu } from "../gpu/engines/deno.ts";

const table: readonly Option[] = [
  { name: "run", kind: "text", help: "a run to judge: its folder, number or latest" },
  { name: "checkpoint", kind: "text", help: "a file of the run, or best; by default its newest" },
  {
    name: "real",
    kind: "text",
    help: "folder, zip or .npz; by default what the run was trained on",
  },
  {
    name: "fake",
    kind: "text",
    help: "folder, zip, .npz or checkpoint to judge instead of the run's",
  },
  {
    name: "samples",
    kind: "count",
    help: "images to judge; of a folder or zip by default all",
    min: 2,
    max: 10_000_000,
  },
  { name: "real-samples", kind: "count", help: "of the real images only as many", min: 2 },
  {
    name: "like",
    kind: "text",
    help: "follow this tool, see above",
    choices: Object.keys(TOOLS),
  },
  {
    name: "feature",
    kind: "text",
    help: "where in Inception; is takes its logits",
    choices: ["64", "192", "768", "2048"],
  },
  { name: "weights", kind: "text", help: "Inception's file, .pth or safetensors" },
  {
    name: "resolution",
    kind: "count",
    help: "make files squares of this side first, as for training",
    min: 1,
  },
  { name: "crop", kind: "text", help: "of real images: WxH+X+Y, center (square), none" },
  { name: "fake-crop", kind: "text", help: "the same of a folder or zip to judge" },
  {
    name: "resize",
    kind: "text",
    help: "how to --resolution",
    choices: ["area", "bilinear", "nearest"],
  },
  {
    name: "seed",
    kind: "count",
    help: "of latents [0], KID's subsets [0] and the Inception Score's order [2020]",
    max: 2 ** 32 - 1,
  },
  { name: "subsets", kind: "count", help: "KID's subsets", min: 1 },
  { name: "subset-size", kind: "count", help: "images in each", min: 2 },
  {
    name: "k",
    kind: "count",
    help: "neighbours [3 for precision and recall, 5 for density and coverage]",
    min: 1,
  },
  { name: "save-stats", kind: "text", help: "write the real images' statistics to this .npz" },
  { name: "out", kind: "text", help: "folder of runs, and of what is kept of real images" },
  ...common,
];

const help = [
  "Tells how good images are.",
  "",
  "  gan eval fid --run latest                 Frechet Inception distance of a run's generator",
  "  gan eval fid --run 3 --fake other.zip     other images, against the same real ones",
  "  gan eval kid --real faces.zip --fake made kernel distance of two sets of images",
  "  gan eval is --fake made                   Inception Score",
  "  gan eval pr --run 3                       precision, recall, density, coverage",
  "  gan eval fid --real a --fake b --like clean-fid",
  "                                            the number that clean-fid gives",
  "",
  "Only the 2048-dimensional distance is called FID; the others are FID-64, FID-192, FID-768.",
  "Beside each distance stands its floor: that of real images to other real images, as many.",
  "",
  "Tools differ in files, resizing and formulas, so their numbers do, too. --like follows one of",
  "them in everything; without it numbers are pytorch-fid's, of all images in zips and subfolders.",
  "",
  "  pytorch-fid      fid: bilinear; images of one folder by endings in lower case",
  "  clean-fid        fid, kid: Pillow's bicubic; subfolders and zips",
  "  torch-fidelity   fid, kid, is, pr: TensorFlow 1's bilinear; subsets and order by seed 2020",
  "  stylegan3        fid, kid, is, pr: covariances over N; equal to it on equal features only",
  "  prdc             pr: k = 5 and < for all four, on Inception's features",
  "",
  "pytorch-fid has no kid, is or pr: there only images enter as in it; KID draws as clean-fid, with",
  "a seed, the Inception Score shuffles as torch-fidelity, density and coverage compare as prdc.",
  "",
  "Images enter Inception from their own width and height (those of a run as it was trained).",
  "",
  "Options [default]:",
  ...optionLines(table, {
    samples: 10_000,
    feature: "2048",
    like: "pytorch-fid",
    subsets: 100,
    subsetSize: 1000,
    out: "runs",
    crop: "none",
    fakeCrop: "none",
    resize: "area",
  }),
].join("\n");

/** `gan eval`. Returns the exit code. */
export async function evalCommand(args: string[], print: (line: string) => void): Promise<number> {
  const { values, rest } = parse(args, table);
  if (values.help) {
    print(help);
    return 0;
  }
  const metric = rest[0] as Metric;
  if (rest.length !== 1 || !METRICS.includes(metric)) {
    throw new UsageError(
      `Name one thing to measure: gan eval ${METRICS.join("|")}` +
        (rest.length ? `, not ${rest.join(" ")}` : ""),
    );
  }
  if (values.checkpoint !== undefined && values.fake !== undefined) {
    throw new UsageError("--checkpoint and --fake both name what to judge: give one");
  }
  const like = likeOf(metric, values);
  const { info } = await openGpu({ choice: values.device as string | undefined });
  const feature = metric === "is" ? "logits" : String(values.feature ?? "2048") as Feature;
  const inception = await loadInception(feature, values.weights as string | undefined);
  const judged = await judgedIn(values);
  const fake = judged ? await openGenerator(values, judged) : await openFakes(values, like);
  const real = metric === "is" ? undefined : await openReal(values, judged?.options, like);
  try {
    const start = performance.now();
    const watch = (side: string): ExtractOptions => ({
      stage: like.stage,
      onProgress: reporter(side),
    });
    const result = await measure(metric, { values, feature, inception, fake, real, like, watch });
    const report = {
      metric: nameOf(metric, feature),
      ...result,
      feature,
      like: like.metrics.includes(metric) ? like.tool : `${like.tool}, its input only`,
      ...(real && { real: aboutOf(real) }),
      fake: aboutOf(fake),
      weights: { file: inception.file, sha256: inception.sha256 },
      input: STAGES[like.stage],
      device: info.name,
      seconds: Math.round((performance.now() - start) / 100) / 10,
      notes: notesOf({
        metric,
        feature,
        like,
        named: values.like !== undefined,
        real,
        fake,
        result,
      }),
    };
    const lines = values.json ? [JSON.stringify(report)] : textOf(report).map(printable);
    for (const line of lines) print(line);
    for (const side of [real, fake]) tellBroken(side);
    return 0;
  } finally {
    await real?.close?.();
    await fake.close?.();
  }
}

/** The conventions to follow. */
function likeOf(metric: Metric, { like }: Values) {
  const conventions = conventionsOf((like ?? "pytorch-fid") as Tool);
  if (like !== undefined && !conventions.metrics.includes(metric)) {
    const others = Object.entries(TOOLS).filter(([, { metrics }]) =>
      (metrics as readonly Metric[]).includes(metric)
    ).map(([name]) => name);
    throw new UsageError(
      `--like ${like}: it has no ${metric}; choose one of ${others.join(", ")}, or leave it out`,
    );
  }
  return conventions;
}

/** Only the distance of 2048-dimensional features is FID. */
function nameOf(metric: Metric, feature: Feature): string {
  const plain = feature === "2048" || feature === "logits";
  return plain ? metric.toUpperCase() : `${metric.toUpperCase()}-${feature}`;
}

function tellBroken(side: Side | undefined): void {
  if (!side?.broken?.length) return;
  const [{ name, reason }] = side.broken;
  console.error(
    printable(
      `gan: left out ${side.broken.length} broken images of ${side.name}, first ${name}: ${reason}`,
    ),
  );
}

/** Tells on stderr how far it is: on a terminal in one line, else every half minute. */
function reporter(side: string): (done: number, total: number) => void {
  const live = Deno.stderr.isTerminal(), rate = new Rate(), every = live ? 250 : 30_000;
  let told = performance.now();
  rate.read(0, told / 1000);
  return (done, total) => {
    const now = performance.now(), speed = rate.read(done, now / 1000);
    if (now - told < every && !(live && done >= total)) return;
    told = now;
    const left = speed
      ? `, ${speed.toFixed(1)} images/s, ${duration((total - done) / speed)} left`
      : "";
    const line = `${side}: ${done} of ${total}${left}`;
    const text = live ? `\r${line}\x1b[K${done >= total ? "\n" : ""}` : `${line}\n`;
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  };
}
