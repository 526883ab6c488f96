import { EvalError } from "../errors.ts";
import { inceptionScore } from "../inception_score.ts";
import type { Asked, Metric, Result, Sides } from "./metric.ts";

const SPLITS = 10;

function measure({ fake }: Pick<Sides, "fake">, { like, names, ...asked }: Asked): Result {
  if (fake.count < SPLITS) {
    throw new EvalError(
      `eval: ${names.fake} holds ${fake.count} images, too few for ${SPLITS} splits`,
    );
  }
  const seed = like.shuffle === null ? null : asked.seed ?? like.shuffle;
  const { value, deviation } = inceptionScore(fake.values, fake.dimension, SPLITS, seed);
  const order = seed === null
    ? "of the files"
    : `shuffled by RandomState(${seed}), as torch-fidelity does`;
  return { value, deviation, splits: SPLITS, order };
}

/** The Inception Score. */
export const is: Metric = {
  name: "is",
  label: "IS",
  about: "Inception Score, without real images",
  source: "Salimans et al. 2016, https://arxiv.org/abs/1606.03498; as torch-fidelity",
  input: "logits",
  needs: [],
  numbers: { value: "more" },
  floor: false,
  measure,
};
