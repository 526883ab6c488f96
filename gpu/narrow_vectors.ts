/**
 * Tells machine code with vectors of 8 lanes from that with 16, by what it does on Mesa 22.3.
 *
 * @module
 */
import turns from "./narrow_vectors.wgsl" with { type: "text" };
import type { SelfTest } from "./self_check.ts";

/** Right if lanes 0 and 15 lie in different vectors. */
export function hasNarrowVectors(): SelfTest {
  const expected = Array.from({ length: 16 }, (_, lane) => {
    let n = lane;
    for (let i = lane === 15 ? 60_000 : lane === 0 ? 20_000 : 0; i > 0; i--) {
      n = (Math.imul(n, 1664525) + 1013904223) >>> 0;
    }
    return n >>> 8;
  });
  return { code: turns, groups: [1, 1], expected };
}
