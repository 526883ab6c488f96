/**
 * What was found of a set of real images, kept by content, so that it is computed once.
 *
 * @module
 */
import { join } from "@std/path";
import { packHash } from "../../data/pack.ts";
import { isSound } from "../../io/checksum.ts";
import { replaceFile } from "../../io/replace_file.ts";
import { decodeSafetensors, encodeSafetensors } from "../../io/safetensors.ts";
import { loadStatistics, saveStatistics } from "./npz.ts";
import type { Features } from "../products.ts";
import type { Statistics } from "../statistics.ts";
import type { Stage } from "../input.ts";
import type { Survey } from "../survey.ts";

/** What the numbers depend on. */
export interface CacheKey {
  /** Folder of what is kept. */
  readonly folder: string;
  /** Name of the set. */
  readonly name: string;
  /** Hash of its content and of how it was prepared. */
  readonly hash: string;
  /** The feature's name. */
  readonly feature: string;
  /** SHA-256 of the weights. */
  readonly weights: string;
  /** How images become the network's input; bilinear by default. */
  readonly stage?: Stage;
}

// Raise when the same images and weights would give other features than before.
const VERSION = 3;

async function pathOf(key: CacheKey, ending: string, what: string[] = []) {
  const { folder, name, hash, feature, weights, stage = "bilinear" } = key;
  const lines = [`features ${VERSION}`, hash, feature, weights, stage, ...what];
  const plain = name.replace(/[^\p{L}\p{N}._-]+/gu, "_") || "images";
  return join(folder, `${plain}-${feature}-${(await packHash(lines)).slice(0, 16)}.${ending}`);
}

/**
 * The statistics that are kept under `key`; else `make` makes them, and they are kept.
 *
 * @param survey Of the images; filled here where they are not read again.
 */
export async function cachedStatistics(
  key: CacheKey,
  make: () => Promise<Statistics>,
  survey?: Survey,
): Promise<Statistics> {
  const path = await pathOf(key, "npz");
  // What cannot be read, or was cut short, is made anew.
  const known = await loadStatistics(path).catch(() => undefined);
  if (known?.about.hash === key.hash && known.statistics.count !== undefined) {
    if (survey) Object.assign(survey, known.about.survey);
    return known.statistics;
  }
  const statistics = await make(), { folder: _, ...about } = key;
  await saveStatistics(path, { statistics, about: { ...about, ...(survey && { survey }) } });
  return statistics;
}

/** The same for the features of every image. */
export async function cachedFeatures(
  key: CacheKey,
  make: () => Promise<Features>,
  survey?: Survey,
): Promise<Features> {
  const path = await pathOf(key, "safetensors");
  // Whatever is not as it was written is made anew.
  const known = await Deno.readFile(path)
    .then((bytes) => isSound(bytes) ? decodeSafetensors(bytes, path) : undefined)
    .catch(() => undefined);
  const entry = known?.entries.get("features");
  if (entry?.dtype === "F32" && entry.shape.length === 2) {
    if (survey) Object.assign(survey, JSON.parse(known!.metadata.survey ?? "{}"));
    const [count, dimension] = entry.shape;
    return { count, dimension, values: entry.data as Float32Array };
  }
  const made = await make(), shape = [made.count, made.dimension];
  const entries = new Map([["features", { dtype: "F32" as const, shape, data: made.values }]]);
  const metadata: Record<string, string> = survey ? { survey: JSON.stringify(survey) } : {};
  await replaceFile(path, encodeSafetensors(entries, metadata));
  return made;
}

/** A number that is kept under `key` by what it is of; undefined if there is none. */
export async function keptNumber(key: CacheKey, what: string): Promise<number | undefined> {
  const text = await Deno.readTextFile(await pathOf(key, "txt", [what])).catch(() => "");
  const [value] = text.split(" ", 1).map(Number);
  return text && Number.isFinite(value) ? value : undefined;
}

/** Keeps it. */
export async function keepNumber(key: CacheKey, what: string, value: number): Promise<void> {
  const bytes = new TextEncoder().encode(`${value} ${what}\n`);
  await replaceFile(await pathOf(key, "txt", [what]), bytes);
}
