import type { Broken, Dataset } from "../data/pack.ts";
import { chosenFrom, withClasses } from "../data/classes.ts";
import { chosenEmoji } from "../data/emoji_classes.ts";
import { openPath } from "../data/open.ts";
import { noImage, openDataset, preparation } from "../data/dataset.ts";
import { type Channels, imageChannels } from "../data/image.ts";
import { Memory } from "../data/known.ts";
import { prepare } from "../data/prepare.ts";
import { noneUsable } from "../data/prepare_all.ts";
import type { Resize } from "../data/resample.ts";
import { naming } from "../io/write_atomically.ts";
import type { TrainOptions } from "../train/options.ts";
import { UsageError } from "./errors.ts";
import type { Progress } from "../run/progress.ts";

const NAMED = 20; // images that were left out
const LARGE = 2 ** 28; // bytes of a cache that is told of before it is made
const LOOKED_AT = 8; // images of which a dry run wants one to be sound

const MOST_CLASSES = 1000; // that networks are told of

/**
 * The names of all classes among the options of a new run whose networks are told of them: as many
 * as there are, the networks have more inputs and outputs.
 *
 * @throws {UsageError} If the images have none.
 */
export async function withNames<T extends { readonly options: TrainOptions }>(
  run: T,
  cache: string,
): Promise<T> {
  const { options } = run, { data, classes } = options;
  if (!options.conditional) return run;
  const names = data ? await classesIn(data, classes, cache) : chosenEmoji(classes);
  if (names.length < 2 || names.length > MOST_CLASSES) {
    throw new UsageError(
      `--conditional needs images of 2 to ${MOST_CLASSES} classes, in a folder each or with labels: ` +
        `${data || "emoji"} has ${names.length || "none"}`,
    );
  }
  const odd = names.find((name) => name.includes(","));
  if (odd) {
    throw new UsageError(`--conditional: the class "${odd}" has a comma in its name: rename it`);
  }
  return { ...run, options: { ...options, classes: names.join(",") } };
}

async function classesIn(
  data: string,
  classes: string,
  cache: string,
): Promise<readonly string[]> {
  const memory = await Memory.of(data, cache), { known } = memory;
  let all = known?.classes, name = known?.name;
  if (!all) {
    const source = await openPath(data);
    all = source.labels?.classes ?? [];
    name = source.name;
    await source.close();
    await memory.keep(source, source.labels);
  }
  const chosen = classes &&
    chosenFrom(name!, all.length > 0 ? { classes: all } : undefined, classes);
  return chosen ? chosen.map((number) => all[number]) : all;
}

/** Opens the images that a run is trained on; tells how far it is, and which are left out. */
export async function openTraining(
  options: TrainOptions,
  cache: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<Dataset> {
  const { data, classes, resolution, crop, resize, channels } = options;
  let told = performance.now(), first = true;
  const dataset = await naming(cache, () =>
    openDataset({
      ...(data && { data }),
      ...(classes && { classes }),
      resolution,
      crop,
      resize: resize as Resize,
      channels: channels as Channels,
      cache,
      signal,
      onProgress: (done, total) => {
        const large = first && sizeNote(total, resolution, cache, imageChannels(options));
        if (large) progress.say(large);
        first = false;
        if (performance.now() - told < 2000) return;
        told = performance.now();
        progress.say(`Reading images: ${done} of ${total}`);
      },
    }));
  const { broken } = dataset, rest = broken.length - NAMED;
  if (broken.length) {
    progress.say(`Left out ${broken.length} image${broken.length > 1 ? "s" : ""}:`);
  }
  for (const { name, reason } of broken.slice(0, NAMED)) progress.say(`  ${name}: ${reason}`);
  if (rest > 0) progress.say(`  and ${rest} more`);
  for (const note of dataset.notes ?? []) progress.say(note);
  if (classes && dataset.labels) {
    const of = options.conditional ? ", in this order from the top of a grid to its end" : "";
    progress.say(`Classes${of}: ${dataset.labels.classes.join(", ")}`);
  }
  return dataset;
}

/** What is told of images that take much room; undefined of others. */
export function sizeNote(
  count: number,
  resolution: number,
  cache: string,
  channels = 3,
): string | undefined {
  const bytes = channels * count * resolution ** 2;
  if (bytes <= LARGE) return undefined;
  return `${count} images of ${resolution} px take ${(bytes / 2 ** 30).toFixed(1)} GiB in memory ` +
    `and in ${cache}`;
}

/**
 * Looks at the images of a run without writing anything: lists them, and opens the first that is sound.
 *
 * @returns How many there are; undefined for the built-in ones.
 * @throws {DataError} As the run would.
 */
export async function lookAtData(options: TrainOptions): Promise<number | undefined> {
  const { data, classes, resolution, crop, resize, channels } = options;
  if (!data) return undefined;
  const source = withClasses(await openPath(data), classes);
  try {
    await source.list?.();
    const { names } = source, broken: Broken[] = [];
    if (names.length === 0) throw noImage(data, source);
    const how = { crop, resize: resize as Resize, channels: channels as Channels };
    const to = preparation(how, resolution);
    for (const [i, name] of names.slice(0, LOOKED_AT).entries()) {
      try {
        prepare(await source.read(i), to);
        return names.length;
      } catch (error) {
        broken.push({ name, reason: (error as Error).message });
      }
    }
    throw noneUsable(data, broken, names.length);
  } finally {
    await source.close();
  }
}
