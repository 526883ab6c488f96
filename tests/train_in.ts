import { train } from "../train/loop.ts";
import { type Reported, Reporter } from "../run/reporter.ts";

/** Trains as the command line does: with a run's folder. */
export async function trainIn(reported: Reported, signal?: AbortSignal): Promise<boolean> {
  using observer = new Reporter(reported);
  return await train({ state: reported.state, dataset: reported.dataset, observer, signal });
}
