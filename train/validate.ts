import { augmentations } from "./augment.ts";
import { closest } from "./closest.ts";
import { losses } from "./losses.ts";
import type { TrainOptions } from "./options.ts";

/** What of these options does not go together, in one sentence; undefined if all is well. */
export function validate(options: TrainOptions): string | undefined {
  const uneven = validateMicroBatches(options, options.batch);
  if (uneven) return uneven;
  const { loss, labelSmoothing, beta1, beta2, ema, dropout, augment } = options;
  if (labelSmoothing < 1 && !losses[loss]?.hasLabels) {
    return `--label-smoothing needs a loss with targets (bce or lsgan), --loss ${loss} has none`;
  }
  for (const [name, value] of Object.entries({ beta1, beta2, ema })) {
    if (value >= 1) return `--${name} ${value} must be below 1: nothing new would ever count`;
  }
  if (dropout >= 1) return `--dropout ${dropout} must be below 1: nothing would be left`;
  const changes = changesOf(augment);
  const unknown = changes.find((name) => !augmentations.includes(name));
  if (unknown !== undefined) {
    const near = closest(unknown, augmentations),
      list = `some of ${augmentations.join(",")}, or none`;
    return `--augment ${augment}: there is no ${unknown || "empty change"}: ` +
      (near === undefined ? `choose ${list}` : `did you mean ${near}? Choose ${list}`);
  }
  if (options.adaTarget > 0 && loss !== "bce" && loss !== "hinge") {
    return `--ada-target needs logits that are positive for real images (bce or hinge): --loss ${loss} has ` +
      "others";
  }
  const twice = changes.find((name, i) => changes.indexOf(name) < i);
  if (twice !== undefined) return `--augment ${augment}: ${twice} is there twice: give it once`;
  return undefined;
}

/** Why a batch cannot be split as `accumulate` asks, in one sentence; undefined if it can. */
export function validateMicroBatches(
  { accumulate, minibatch }: TrainOptions,
  batch: number,
): string | undefined {
  const size = batch / accumulate, multiple = minibatch === "stddev" && size > 4 ? 4 : 1;
  if (accumulate === 1 || size >= 2 && size % multiple === 0) return undefined;
  return `--accumulate ${accumulate}: a batch of ${batch} images has no micro-batches of one size, ` +
    (multiple === 4 ? "a multiple of 4" : "of at least 2");
}

/** The names in a list such as `color,cutout`. */
export function changesOf(augment: string): string[] {
  return augment === "none" ? [] : augment.split(",").map((name) => name.trim());
}
