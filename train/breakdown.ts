/**
 * Notices a run that has broken down, so that none ends as if all were well.
 *
 * @module
 */
import { BreakdownError } from "./errors.ts";
import { adviceFor } from "./guard.ts";
import type { LossMeans } from "./ledger.ts";
import type { State } from "./state.ts";

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

/** The loss scales of both networks, where there are any. */
export async function lossScales({ optG, optD }: State): Promise<Record<string, number>> {
  const scales: Record<string, number> = {};
  for (const [net, { options: { scaler } }] of [["G", optG], ["D", optD]] as const) {
    if (scaler) scales[`scale/${net}`] = (await scaler.read()).scale;
  }
  return scales;
}
