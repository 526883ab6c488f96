import type { Dataset } from "../data/pack.ts";
import type { State } from "./state.ts";
import type { StepLosses } from "./step.ts";

/** What the loop works with. */
export interface Training {
  /** What is trained. */
  readonly state: State;
  /** As large as the state's resolution. */
  readonly dataset: Dataset;
  /** Is told how the run goes, and keeps what it leaves. */
  readonly observer?: Observer | undefined;
  /** Ends the run before its last image, when aborted. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Is given each kind of step before it is made, to find the fastest way to compute it; the step may be
   * run as often as it likes.
   */
  readonly tune?: ((step: () => void) => Promise<void>) | undefined;
}

/** Who is told how a run goes. Whatever is of no interest is left out. */
export interface Observer {
  /** Before the first step. */
  readonly begin?: () => Promise<void>;
  /** A stage of a growing run begins. */
  readonly stage?: () => void;
  /** The losses of a step, on the device: of use until this returns. */
  readonly losses?: (losses: StepLosses) => void;
  /** After each step; the next one waits for it. */
  readonly stepped?: (step: Stepped) => Promise<void>;
  /** After the last step. */
  readonly end?: () => Promise<void>;
}

/** What follows a step. */
export interface Stepped {
  /** Images shown before it. */
  readonly before: number;
  /** Whether no other step will follow. */
  readonly last: boolean;
  /** Gives the memory of steps back; to be called before anything large is computed. */
  readonly pause: () => void;
}
