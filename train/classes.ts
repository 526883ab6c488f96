/**
 * Classes of images in conditional training: how G and D are told of them.
 *
 * @module
 */
import type { Dataset } from "../data/pack.ts";
import { classesOf, type Selection } from "../data/sampler.ts";
import { concat } from "../kernels/slice.ts";
import { affine, scale } from "../kernels/elementwise.ts";
import { fromBytes } from "../kernels/bytes.ts";
import type { Live } from "../gpu/record.ts";
import { now } from "../gpu/record.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { TrainError } from "./errors.ts";
import type { TrainOptions } from "./options.ts";

/** The options that tell of classes. */
export type ClassOptions = Partial<Pick<TrainOptions, "conditional" | "classes">>;

/** Names of the classes that the networks are told of; none if training is not conditional. */
export function classesIn({ conditional, classes }: ClassOptions): string[] {
  return conditional && classes ? classes.split(",").map((name) => name.trim()) : [];
}

/** How many images of a data set are of each class; undefined if it has none. */
export function perClass({ labels }: Pick<Dataset, "labels">): number[] | undefined {
  if (!labels) return undefined;
  const counts = labels.classes.map(() => 0);
  for (const number of labels.of) counts[number]++;
  return counts;
}

/** The classes of a batch for networks that are told of `names`, `[N, C]`; undefined if of none. */
export function classesOfBatch(
  dataset: Dataset,
  names: readonly string[],
  chosen: () => Selection,
  N: number,
): Tensor | undefined {
  if (names.length === 0) return undefined;
  const { labels } = dataset;
  if (labels?.classes.join() !== names.join()) {
    throw new TrainError(
      `train: ${dataset.name} has ${labels ? `the classes ${labels.classes}` : "no classes"}, ` +
        `expected ${names}`,
    );
  }
  return oneHot(() => classesOf(dataset, chosen())!, N, names.length);
}

/** Length of what G is given: random numbers, and one for each class. */
export function latentLength(options: ClassOptions & Pick<TrainOptions, "nz">): number {
  return options.nz + classesIn(options).length;
}

/** Class numbers as rows with a 1 in the column of the class and 0 elsewhere, `[n, C]`. */
export function oneHot(numbers: Live<Uint16Array>, n: number, C: number): Tensor {
  const bytes = () => {
    const rows = new Uint8Array(n * C), given = now(numbers);
    for (let i = 0; i < n; i++) rows[i * C + given[i]] = 255;
    return rows;
  };
  return affine(fromBytes(bytes, [n, C]), 0.5, 0.5);
}

/**
 * Latents that tell a class: random numbers `[N, nz]` beside `classes` `[N, C]`, which are scaled to the
 * length that the former have on average, so that they count as much. The first layer's weights of a
 * class are its embedding.
 */
export function withClasses(z: Tensor, classes: Tensor): Tensor {
  return concat([z, scale(classes, Math.sqrt(z.shape[1]))], 1);
}

/**
 * The class of each of `count` images: in the order of the classes, each as often as its share asks.
 *
 * @param shares Of the classes; they need not sum to 1.
 */
export function spread(count: number, shares: readonly number[]): (i: number) => number {
  let sum = 0;
  const ends = shares.map((share) => sum += share);
  return (i) => {
    const at = (i % count + 0.5) / count * sum, found = ends.findIndex((end) => at < end);
    return found < 0 ? shares.length - 1 : found;
  };
}
