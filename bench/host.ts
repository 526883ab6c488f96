/**
 * What a step takes of the host.
 *
 * @module
 */
import { AS_GPU } from "../gpu/device.ts";
import { gpu } from "../gpu/gpu.ts";
import { flush, idle, rehearsed } from "../gpu/record.ts";
import type { Job } from "./job.ts";

const AHEAD = 8; // steps
const SAMPLES = 25;

/** Milliseconds, medians, and what takes them. */
export interface HostTimes {
  /** To record a step, */
  readonly host_ms: number;
  /** to hand one to the driver, */
  readonly submit_ms: number;
  /** to play a recorded one. */
  readonly play_ms?: number;
  /**
   * to play and submit one where the host does not wait between steps, as in training where the device
   * is the faster one. A software device may hold it up.
   */
  readonly ahead_ms?: number;
  readonly dispatches: number;
}

/**
 * Times what JavaScript and the driver do for a step; no wait is in it.
 *
 * The calls are those of the step, with its buffers and barriers, but every dispatch is of one workgroup:
 * else a software device, which computes on the host's own cores, would empty their caches before each
 * step, as no GPU does. Results are worthless afterwards.
 *
 * @param run Records the step.
 */
export async function hostTimes(run: () => void, player: Job["player"]): Promise<HostTimes> {
  // As in a run of thousands of steps, the engine knows the program by then.
  for (let i = 0; i < 300; i++) rehearsed(run);
  const times = await withGroups(1, async () => {
    const before = gpu().counters.dispatches;
    run();
    const dispatches = gpu().counters.dispatches - before, recorded = await medians(run);
    const times = { dispatches, host_ms: recorded.host, submit_ms: recorded.submit };
    if (!player) return times;
    for (let i = 0; i < 3; i++) player.step();
    const played = await medians(player.step);
    return { ...times, submit_ms: played.submit, play_ms: played.host };
  });
  if (!player) return times;
  // Of no workgroups, as else a software device would still be at the steps before.
  const ahead = await withGroups(0, () => medians(player.step, AHEAD));
  player.forget();
  return { ...times, ahead_ms: ahead.host + ahead.submit };
}

/** The same with the kernels that a GPU would be given: what the host would take there. */
export async function hostTimesAsGpu(run: () => void, player: Job["player"]): Promise<HostTimes> {
  gpu().describeAs(AS_GPU);
  try {
    return await hostTimes(run, player);
  } finally {
    gpu().describeAs(undefined);
  }
}

async function withGroups<T>(count: number, body: () => Promise<T>): Promise<T> {
  const pass = GPUComputePassEncoder.prototype, { dispatchWorkgroups } = pass;
  pass.dispatchWorkgroups = function () {
    dispatchWorkgroups.call(this, count, count, count);
  };
  try {
    return await body();
  } finally {
    pass.dispatchWorkgroups = dispatchWorkgroups;
  }
}

async function medians(run: () => void, ahead = 1) {
  const host: number[] = [], submit: number[] = [];
  while (host.length < SAMPLES) {
    for (let i = 0; i < ahead; i++) {
      const start = performance.now();
      run();
      const done = performance.now();
      flush();
      host.push(done - start);
      submit.push(performance.now() - done);
    }
    await idle();
  }
  const median = (ms: number[]) => ms.sort((a, b) => a - b)[ms.length >> 1];
  return { host: median(host), submit: median(submit) };
}
