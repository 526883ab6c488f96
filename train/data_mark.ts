/**
 * Which images a run was trained on, as its checkpoints have it.
 *
 * @module
 */
import type { Dataset } from "../data/pack.ts";
import { perClass } from "./classes.ts";

/** What tells sets of images apart. */
export interface DataMark {
  /** Of content and preparation. */
  readonly hash: string;
  /** Number of images. */
  readonly count: number;
  /** How many are of each class, where there are classes. */
  readonly perClass?: readonly number[];
}

/** That of a data set. */
export function markOf({ hash, count, labels }: Dataset): DataMark {
  return { hash, count, ...labels && { perClass: perClass({ labels })! } };
}

/** The images that a checkpoint's run was trained on; undefined where it does not tell. */
export function markIn({ data }: Readonly<Record<string, string>>): DataMark | undefined {
  try {
    const { hash, count, perClass } = JSON.parse(data ?? "{}");
    if (typeof hash !== "string" || typeof count !== "number") return undefined;
    return { hash, count, ...Array.isArray(perClass) && { perClass: perClass.map(Number) } };
  } catch {
    return undefined;
  }
}
