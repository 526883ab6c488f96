import { cachedFeatures, cachedStatistics } from "../eval/cache.ts";
import { EvalError } from "../eval/errors.ts";
import { type ExtractOptions, featuresOf, statisticsOf } from "../eval/extract.ts";
import { frechetDistance } from "../eval/frechet.ts";
import { inceptionScore } from "../eval/inception_score.ts";
import { kid } from "../eval/kid.ts";
import { saveStatistics } from "../eval/npz.ts";
import { precisionRecall } from "../eval/precision_recall.ts";
import { type LoadedInception, loadInception } from "../eval/weights.ts";
import { openGpu } from "../gpu/device.ts";
import type { Feature } from "../models/inception.ts";
import { duration, Rate } from "../train/progress.ts";
import { UsageError } from "./errors.ts";
import { common, type Option, optionLines, parse, type Values } from "./options.ts";
import { cacheFolder, judgedIn, openFakes, openGenerator, openReal, type Side } from "./sides.ts";

const METRICS = ["fid", "kid", "is", "pr"] as const;
type Metric = typeof METRICS[number];

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
    help: "pictures to judge; of a folder or zip by default all",
    min: 2,
    max: 10_000_000,
  },
  { name: "real-samples", kind: "count", help: "of the real pictures only as many", min: 2 },
  {
    name: "feature",
    kind: "text",
    help: "where in Inception; is takes its logits",
    choices: ["64", "192", "768", "2048"],
  },
  { name: "weights", kind: "text", help: "Inception's file, .pth or safetensors" },
  { name: "resolution", kind: "count", help: "side that files are brought to first", min: 1 },
  { name: "crop", kind: "text", help: "of real pictures: WxH+X+Y, center (square), none (squash)" },
  { name: "fake-crop", kind: "text", help: "the same of a folder or zip to judge" },
  {
    name: "resize",
    kind: "text",
    help: "how to --resolution",
    choices: ["area", "bilinear", "nearest"],
  },
  { name: "seed", kind: "count", help: "other latents, and other subsets of KID" },
  { name: "subsets", kind: "count", help: "KID's subsets of 1000 pictures", min: 1 },
  { name: "save-stats", kind: "text", help: "write the real pictures' statistics to this .npz" },
  { name: "out", kind: "text", help: "folder of runs, and of what is kept of real pictures" },
  ...common,
];

const help = [
  "Tells how good pictures are.",
  "",
  "  gan eval fid --run latest                 Frechet Inception distance of a run's generator",
  "  gan eval fid --run 3 --fake other.zip     other pictures, against the same real ones",
  "  gan eval kid --real faces.zip --fake made kernel distance of two sets of pictures",
  "  gan eval is --fake made                   Inception Score",
  "  gan eval pr --run 3                       precision, recall, density, coverage",
  "",
  "Only the 2048-dimensional distance is called FID; the others are FID-64, FID-192, FID-768.",
  "",
  "Options [default]:",
  ...optionLines(table, {
    samples: 10_000,
    feature: "2048",
    seed: 0,
    subsets: 100,
    out: "runs",
    crop: "center",
    fakeCrop: "center",
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
  const { name: device } = await openGpu(values.device as string | undefined);
  const feature = metric === "is" ? "logits" : String(values.feature ?? "2048") as Feature;
  const inception = await loadInception(feature, values.weights as string | undefined);
  const judged = await judgedIn(values);
  const fake = judged ? await openGenerator(values, judged) : await openFakes(values);
  const real = metric === "is" ? undefined : await openReal(values, judged?.options);
  try {
    const start = performance.now();
    const watch = (side: string): ExtractOptions => ({ onProgress: reporter(side) });
    const work = { values, feature, inception, fake, real: real!, watch };
    const { result, counts } = await measure(metric, work);
    const report = {
      metric: nameOf(metric, feature),
      ...result,
      ...counts,
      feature,
      ...(real && { real: real.about }),
      fake: fake.about,
      weights: { file: inception.file, sha256: inception.sha256 },
      input: "299 px, bilinear, half-pixel centres, no antialiasing",
      device,
      seconds: Math.round((performance.now() - start) / 100) / 10,
    };
    for (const line of values.json ? [JSON.stringify(report)] : textOf(report)) print(line);
    for (const side of [real, fake]) tellBroken(side);
    return 0;
  } finally {
    await real?.close?.();
    await fake.close?.();
  }
}

/** Only the distance of 2048-dimensional features is FID. */
function nameOf(metric: Metric, feature: Feature): string {
  const plain = feature === "2048" || feature === "logits";
  return plain ? metric.toUpperCase() : `${metric.toUpperCase()}-${feature}`;
}

interface Work {
  readonly values: Values;
  readonly feature: Feature;
  readonly inception: LoadedInception;
  readonly fake: Side;
  readonly real: Side;
  readonly watch: (side: string) => ExtractOptions;
}

async function measure(metric: Metric, work: Work) {
  const { values, feature, inception, fake, real, watch } = work, { net } = inception;
  const seed = Number(values.seed ?? 0);
  const key = (side: Side) => ({
    folder: cacheFolder(values),
    name: side.name,
    hash: side.hash!,
    feature,
    weights: inception.sha256,
  });
  if (metric === "fid") {
    const a = real.statistics ?? await cachedStatistics(
      key(real),
      () => statisticsOf(net, real.set!, watch("real")),
    );
    const path = values.saveStats as string | undefined;
    if (path !== undefined) {
      const about = { ...real.about, feature, weights: inception.sha256 };
      await saveStatistics(path, { statistics: a, about });
    }
    const b = fake.statistics ?? await statisticsOf(net, fake.set!, watch("fake"));
    if (a.mean.length !== b.mean.length) {
      throw new EvalError(
        `eval: the statistics of ${a.mean.length} and ${b.mean.length} features cannot be compared; ` +
          `choose the --feature that the .npz was made with`,
      );
    }
    return {
      result: { value: frechetDistance(a, b) },
      counts: { n_real: a.count ?? null, n_fake: b.count ?? null, dimension: a.mean.length },
    };
  }
  for (const side of metric === "is" ? [fake] : [real, fake]) {
    if (!side.set) {
      throw new UsageError(`${metric} needs pictures, not the statistics of ${side.name}`);
    }
  }
  const b = await featuresOf(net, fake.set!, watch("fake"));
  if (metric === "is") {
    if (b.count < 10) throw new EvalError(`eval: ${b.count} pictures are too few for 10 splits`);
    const { value, deviation } = inceptionScore(b.values, b.dimension);
    return { result: { value, deviation, splits: 10 }, counts: { n_fake: b.count } };
  }
  const a = await cachedFeatures(key(real), () => featuresOf(net, real.set!, watch("real")));
  const counts = { n_real: a.count, n_fake: b.count };
  if (metric === "kid") {
    const subsets = Number(values.subsets ?? 100);
    return { result: await kid(a, b, { subsets, seed }), counts };
  }
  return { result: { ...await precisionRecall(a, b), k: 3 }, counts };
}

function tellBroken(side: Side | undefined): void {
  if (!side?.broken?.length) return;
  const [{ name, reason }] = side.broken;
  console.error(
    `gan: left out ${side.broken.length} broken pictures of ${side.name}, first ${name}: ${reason}`,
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

/** The report as lines: the number first, then what it is a number of. */
function textOf(report: Record<string, unknown>): string[] {
  const { metric, value, deviation, precision, n_real, n_fake, dimension, feature } = report;
  const digits = (x: unknown) => Number(x).toPrecision(6);
  const lines = precision === undefined
    ? [`${metric} ${digits(value)}${deviation === undefined ? "" : ` +- ${digits(deviation)}`}`]
    : ["precision", "recall", "density", "coverage"].map((name) =>
      `${name.padEnd(10)} ${digits(report[name])}  (${metric})`
    );
  const said = (about: unknown) =>
    Object.entries(about as Record<string, unknown>).map(([name, x]) =>
      `${name} ${name === "hash" || name === "weights" ? String(x).slice(0, 12) : x}`
    ).join(", ");
  const count = (n: unknown) => n === null ? "an unknown number of" : n;
  if (report.real) lines.push(`  real     ${count(n_real)} pictures: ${said(report.real)}`);
  lines.push(`  fake     ${count(n_fake)} pictures: ${said(report.fake)}`);
  const { file, sha256 } = report.weights as { file: string; sha256: string };
  lines.push(`  net      ${file}, SHA-256 ${sha256.slice(0, 12)}; feature ${feature}`);
  lines.push(`  input    ${report.input}`);
  lines.push(`  took     ${report.seconds} s on ${report.device}`);
  const fewest = Math.min(...[n_real, n_fake].map((n) => Number(n ?? Infinity)));
  if (dimension !== undefined && fewest <= Number(dimension)) {
    lines.push(
      `  note     ${fewest} pictures are fewer than ${
        Number(dimension) + 1
      }: the covariance is singular, ` +
        `and the distance larger than that of many pictures`,
    );
  }
  return lines;
}
