import { PHASE_HEAD, phaseRow, plan, planText } from "../train/plan.ts";
import { reach } from "../train/growth.ts";
import { savedOptions } from "../train/recipe.ts";
import type { State } from "../train/state.ts";
import type { Values } from "./options.ts";
import { lookAtData } from "./training_data.ts";

/** `gan train --dry-run`: what a run would be. Returns the exit code. */
export async function dryRun(
  state: State,
  values: Values,
  print: (line: string) => void,
): Promise<number> {
  const count = await lookAtData(state.options),
    options = savedOptions(state.recipe, state.options);
  if (values.json) {
    const images = count === undefined ? {} : { images: count };
    print(JSON.stringify({ options, ...images, ...await plan(state) }));
    return 0;
  }
  for (const [name, value] of Object.entries(options)) print(`${name.padEnd(20)}${value}`);
  print("");
  if (count !== undefined) print(`${options.data} holds ${count} images`);
  const short = reach(state.schedule);
  if (short) print(short);
  const grows = state.schedule.phases.length > 1;
  if (grows) print(PHASE_HEAD);
  const made = await plan(state, {
    onPhase: (phase) => grows && print(phaseRow(phase)),
  });
  if (grows) print("");
  for (const line of planText(made)) print(line);
  return 0;
}
