/**
 * Vectors of 512 bits on lavapipe, Mesa's software device.
 *
 * Its default is 256. With AVX-512, twice the width is 1.4 times as fast (Mesa 22.3), but Mesa 25.0 then
 * reads storage textures wrongly on some processors, and 25.0.7 is slower with them on others. So
 * gpu/engines/vectors.ts tries them, and what is open is checked.
 *
 * @module
 */
import product from "./wide_vectors.wgsl" with { type: "text" };
import type { SelfTest } from "./self_check.ts";

/** Whether storage textures are read rightly: a product of small whole numbers, so without rounding. */
export function readsTextures(): SelfTest {
  const [M, K, N] = [8, 64, 256];
  const a = Array.from({ length: M * K }, (_, i) => i * 7 % 17 - 8);
  const b = Array.from({ length: K * N }, (_, i) => i * 5 % 23 - 11);
  const expected = Array.from({ length: M * N }, (_, i) => {
    const row = Math.floor(i / N), col = i % N;
    let sum = 0;
    for (let k = 0; k < K; k++) sum += a[row * K + k] * b[k * N + col];
    return sum;
  });
  const images = [{ data: a, width: K / 4, height: M }, { data: b, width: N / 4, height: K }];
  return { code: product, images, groups: [N / 128, M / 2], expected };
}
