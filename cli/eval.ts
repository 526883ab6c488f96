import { parseCrop, type Rectangle } from "../data/crop.ts";
import { conventionsOf, type Tool, TOOLS } from "../eval/conventions.ts";
import { printable } from "../eval/errors.ts";
import type { ExtractOptions, Feature } from "../eval/extract.ts";
import { STAGES } from "../eval/input.ts";
import type { Metric, Result } from "../eval/metrics/metric.ts";
import { labelOf, metricOf, METRICS } from "../eval/metrics/registry.ts";
import { loadNetwork } from "../eval/files/network.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { duration } from "../train/duration.ts";
import { Rate } from "../run/progress.ts";
import { VERSION } from "../train/version.ts";
import { UsageError } from "./errors.ts";
import { help, table } from "./eval_options.ts";
import { aboutOf, notesOf, textOf } from "./eval_report.ts";
import { tableOf } from "./eval_table.ts";
import { measure, measureRows, type Work } from "./measure.ts";
import { nearestSheet } from "./nearest_sheet.ts";
import { choose, parse, type Values } from "./options.ts";
import {
  evaluatedIn,
  openFakes,
  openGenerator,
  openHeldOut,
  openReal,
  type Side,
} from "./sides.ts";

/** `gan eval`. Returns the exit code. */
export async function evalCommand(args: string[], print: (line: string) => void): Promise<number> {
  const { values, rest } = parse(args, table);
  if (values.help) {
    print(help);
    return 0;
  }
  const { chosen, many } = chosenIn(rest);
  if (values.checkpoint !== undefined && values.fake !== undefined) {
    throw new UsageError("--checkpoint and --fake both name what to evaluate: give one");
  }
  const like = likeOf(many ? undefined : chosen[0], values);
  const { info: { name: device } } = await openGpu({ choice: values.device as string | undefined });
  const logits = chosen.length > 0 && chosen.every(({ input }) => input === "logits");
  const [own = "2048"] = chosen.every(({ of }) => of) ? chosen.map(({ of }) => of) : [];
  const feature = logits ? "logits" : String(values.feature ?? own) as Feature;
  if (feature === "face" && values.like !== undefined) {
    throw new UsageError(`--like ${values.like} follows a tool that has no --feature face`);
  }
  const part = faceCropOf(values, feature);
  const network = await loadNetwork(feature, values.weights as string | undefined);
  const evaluated = await evaluatedIn(values);
  const fake = evaluated ? await openGenerator(values, evaluated) : await openFakes(values, like);
  const compared = chosen.length === 0 || chosen.some(({ needs, floor }) => needs.length || floor);
  const real = compared ? await openReal(values, evaluated?.options, like) : undefined;
  const heldOut = await openHeldOut(values, evaluated?.options, like);
  const start = performance.now();
  const watch = (side: string): ExtractOptions => ({
    stage: like.stage,
    part,
    onProgress: reporter(side),
  });
  const work = { values, feature, network, fake, real, heldOut, like, part, watch };
  try {
    const found = chosen.length === 0
      ? await nearestSheet(work)
      : many
      ? { metrics: await measureRows(chosen, work) }
      : await single(chosen[0], work);
    const seconds = Math.round((performance.now() - start) / 100) / 10;
    const report = {
      ...found,
      ...circumstances(work),
      device,
      seconds,
      notes: notes(work, chosen, found),
    };
    const text = many ? tableOf(report) : textOf(report);
    const lines = values.json ? [JSON.stringify(report)] : text.map(printable);
    for (const line of lines) print(line);
    for (const side of [real, fake, heldOut]) tellBroken(side);
    return 0;
  } finally {
    for (const side of [real, fake, heldOut]) await side?.close?.();
  }
}

/** The part of images that the face network looks at. */
function faceCropOf({ faceCrop }: Values, feature: Feature): Rectangle | undefined {
  if (faceCrop === undefined) return undefined;
  if (feature !== "face") throw new UsageError("--face-crop is for faces: add --feature face");
  const part = parseCrop(String(faceCrop));
  if (typeof part !== "string") return part;
  throw new UsageError(`--face-crop ${faceCrop}: expected WxH+X+Y in pixels, such as 48x48+8+16`);
}

/** What is to be measured; none for the sheet of nearest images. */
function chosenIn(rest: readonly string[]): { chosen: readonly Metric[]; many: boolean } {
  const [text = ""] = rest;
  if (rest.length === 1 && text === "all") return { chosen: METRICS, many: true };
  if (rest.length === 1 && text === "nearest") return { chosen: [], many: false };
  const found = text.split(",").map(metricOf);
  if (rest.length === 1 && found.every((metric) => metric !== undefined)) {
    return { chosen: METRICS.filter((one) => found.includes(one)), many: found.length > 1 };
  }
  const names = ["all", ...METRICS.map(({ name }) => name), "nearest"];
  const wrong = text.split(",").find((name) => !names.includes(name));
  if (rest.length === 1 && wrong) {
    throw new UsageError(`There is no metric ${wrong}${choose(wrong, names)}`);
  }
  throw new UsageError(
    `Name one thing to measure: gan eval ${names.join("|")}` +
      (rest.length ? `, not ${rest.join(" ")}` : ""),
  );
}

async function single(metric: Metric, work: Work) {
  const { like, feature } = work, result = await measure(metric, work);
  return {
    metric: labelOf(metric, feature),
    ...result,
    like: like.metrics.includes(metric.name) ? like.tool : `${like.tool}, its input only`,
    source: metric.source,
  };
}

/** What numbers depend on. */
function circumstances({ feature, network, fake, real, heldOut, like, part, values }: Work) {
  const { file, sha256, prefix } = network;
  return {
    feature,
    ...(real && { real: aboutOf(real) }),
    fake: aboutOf(fake),
    ...(heldOut && { heldOut: aboutOf(heldOut) }),
    weights: { file, sha256, ...prefix && { prefix } },
    input: `${network.net.side} px${part ? ` of ${values.faceCrop}` : ""}, ${STAGES[like.stage]}`,
    program: `webgan ${VERSION}`,
  };
}

/** What moves the numbers more than quality does, said once. */
function notes(work: Work, chosen: readonly Metric[], found: Result): string[] {
  const { values, feature, like, real, fake } = work, named = values.like !== undefined;
  const rows = (found.metrics ?? [found]) as readonly Result[];
  const said = chosen.flatMap(({ name: metric }, i) =>
    "skipped" in rows[i]
      ? []
      : notesOf({ metric, feature, like, named, real, fake, result: rows[i] })
  );
  return [...new Set(said)];
}

/** The conventions to follow; with a metric, one that the tool has. */
function likeOf(metric: Metric | undefined, { like }: Values) {
  const conventions = conventionsOf((like ?? "pytorch-fid") as Tool);
  if (like !== undefined && metric && !conventions.metrics.includes(metric.name)) {
    const others = Object.entries(TOOLS).filter(([, { metrics }]) =>
      (metrics as readonly string[]).includes(metric.name)
    ).map(([name]) => name);
    throw new UsageError(
      `--like ${like}: it has no ${metric.name}; ` +
        (others.length ? `choose one of ${others.join(", ")}, or leave it out` : "leave it out"),
    );
  }
  return conventions;
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
