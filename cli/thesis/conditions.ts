/**
 * What a reader needs to make the experiments again.
 *
 * @module
 */
import { basename } from "@std/path";
import { markIn } from "../../train/data_mark.ts";
import { kebab } from "../options.ts";
import { type Finding, finished } from "./findings.ts";
import type { Block } from "./page.ts";
import type { Scale } from "./plan.ts";
import type { Made } from "./runs.ts";

/** The command, and under what conditions it ran. */
export function conditions(findings: readonly Finding[], scale: Scale): Block[] {
  const tried = findings.flatMap(({ tried }) => tried);
  const runs = [...new Set(tried.flatMap(finished))];
  const wanted = scale.seeds * new Set(tried.map(({ key }) => key)).size;
  const rows = [
    ["runs finished", `${runs.length} of ${wanted}`],
    [
      "images shown to a run",
      scale.kimg === undefined ? "as in the presets" : `${1000 * scale.kimg}`,
    ],
    [
      "size of images",
      scale.resolution === undefined ? "as in the thesis" : `${scale.resolution} pixels`,
    ],
    ["steps of G", steps(scale)],
    ["batch", scale.batch === undefined ? "as in the presets" : `${scale.batch}`],
    ["channels", channels(scale)],
    ["evaluation", evaluation(scale)],
    ["data", `${basename(scale.data ?? "built-in emoji")}: ${list(runs, dataOf)}`],
    ["device", list(runs, deviceOf)],
    ["program", list(runs, ({ metadata }) => metadata.version && `version ${metadata.version}`)],
    ["dates", dates(runs)],
  ];
  return [
    { kind: "heading", level: 2, text: "Conditions" },
    { kind: "code", text: `gan thesis all ${words(scale)}` },
    { kind: "table", head: ["what", "value"], rows },
    {
      kind: "text",
      text:
        "The thesis does not state batch, channels, latent size, crop, the place of attention " +
        "and the number of images for FID: these are ours. All else is the preset `thesis` of each " +
        "system. *Rise of G's loss* is its mean over the last quarter of the images less that over " +
        "the second quarter. *Diversity* is the mean distance between pixels of two fakes over that " +
        "of two real images. *Minutes at its fastest* are what all images of a run would take at its " +
        "fastest pace, since other work ran beside it. A mean is followed by the standard deviation and by each seed's value.",
    },
  ];
}

function steps({ kimg, batch }: Scale): string {
  if (kimg === undefined || batch === undefined) return "as in the presets";
  return `${Math.ceil(1000 * kimg / batch)}; what the thesis says is about longer training`;
}

function channels({ width }: Scale): string {
  if (width === undefined) return "as in the presets";
  return `--ngf ${width} --ndf ${width}; PGGAN --fmap-base ${64 * width} --fmap-max ${4 * width}`;
}

function evaluation({ samples, feature }: Scale): string {
  if (samples === 0) return "none";
  const name = feature === "2048" ? "FID" : `FID-${feature}`, few = samples < 10_000;
  return `${name} at the end, of ${samples} generated images and at most ${5 * samples} real ones` +
    (few ? "; from so few every value is too high, alike for all variants" : "");
}

function dataOf({ metadata }: Made): string | undefined {
  const mark = markIn(metadata);
  return mark && `${mark.count} images, hash \`${mark.hash}\``;
}

function deviceOf({ metadata }: Made): string | undefined {
  try {
    return JSON.parse(metadata.device ?? "{}").name;
  } catch {
    return undefined;
  }
}

/** Each value once. */
function list(runs: readonly Made[], of: (run: Made) => string | undefined): string {
  return [...new Set(runs.map(of).filter(Boolean))].join("; ") || "unknown";
}

function dates(runs: readonly Made[]): string {
  const days = runs.flatMap(({ stats }) => stats.map(({ time }) => time))
    .filter((time) => typeof time === "number")
    .map((time) => new Date(1000 * time).toISOString().slice(0, 10)).sort();
  if (days.length === 0) return "unknown";
  return days[0] === days.at(-1) ? days[0] : `${days[0]} to ${days.at(-1)}`;
}

/** The scale as options; of paths only the names, as they lie elsewhere for others. */
function words(scale: Scale): string {
  const paths = ["data", "weights"];
  return Object.entries(scale).filter(([, value]) => value !== undefined).map(([name, value]) =>
    `--${kebab(name)} ${paths.includes(name) ? basename(String(value)) : value}`
  ).join(" ");
}
