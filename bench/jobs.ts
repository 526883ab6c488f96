/** What the benchmark times, by name. */
import type { Precision } from "../kernels/precision.ts";
import type { Job } from "./job.ts";
import { singleJobs } from "./single.ts";
import { others, trainingJob, trainingNames } from "./trainings.ts";

/** Names of the jobs that are run only when they are named. */
export const onRequest: readonly string[] = [...Object.keys(others), "matmul-4096"];

/**
 * Every job by name; made when asked for, since each takes memory.
 *
 * @param precision Of products, convolutions and steps.
 */
export function jobs(batch: number, precision: Precision = "f32"): Record<string, () => Job> {
  return {
    ...singleJobs(batch, precision),
    ...Object.fromEntries(
      trainingNames.map((name) => [name, () => trainingJob(name, batch, precision)]),
    ),
  };
}
