import type { Stage } from "../../models/stage.ts";
import type { Shape } from "../../tensor/tensor.ts";
import type { TrainOptions } from "../../train/options.ts";

/** What the page holds beside weights. */
export interface PageData {
  readonly options: TrainOptions;
  readonly stage: Stage;
  /** Names and shapes of G's tensors, in the order of their numbers. */
  readonly tensors: readonly (readonly [name: string, shape: Shape])[];
}
