import { checkOp } from "../tests/check.ts";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { tensor } from "../tensor/tensor.ts";
import { randoms } from "../tests/support.ts";
import { constantInit, normalInit } from "./init.ts";
import { MinibatchDiscrimination } from "./minibatch_discrimination.ts";
import { hostRandom } from "./random.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

// [N, H, W, features], kernels, dims: one image; primes; one pixel
const cases: [[number, number, number, number], number, number][] = [
  [[1, 2, 1, 2], 2, 1],
  [[3, 2, 2, 3], 5, 2],
  [[5, 1, 1, 2], 3, 3],
];
for (const [shape, B, dims] of cases) {
  const [N, H, W, C] = shape;
  Deno.test(`MinibatchDiscrimination of [${shape}], ${B} kernels of ${dims}`, () =>
    checkOp(
      (x, T, bias) => {
        const module = new MinibatchDiscrimination(C, B, dims, constantInit(0));
        return Object.assign(module, { T, bias }).forward(x);
      },
      (x, T, bias) => {
        const M = Array.from({ length: N }, (_, n) => {
          const f = Array.from({ length: C }, (_, c) => {
            let total = 0;
            for (let i = 0; i < H * W; i++) total += x[(n * H * W + i) * C + c];
            return total / (H * W);
          });
          return Array.from(
            { length: B * dims },
            (_, k) => f.reduce((t, fc, c) => t + fc * T[c * B * dims + k], 0),
          );
        });
        return Array.from({ length: N * H * W }, (_, at) => {
          const n = Math.floor(at / (H * W));
          const o = bias.map((start, b) =>
            M.reduce((t, row, m) => {
              if (m === n) return t;
              let apart = 0;
              for (let k = b * dims; k < (b + 1) * dims; k++) apart += Math.abs(row[k] - M[n][k]);
              return t + Math.exp(-apart);
            }, start)
          );
          return [...x.slice(at * C, (at + 1) * C), ...o];
        }).flat();
      },
      [shape, [C, B * dims], [B]],
      { second: true, seed: 4, atol: 3e-5 },
    ));
}

Deno.test("its tensors have the names that checkpoints have", () => {
  const module = new MinibatchDiscrimination(4, 3, 2, constantInit(0.5));
  assertEquals([...module.named()].map(([name, { shape }]) => `${name} ${shape}`), [
    "T 4,6",
    "bias 3",
  ]);
});

Deno.test("at the start others count little, however many features there are and whatever draws T", async () => {
  const N = 64;
  for (const C of [16, 256]) {
    for (const std of [0.02, 1]) {
      const init = normalInit(hostRandom(1), std);
      const module = new MinibatchDiscrimination(C, 20, 5, init), x = randoms(N * C, 3);
      const others = async (x: number[]) => {
        const y = await module.forward(tensor(x, [N, 1, 1, C])).read();
        const o = y.filter((_, i) => i % (C + 20) >= C);
        return o.reduce((t, e) => t + e + 1, 0) / o.length; // without the bias
      };
      const [apart, alike] = [await others(x), await others(x.map((_, i) => x[i % C]))];
      assert(apart > 0.01 && apart < 2, `${C} features, ${std}: others count ${apart}`);
      assertAlmostEquals(alike, N - 1, 1e-3);
    }
  }
});
