/**
 * Notices a run that has broken down, so that none ends as if all were well.
 *
 * @module
 */
import { BreakdownError } from "./errors.ts";
import { adviceFor } from "./guard.ts";
import type { LossMeans } from "./ledger.ts";
import type { State } from "./state.ts";

const LEAST_SCALE = 2 ** -10; // of a loss; it begins at 2^16 and halves with each step left out

/** Means of losses beyond this say that a run has diverged: those of running ones stay below 1e4. */
export const MOST_LOSS = 1e6;

/**
 * Throws if the losses tell that the run has broken down.
 *
 * @throws {BreakdownError} If one is NaN or infinite, or that of a network is beyond {@linkcode MOST_LOSS}.
 */
export function refuseBreakdown(state: State, means: LossMeans): void {
  const { dReal, dFake, g } = means;
  if (!Object.values(means).every(Number.isFinite)) {
    throw new BreakdownError(
      `Training broke down near image ${state.images}: a loss is NaN or infinite; ${
        adviceFor(state)
      }`,
    );
  }
  if (Math.max(...[dReal, dFake, g].map(Math.abs)) <= MOST_LOSS) return;
  const losses = { "D's on real images": dReal, "D's on fakes": dFake, "G's": g };
  const told = Object.entries(losses).map(([name, x]) => `${name} is ${x.toPrecision(3)}`);
  throw new BreakdownError(
    `Training diverged near image ${state.images}: of the losses ${told.join(", ")}; ${
      adviceFor(state)
    }`,
  );
}

/**
 * The loss scales of both networks, where there are any.
 *
 * @throws {BreakdownError} If one has come down to where not the scale is why gradients are not finite: no
 * step is made any more.
 */
export async function lossScales({ optG, optD, images }: State): Promise<Record<string, number>> {
  const scales: Record<string, number> = {};
  for (const [net, { options: { scaler } }] of [["G", optG], ["D", optD]] as const) {
    if (!scaler) continue;
    const { scale } = await scaler.read();
    scales[`scale/${net}`] = scale;
    if (scale >= LEAST_SCALE) continue;
    throw new BreakdownError(
      `Training stands still near image ${images}: gradients of ${net} are not finite in f16, ` +
        `however small the loss is made; go back to an earlier checkpoint with --resume, or start ` +
        `again with --precision f32`,
    );
  }
  return scales;
}
