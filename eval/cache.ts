/**
 * What was found of a set of real pictures, kept by content, so that it is computed once.
 *
 * @module
 */
import { join } from "@std/path";
import { packHash } from "../data/pack.ts";
import { replaceFile } from "../data/replace_file.ts";
import { decodeSafetensors, encodeSafetensors } from "../nn/safetensors.ts";
import { loadStatistics, saveStatistics } from "./npz.ts";
import type { Features } from "./products.ts";
import type { Statistics } from "./statistics.ts";

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
}

// Raise when the same pictures and weights would give other features than before.
const VERSION = 1;

async function pathOf({ folder, name, hash, feature, weights }: CacheKey, ending: string) {
  const key = await packHash([`features ${VERSION}`, hash, feature, weights]);
  const plain = name.replace(/[^\p{L}\p{N}._-]+/gu, "_") || "pictures";
  return join(folder, `${plain}-${feature}-${key.slice(0, 16)}.${ending}`);
}

/** The statistics that are kept under `key`; else `make` makes them, and they are kept. */
export async function cachedStatistics(
  key: CacheKey,
  make: () => Promise<Statistics>,
): Promise<Statistics> {
  const path = await pathOf(key, "npz");
  // What cannot be read, or was cut short, is made anew.
  const known = await loadStatistics(path).catch(() => undefined);
  if (known) return known.statistics;
  const statistics = await make(), { folder: _, ...about } = key;
  await saveStatistics(path, { statistics, about });
  return statistics;
}

/** The same for the features of every picture. */
export async function cachedFeatures(
  key: CacheKey,
  make: () => Promise<Features>,
): Promise<Features> {
  const path = await pathOf(key, "safetensors");
  const known = await Deno.readFile(path).then((bytes) => decodeSafetensors(bytes, path))
    .catch(() => undefined);
  const entry = known?.entries.get("features");
  if (entry?.dtype === "F32" && entry.shape.length === 2) {
    const [count, dimension] = entry.shape;
    return { count, dimension, values: entry.data as Float32Array };
  }
  const made = await make(), shape = [made.count, made.dimension];
  const entries = new Map([["features", { dtype: "F32" as const, shape, data: made.values }]]);
  await replaceFile(path, encodeSafetensors(entries));
  return made;
}
