/** What `gan eval` says of a number: the report as lines, and notes on what moves it. */
import { type Conventions, shortName } from "../eval/conventions.ts";
import { sizesOf, type Survey } from "../eval/survey.ts";
import type { Feature } from "../eval/extract.ts";
import type { Result } from "../eval/metrics/metric.ts";
import type { Side } from "./sides.ts";

/** What is said of a side beside the number. */
export function aboutOf({ about, hash, survey }: Side): Record<string, unknown> {
  const sizes = survey ? sizesOf(survey) : [];
  const [width, height] = sizes.length === 1 ? sizes[0][0].split(" x ").map(Number) : [];
  return {
    ...about,
    ...(sizes.length && {
      ...(width && width === height && { resolution: width }),
      sizes: Object.fromEntries(sizes),
    }),
    ...(hash !== undefined && { hash }),
  };
}

/** The report as lines: the number first, then what it is a number of. */
export function textOf(report: Record<string, unknown>): string[] {
  const { metric, value, deviation, n_real, n_fake, feature } = report;
  const digits = (x: unknown) => Number(x).toPrecision(6);
  const shares = ["precision", "recall", "density", "coverage"].filter((name) => name in report);
  const lines = "sheet" in report
    ? [String(report.sheet)]
    : shares.length === 0
    ? [`${metric} ${digits(value)}${deviation === undefined ? "" : ` +- ${digits(deviation)}`}`]
    : shares.map((name) => `${name.padEnd(10)} ${digits(report[name])}  (${metric})`);
  if ("floor" in report) lines.push(`  floor    ${floorOf(report.floor as Floor, feature)}`);
  const count = (n: unknown) => n === null ? "an unknown number of" : n;
  if (report.real) lines.push(`  real     ${count(n_real)} images: ${said(report.real)}`);
  lines.push(`  fake     ${count(n_fake)} images: ${said(report.fake)}`);
  if (report.heldOut) lines.push(`  held out ${report.n_held_out} images: ${said(report.heldOut)}`);
  if (report.like) lines.push(`  like     ${report.like}${waysOf(report)}`);
  if (report.source) lines.push(`  source   ${report.source}`);
  return [...lines, ...circumstancesOf(report)];
}

/** The net, its input, the program and notes. */
export function circumstancesOf(report: Record<string, unknown>): string[] {
  const { file, sha256, prefix } = report.weights as Record<string, string>;
  const named = prefix ? `, names without their prefix ${prefix}` : "";
  return [
    `  net      ${file}, SHA-256 ${sha256.slice(0, 12)}${named}; feature ${report.feature}`,
    `  input    ${report.input}`,
    `  took     ${report.seconds} s on ${report.device}, ${report.program}`,
    ...(report.notes as string[]).map((note) => `  note     ${note}`),
  ];
}

/** What is said of a side, in a line. */
export function said(about: unknown): string {
  return Object.entries(about as Record<string, unknown>).map(([name, x]) => {
    if (name === "hash" || name === "weights") return `${name} ${String(x).slice(0, 12)}`;
    if (x && typeof x === "object") return `${name} ${listed(Object.entries(x))}`;
    return `${name} ${x}`;
  }).join(", ");
}

/** The first few with their counts. */
function listed(counts: readonly (readonly [name: string, count: unknown])[]): string {
  const shown = counts.slice(0, 3).map(([name, n]) => `${name} (${n})`).join(" ");
  return counts.length > 3 ? `${shown} and ${counts.length - 3} more` : shown;
}

type Floor = { value?: number; n: number; from: "data" | "faces"; [name: string]: unknown } | null;

function floorOf(floor: Floor, feature: unknown): string {
  if (!floor) {
    return `unknown: ${feature === "2048" ? "give" : "too few images; give"} twice as many real ` +
      `images as fakes to have it measured`;
  }
  const { value, n, from, ...numbers } = floor;
  if (value === undefined) {
    const each = Object.entries(numbers).map(([name, x]) => `${name} ${Number(x).toPrecision(4)}`);
    return `${each.join(", ")}: these real images against each other, ${n} per side`;
  }
  return from === "data"
    ? `${value.toPrecision(4)}: these real images against each other, ${n} per side`
    : `about ${value.toPrecision(2)} at ${n} images per side, for faces; give ${
      2 * n
    } real images ` +
      `to have it measured`;
}

/** Seeds, subsets and neighbours. */
export function waysOf({ splits, order, subsets, size, draws, ...more }: Record<string, unknown>) {
  const { k, density_k, directions, points, cells } = more;
  if (splits !== undefined) return `; ${splits} splits, order ${order}`;
  if (subsets !== undefined) return `; ${subsets} subsets of ${size} by ${draws}`;
  if (directions !== undefined) return `; ${directions} directions by ${draws}`;
  if (points !== undefined) return `; ${points} sizes of ${more.extrapolated} by ${draws}`;
  if (cells !== undefined) return `; ${cells} cells by ${draws}`;
  if (k === undefined) return "";
  return `; k = ${k}${density_k === undefined ? "" : `, of density and coverage ${density_k}`}`;
}

/** What notes are written of. */
export interface Noted {
  readonly metric: string;
  readonly feature: Feature;
  readonly like: Conventions;
  /** Whether the tool was named by the user. */
  readonly named: boolean;
  readonly real?: Side | undefined;
  readonly fake: Side;
  readonly result: Result;
}

/**
 * What may move the number more than the images' quality does, with the size of the effect as it was
 * measured (FID-768 at 120 images per side, where the floor is 0.5).
 */
export function notesOf(noted: Noted): string[] {
  const { real, fake, like, named, feature, metric } = noted;
  const sides = real ? [real, fake] : [fake];
  const notes = sides.flatMap((side) => [...side.notes ?? [], ...notesOfSide(side, like)]);
  if (real) notes.push(...notesOfBoth(real, fake));
  if (metric === "fid") notes.push(...notesOfCounts(noted));
  if (metric === "fid" && (feature === "64" || feature === "192")) {
    notes.push(
      `FID-${feature} depends on resizing more than on quality: bicubic instead of bilinear moves ` +
        `FID-192 by 2 to 5 times its floor; compare it with numbers of the same input only`,
    );
  }
  const own = like.notes?.[metric];
  if (named && own) notes.push(own);
  return notes;
}

function notesOfSide({ name, survey }: Side, like: Conventions): string[] {
  if (!survey) return [];
  const tool = shortName(like);
  const notes: string[] = [], sizes = sizesOf(survey);
  if (sizes.length > 1) {
    notes.push(
      `${name} has images of ${sizes.length} sizes, ${listed(sizes)}: ${EFFECT.sizes}`,
    );
  }
  if (survey.alpha) {
    notes.push(
      `alpha in ${survey.alpha} of ${name}'s images is dropped, as ${tool} does, and hidden colours ` +
        `show; lay them on a background first to evaluate what is seen`,
    );
  }
  if (survey.sixteenBits) {
    notes.push(
      `16 bits in ${survey.sixteenBits} of ${name}'s images are read as ${tool} does: grey levels ` +
        `above 255 become white, of colours the high byte is taken; convert them to 8 bits first`,
    );
  }
  return notes;
}

/** Sizes of effects; see the function above for how they were measured. */
const EFFECT = {
  // Faces of 89 pixels made 64, churches of 128 made 64 and 32; one in ten moves it by 8% of that.
  sizes:
    "64 pixels instead of 89 alone move FID-768 by 0.1, half the size by 0.3, a quarter by 1, " +
    "and one such image in ten by a tenth of it",
  jpeg: "JPEG artefacts alone move FID-768 by 0.04 (quality 95) to 0.16 (quality 75)",
  crop: "to squash instead of to crop moves FID-768 by about 0.2",
} as const;

function notesOfBoth(real: Side, fake: Side): string[] {
  const notes: string[] = [], a = real.survey, b = fake.survey;
  for (const [side, other] of [[real, fake], [fake, real]]) {
    if (side.survey || !other.survey) continue;
    const stretched = sizesOf(other.survey).find(([size]) => !isSquare(size));
    if (!stretched) continue;
    notes.push(
      `${other.name} has images of ${
        stretched[0]
      }, which are squashed: if ${side.name} was made of ` +
        `cropped ones, give --crop or --fake-crop center; ${EFFECT.crop}`,
    );
  }
  if (!a || !b) return notes;
  const [[sizeA] = [""]] = sizesOf(a), [[sizeB] = [""]] = sizesOf(b);
  if (sizeA && sizeB && sizeA !== sizeB) {
    notes.push(
      `real images are ${sizeA}, fakes ${sizeB}: ${EFFECT.sizes}; bring both to one size with ` +
        `--resolution`,
    );
  }
  if (isJpeg(a) !== isJpeg(b)) {
    const [which, other] = isJpeg(a) ? ["real images", "fakes"] : ["fakes", "real images"];
    notes.push(`${which} are JPEG, ${other} are not: ${EFFECT.jpeg}`);
  }
  return notes;
}

function isSquare(size: string): boolean {
  const [width, height] = size.split(" x ");
  return width === height;
}

/** Whether most of the images are JPEG. */
function isJpeg({ jpeg, sizes }: Survey): boolean {
  return 2 * jpeg > Object.values(sizes).reduce((n, count) => n + count, 0);
}

function notesOfCounts({ result: { n_real, n_fake, dimension } }: Noted): string[] {
  const fewest = Math.min(...[n_real, n_fake].map((n) => Number(n ?? Infinity)));
  if (fewest > Number(dimension)) return [];
  return [
    `${fewest} images are fewer than ${Number(dimension) + 1}: the covariance is singular, ` +
    `and the distance larger than that of many images`,
  ];
}
