/**
 * `gan data`: what a data set is, before it is trained on.
 *
 * @module
 */
import { join } from "@std/path";
import { withClasses } from "../data/classes.ts";
import { DataError } from "../data/errors.ts";
import { describe, type Description } from "../data/describe.ts";
import { grid } from "../data/grid.ts";
import { listed } from "../data/listing.ts";
import { openPath } from "../data/open.ts";
import { noImage, packOf, preparation } from "../data/dataset.ts";
import { type Channels, imageChannels } from "../data/image.ts";
import { savePng } from "../data/png.ts";
import type { Resize } from "../data/resample.ts";
import type { Source } from "../data/source.ts";
import { duration } from "../train/duration.ts";
import { UsageError } from "./errors.ts";
import { interruptible } from "./interrupt.ts";
import { common, type Option, optionLines, parse, type Values } from "./options.ts";
import { readable } from "./sizes.ts";
import { trainOptions } from "./train_options.ts";

const LIKE_TRAIN = ["classes", "crop", "resize", "channels", "resolution"];

export const table: readonly Option[] = [
  ...trainOptions.filter(({ name }) => LIKE_TRAIN.includes(name)),
  { name: "sheet", kind: "text", help: "write a PNG of 64 of the images, as prepared" },
  { name: "out", kind: "text", help: "folder of runs, which holds the cache" },
  ...common.filter(({ name }) => name !== "device"),
];

const help = [
  "Shows what a data set is: a folder, or a zip, tar, LMDB, Parquet, NumPy, MNIST or CIFAR file.",
  "",
  "  gan data faces.zip                                 counts, sizes, classes, duplicates",
  "  gan data celeba.zip --crop 148x148+15+35 --sheet sheet.png",
  "",
  "Every image is read, 64 are decoded. Options [default]:",
  ...optionLines(table, {
    resolution: 64,
    crop: "center",
    resize: "area",
    channels: "rgb",
    out: "runs",
  }),
].join("\n");

/** The images when they are prepared. */
interface Cache {
  path: string;
  /** Whether they are there already. */
  ready: boolean;
  bytes: number;
}

async function cacheOf(source: Source, values: Values, resolution: number): Promise<Cache> {
  const { path } = await packOf(source, {
    ...chosen(values),
    resolution,
    cache: join(String(values.out ?? "runs"), ".cache"),
  });
  const C = imageChannels(chosen(values));
  const ready = await Deno.stat(`${path}.json`).then(() => true, () => false);
  return { path, ready, bytes: C * source.names.length * resolution ** 2 };
}

function chosen({ crop, resize, channels }: Values) {
  return {
    ...(channels !== undefined && { channels: String(channels) as Channels }),
    ...(crop !== undefined && { crop: String(crop) }),
    ...(resize !== undefined && { resize: String(resize) as Resize }),
  };
}

/** `gan data`. Returns the exit code. */
export async function dataCommand(args: string[], print: (line: string) => void): Promise<number> {
  const { values, rest } = parse(args, table);
  if (values.help) {
    print(help);
    return 0;
  }
  if (rest.length !== 1) throw new UsageError("gan data FILE: name one folder or file of images");
  const [path] = rest, resolution = Number(values.resolution ?? 64);
  const to = preparation(chosen(values), resolution);
  const { progress, signal, release } = interruptible(Boolean(values.json));
  try {
    const opened = await openPath(path, signal, join(String(values.out ?? "runs"), ".cache"));
    const source = withClasses(opened, values.classes as string | undefined);
    try {
      await source.list?.();
      if (source.names.length === 0) throw noImage(path, source);
      let told = performance.now();
      const found = await describe(source, to, signal, (done, total) => {
        if (performance.now() - told < 2000) return;
        told = performance.now();
        progress.say(`Looking at images: ${done} of ${total}`);
      });
      const cache = await cacheOf(source, values, resolution);
      progress.finish();
      const { sample: _, ...about } = found, notes = source.notes ?? [];
      if (values.json) print(JSON.stringify({ data: path, ...about, cache, notes }));
      else for (const line of linesOf(path, found, cache, notes, resolution)) print(line);
      if (values.sheet !== undefined) await writeSheet(String(values.sheet), found, resolution);
      return 0;
    } finally {
      await source.close();
    }
  } finally {
    release();
  }
}

async function writeSheet(path: string, { sample }: Description, R: number): Promise<void> {
  if (sample.length === 0) {
    throw new DataError("data: no image can be used for the sheet; check --crop");
  }
  const pixels = new Uint8Array(sample.length * sample[0].length);
  sample.forEach((image, i) => pixels.set(image, i * image.length));
  await savePng(path, grid(pixels, sample.length, R));
}

const SHOWN = 8;

/** The most frequent ones first, each with its count. */
function most(counts: Readonly<Record<string, number>>): string {
  const all = Object.entries(counts).sort(([, a], [, b]) => b - a);
  const rest = all.slice(SHOWN).reduce((sum, [, count]) => sum + count, 0);
  const shown = all.slice(0, SHOWN).map(([name, count]) => `${count} ${name}`);
  if (rest > 0) shown.push(`${rest} of ${all.length - SHOWN} others`);
  return shown.join(", ") || "none";
}

/** Sizes as bars, the most frequent first. */
function histogram(sizes: Readonly<Record<string, number>>): string[] {
  const all = Object.entries(sizes).sort(([, a], [, b]) => b - a), [, top] = all[0] ?? ["", 1];
  const width = Math.max(...all.slice(0, SHOWN).map(([size]) => size.length));
  const lines = all.slice(0, SHOWN).map(([size, count]) =>
    `  ${size.padEnd(width)}  ${"#".repeat(Math.ceil(30 * count / top))} ${count}`
  );
  if (all.length > SHOWN) lines.push(`  and ${all.length - SHOWN} other sizes`);
  return lines;
}

function linesOf(
  path: string,
  { container, count, kinds, sizes, channels, classes, ...found }: Description,
  cache: Cache,
  notes: readonly string[],
  R: number,
): string[] {
  const { duplicates, damaged, prepared: { leftOut, enlarged, squashed, seconds } } = found;
  const line = (name: string, text: string) => `${name.padEnd(11)}${text}`;
  const copies = listed(duplicates.map(({ name, of }) => `${name} of ${of}`));
  const reasons = listed(damaged.map(({ name, reason }) => `${name}: ${reason}`));
  const made = [
    enlarged > 0 ? `${enlarged} are enlarged` : "none is enlarged",
    ...(squashed > 0 ? [`${squashed} are squashed to a square`] : []),
    ...(leftOut > 0 ? [`${leftOut} are left out, by --crop or GAN_MAX_PIXELS`] : []),
  ];
  const time = cache.ready
    ? "there already"
    : `not made yet; takes about ${duration(Math.ceil(seconds))} of one core`;
  return [
    `${path}: ${container}, ${count} images`,
    line("kinds", most(kinds)),
    line("channels", most(channels)),
    line("classes", classes ? `${Object.keys(classes).length}: ${most(classes)}` : "none"),
    line("duplicates", duplicates.length ? `${duplicates.length}: ${copies}` : "none"),
    line("damaged", damaged.length ? `${damaged.length}: ${reasons}` : "none"),
    line(`at ${R} px`, made.join(", ")),
    line("cache", `${cache.path}, ${readable(cache.bytes)}, ${time}`),
    "sizes",
    ...histogram(sizes),
    ...notes,
  ];
}
