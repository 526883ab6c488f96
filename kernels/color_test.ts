import { assertThrows } from "@std/assert";
import { tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { randoms } from "../tests/support.ts";
import { color } from "./color.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

/** As the authors' code does it, one change after the other. */
function reference(x: readonly number[], u: readonly number[]): number[] {
  const size = 4 * x.length / u.length;
  const mean = (e: readonly number[]) => e.reduce((t, v) => t + v, 0) / e.length;
  return Array.from({ length: u.length / 4 }, (_, n) => {
    const [b, s, c] = u.slice(4 * n);
    const bright = x.slice(n * size, (n + 1) * size).map((e) => e + b - 0.5);
    const full = bright.map((e, i) => {
      const grey = mean(bright.slice(i - i % 3, i - i % 3 + 3));
      return (e - grey) * 2 * s + grey;
    });
    const centre = mean(full);
    return full.map((e) => (e - centre) * (c + 0.5) + centre);
  }).flat();
}

// Four pixels; a column; primes; exactly a workgroup; one more, and sums in two rounds
for (const [N, H, W] of [[1, 1, 4], [2, 4, 1], [3, 5, 4], [1, 16, 16], [2, 13, 20]]) {
  Deno.test(`color() of [${N},${H},${W},3]`, () => {
    const u = Float32Array.from(randoms(4 * N, 7), (v) => (v + 1) / 2);
    return checkOp(
      (x) => color(x, tensor(u, [N, 4])),
      (x) => reference(x, [...u]),
      [[N, H, W, 3]],
      { second: N * H * W < 100 },
    );
  });
}

Deno.test("color() refuses what does not fit", () => {
  const of = (...shape: number[]) =>
    tensor(new Float32Array(shape.reduce((n, size) => n * size)), shape);
  const u = of(1, 4);
  for (
    const [x, u_] of [[of(1, 2, 2, 4), u], [of(1, 1, 3, 3), u], [of(2, 2, 2, 3), u], [of(4, 3), u]]
  ) assertThrows(() => color(x, u_), RangeError, `color: got x [${x.shape}]`);
});
