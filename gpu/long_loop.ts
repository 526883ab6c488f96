/**
 * Tells Mesa's older software devices from newer ones by what they do, not by their names.
 *
 * Mesa 22.3 ends the loops of an invocation after 65,535 turns; 25.0 and 26.1 do not. The older compiler
 * also puts a number that a lane reads from a buffer into its vector by way of memory, unless there is
 * AVX-512: reading copies in textures makes a training step 1.4 times as fast there, and not on the others.
 *
 * @module
 */
import chain from "./long_loop.wgsl" with { type: "text" };
import type { SelfTest } from "./self_check.ts";

/** Whether a loop ends only where it says. */
export function runsLongLoops(): SelfTest {
  let n = 1;
  for (let i = 0; i < 70_000; i++) n = (Math.imul(n, 1664525) + 1013904223) >>> 0;
  return { code: chain, groups: [1, 1], expected: [n >>> 8] };
}
