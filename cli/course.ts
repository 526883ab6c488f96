import { trim } from "../gpu/record.ts";
import { reach } from "../train/growth.ts";
import { PHASE_HEAD, type PhasePlan, phaseRow, plan } from "../train/plan.ts";
import { duration } from "../train/duration.ts";
import type { Progress } from "../run/progress.ts";
import { freeState, newState, type State } from "../train/state.ts";

/** Tells the phases that are left of a growing run with the time each will take; returns all of them. */
export async function tellCourse(
  { recipe, options, schedule, images }: State,
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly PhasePlan[]> {
  const short = reach(schedule);
  if (short) progress.say(short);
  progress.say("Measuring the phases: shaders are compiled, so it takes a while the first time");
  const spoilt = newState(recipe, options);
  progress.say(PHASE_HEAD);
  const { phases, seconds } = await plan(spoilt, {
    signal,
    images,
    onPhase: (phase) => progress.say(phaseRow(phase)),
  });
  freeState(spoilt);
  trim();
  progress.say(`${duration(seconds)} in all`);
  return phases;
}
