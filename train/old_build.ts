import type { TrainOptions } from "./options.ts";

/**
 * Whether version 0.1.0 trained a run with wrong gradients on software devices: it found plans of
 * products by an incomplete key, and plans of some sizes were taken for others. Its checkpoints name
 * no version.
 *
 * PGGAN met this in the gradients of 3x3 weights once it had levels beyond 16 pixels; SAGAN where
 * attentions of several sizes, or keys without pooling, or full values stood beside the other products.
 *
 * @param options Of the run.
 * @param metadata Of its checkpoint.
 */
export function trainedWrongly(
  { recipe, resolution, attention, attentionPool, attentionValues }: Pick<
    TrainOptions,
    "recipe" | "resolution" | "attention" | "attentionPool" | "attentionValues"
  >,
  metadata: Readonly<Record<string, string>>,
): boolean {
  if (metadata.version !== undefined) return false;
  if (recipe === "pggan") return resolution >= 32;
  const several = new Set(attention.split(",")).size > 1;
  return recipe === "sagan" && attention !== "none" &&
    (several || !attentionPool || attentionValues === "full");
}

/** What to tell of such a run. */
export const WRONGLY =
  "This checkpoint was made by version 0.1.0, whose gradients for these networks were wrong on " +
  "software devices (without a GPU): training goes on rightly from here, but the weights bear the " +
  "fault, and a new run is better";
