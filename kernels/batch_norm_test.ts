import { assertThrows } from "@std/assert";
import { grad } from "../nn/grad.ts";
import { tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { batchNorm } from "./batch_norm.ts";
import { square } from "./elementwise.ts";
import { sum } from "./reduce.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

function statistics(x: number[], C: number, c: number) {
  const n = x.length / C, own = Array.from({ length: n }, (_, i) => x[i * C + c]);
  const mean = own.reduce((a, b) => a + b) / n;
  return { n, mean, variance: own.reduce((t, v) => t + (v - mean) ** 2, 0) / n };
}
const running = (C: number) => ({
  running_mean: tensor(new Float32Array(C), [C]),
  running_var: tensor(new Float32Array(C).fill(1), [C]),
});
const options = { training: true, eps: 1e-5, momentum: 0.1, slope: 1 };

// rows: 2; a prime; many chunks. channels: 1; a prime; a workgroup and one more; the same by vec4
for (
  const [N, H, W, C] of [[2, 1, 1, 1], [3, 3, 1, 7], [2, 2, 1, 65], [5, 13, 7, 2], [2, 3, 1, 4], [
    1,
    2,
    2,
    260,
  ]]
) {
  for (const slope of [1, 0.2, 0]) {
    Deno.test(`batchNorm() of [${[N, H, W, C]}], slope ${slope}`, () =>
      checkOp(
        (x, weight, bias) => batchNorm(x, { weight, bias, ...running(C) }, { ...options, slope }),
        (x, gamma, beta) => {
          const all = gamma.map((_, c) => statistics(x, C, c));
          return x.map((v, i) => {
            const { mean, variance } = all[i % C];
            const y = gamma[i % C] * (v - mean) / Math.sqrt(variance + 1e-5) + beta[i % C];
            return y > 0 ? y : slope * y;
          });
        },
        [[N, H, W, C], [C], [C]],
        { atol: 5e-5, seed: 3, rtol: 3e-4 },
      ));
  }
}
Deno.test("batchNorm() moves the running statistics, with the unbiased variance", async () => {
  const C = 3, x = randoms(8 * C, 1), r = running(C);
  const weight = tensor([1, 1, 1], [C]), bias = tensor([0, 0, 0], [C]);
  batchNorm(tensor(x, [2, 2, 2, C]), { weight, bias, ...r }, options);
  const s = [0, 1, 2].map((c) => statistics(x, C, c));
  assertClose("mean", await r.running_mean.read(), s.map(({ mean }) => 0.1 * mean));
  assertClose("var", await r.running_var.read(), s.map((s) => 0.9 + 0.1 * s.variance * 8 / 7));
});
Deno.test("batchNorm() keeps its digits where the mean is large", async () => {
  const x = randoms(512, 1).map((v) => Math.fround(1000 + v)), r = running(1);
  const norm = { weight: tensor([1], [1]), bias: tensor([0], [1]), ...r };
  const y = await batchNorm(tensor(x, [512, 1]), norm, options).read();
  const { mean, variance } = statistics(x, 1, 0);
  assertClose("y", y, x.map((v) => (v - mean) / Math.sqrt(variance + 1e-5)), { atol: 2e-3 });
});
Deno.test("batchNorm() outside training uses the running statistics and leaves them", async () => {
  const r = { running_mean: tensor([0.5], [1]), running_var: tensor([4], [1]) };
  const norm = { weight: tensor([2], [1]), bias: tensor([1], [1]), ...r };
  const y = batchNorm(tensor([1, -3], [2, 1]), norm, { ...options, training: false });
  assertClose("y", await y.read(), [1 + 2 * 0.25, 1 - 2 * 1.75]);
  assertClose("mean", await r.running_mean.read(), [0.5]);
});
Deno.test("batchNorm() says that it has no second gradient", () => {
  const norm = { weight: tensor([2], [1]), bias: tensor([1], [1]), ...running(1) };
  const x = tensor([1, 2, 4], [3, 1]);
  const y = sum(square(batchNorm(x, norm, options)));
  const [dx] = grad(y, [x], { createGraph: true });
  assertThrows(() => grad(sum(square(dx)), [x]), Error, "no gradient of this gradient");
});
