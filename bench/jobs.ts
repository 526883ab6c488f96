/** What the benchmark times, by name. */
import type { Job } from "./job.ts";
import { singleJobs } from "./single.ts";
import { others, trainingJob, trainingNames } from "./trainings.ts";

/** Names of the jobs that are run only when they are named. */
export const onRequest: readonly string[] = [...Object.keys(others), "matmul-4096"];

/**
 * Every job by name; made when asked for, since each takes memory. Products, convolutions and steps are
 * of the precision in which they are made.
 */
export function jobs(batch: number): Record<string, () => Job> {
  return {
    ...singleJobs(batch),
    ...Object.fromEntries(trainingNames.map((name) => [name, () => trainingJob(name, batch)])),
  };
}
