import type { Phase } from "./growth.ts";

/** A phase with the speed that was measured for it before the run. */
export interface PhaseSpeed extends Phase {
  readonly imagesPerSecond: number;
}

/**
 * How long a growing run will still take: the remaining images of each phase at the speed measured
 * beforehand, all scaled by how the present phase compares with what was measured of it.
 *
 * @param phases Those that the run comes to, the last one with the images that it shows.
 * @param images Images shown.
 * @param rate Images a second in the present phase.
 * @returns Seconds.
 */
export function secondsLeft(phases: readonly PhaseSpeed[], images: number, rate: number): number {
  const present = phases.findLast(({ from }) => from <= images) ?? phases[0];
  const scale = present.imagesPerSecond / rate;
  return phases.reduce((seconds, { from, images: length, imagesPerSecond }) => {
    const rest = Math.min(length, Math.max(0, from + length - images));
    return seconds + scale * rest / imagesPerSecond;
  }, 0);
}
