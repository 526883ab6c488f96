import type { Pictures } from "../data/pack.ts";
import type { Judge } from "./judge.ts";
import type { TrainOptions } from "./options.ts";
import type { Progress } from "./progress.ts";
import type { State } from "./state.ts";
import type { PhaseSpeed } from "./time_left.ts";

/** What the loop works with. */
export interface Training {
  readonly state: State;
  readonly options: TrainOptions;
  readonly pictures: Pictures;
  /** The run's folder. */
  readonly run: string;
  readonly progress: Progress;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
  /** Tells how good the generator is, now and then, if that is asked for. */
  readonly judge?: Judge | undefined;
  /** Finds the fastest way to compute a step that is new. */
  readonly tune?: ((step: () => void) => Promise<void>) | undefined;
  /** The phases of a growing run with their speeds, where these were measured. */
  readonly phases?: readonly PhaseSpeed[] | undefined;
}
