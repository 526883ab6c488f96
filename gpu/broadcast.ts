/**
 * Checks `subgroupBroadcast`.
 *
 * On lavapipe a subgroup is a vector of the processor. Reading a texel costs it some 75 instructions
 * whether lanes read different texels or the same; a broadcast costs 8. Deno grants the feature
 * there without listing it, so it is requested and checked.
 *
 * @module
 */
import broadcast from "./broadcast.wgsl" with { type: "text" };
import type { SelfTest } from "./self_check.ts";

/** Whether one lane of a workgroup of `LANES` can broadcast a number to the others. */
export function broadcasts(LANES: number): SelfTest {
  const groups = 5,
    expected = Array.from({ length: groups * LANES }, (_, i) => {
      const group = Math.floor(i / LANES), lane = i % LANES;
      let sum = 0;
      for (let k = 0; k < 9 + group; k++) {
        const x = (lane: number) => (lane * 5 + k * 3 + group) % 17;
        sum += x(lane) * (k % 13) + x(7);
      }
      return sum;
    });
  return { code: broadcast, constants: { LANES }, groups: [groups, 1], expected };
}
