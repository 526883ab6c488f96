import { assertThrows } from "@std/assert";
import { tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { randoms } from "../tests/support.ts";
import { color } from "./color.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

/** As the authors' code does it, one change after the other; alpha is left out and put back. */
function reference(x: readonly number[], u: readonly number[], C: number): number[] {
  if (C === 4) {
    const changed = reference(x.filter((_, i) => i % 4 < 3), u, 3);
    return x.map((e, i) => i % 4 < 3 ? changed[3 * Math.floor(i / 4) + i % 4] : e);
  }
  const size = 4 * x.length / u.length;
  const mean = (e: readonly number[]) => e.reduce((t, v) => t + v, 0) / e.length;
  return Array.from({ length: u.length / 4 }, (_, n) => {
    const [b, s, c] = u.slice(4 * n);
    const bright = x.slice(n * size, (n + 1) * size).map((e) => e + b - 0.5);
    const full = bright.map((e, i) => {
      const grey = mean(bright.slice(i - i % C, i - i % C + C));
      return (e - grey) * 2 * s + grey;
    });
    const centre = mean(full);
    return full.map((e) => (e - centre) * (c + 0.5) + centre);
  }).flat();
}

// Four pixels; a column; primes; exactly a workgroup; one more, and sums in two rounds
const sizes = [[1, 1, 4], [2, 4, 1], [3, 5, 4], [1, 16, 16], [2, 13, 20]];
for (const [N, H, W, C] of [3, 1, 4].flatMap((C) => sizes.map((size) => [...size, C]))) {
  Deno.test(`color() of [${N},${H},${W},${C}]`, () => {
    const u = Float32Array.from(randoms(4 * N, 7), (v) => (v + 1) / 2);
    return checkOp(
      (x) => color(x, tensor(u, [N, 4])),
      (x) => reference(x, [...u], C),
      [[N, H, W, C]],
      { second: N * H * W < 100 },
    );
  });
}

Deno.test("color() refuses what does not fit", () => {
  const of = (...shape: number[]) =>
    tensor(new Float32Array(shape.reduce((n, size) => n * size)), shape);
  const u = of(1, 4);
  for (
    const [x, u_] of [[of(1, 2, 2, 2), u], [of(1, 1, 3, 3), u], [of(2, 2, 2, 3), u], [of(4, 3), u]]
  ) assertThrows(() => color(x, u_), RangeError, `color: got x [${x.shape}]`);
});
