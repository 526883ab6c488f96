/**
 * Runs whose tensors exceed what the device can bind: how many micro-batches make them fit.
 *
 * @module
 */
import { TooLargeError } from "../gpu/errors.ts";
import { rehearsed, trim } from "../gpu/record.ts";
import { scoped } from "../tensor/tensor.ts";
import { TrainError } from "./errors.ts";
import { validate } from "./validate.ts";
import { freeState, grow, newState, type State } from "./state.ts";

/**
 * Makes a step.
 *
 * @throws {TrainError} If a tensor is too large for the device; it names the `--accumulate` that fits.
 */
export function stepThatFits<T>(state: State, step: (state: State) => T): T {
  try {
    return step(state);
  } catch (error) {
    if (!(error instanceof TooLargeError)) throw error;
    const n = fittingAccumulation(state, step);
    throw n === undefined
      ? error
      : new TrainError(`${error.message}; --accumulate ${n} fits this run`);
  }
}

/** The fewest micro-batches with which a step fits at every resolution that is left; undefined if none do. */
function fittingAccumulation(state: State, step: (state: State) => unknown): number | undefined {
  const { recipe, options, schedule: { phases }, stage } = state;
  const left = phases.filter(({ resolution }) => resolution >= stage.resolution);
  const numbers = Array.from({ length: options.batch }, (_, i) => i + 1)
    .map((accumulate) => ({ ...options, accumulate }))
    .filter((more) =>
      more.accumulate > options.accumulate && !(validate(more) ?? recipe.validate?.(more))
    );
  const own = newState(recipe, options);
  try {
    // What fits a phase, fits with more micro-batches, too.
    for (const phase of left) {
      own.images = phase.from;
      grow(own);
      while (numbers.length && !fits(() => void step({ ...own, options: numbers[0] }))) {
        numbers.shift();
      }
    }
    return numbers[0]?.accumulate;
  } finally {
    freeState(own);
    trim();
  }
}

function fits(step: () => void): boolean {
  try {
    rehearsed(() => scoped(step));
    return true;
  } catch (error) {
    if (error instanceof TooLargeError) return false;
    throw error;
  }
}
