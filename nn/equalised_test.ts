import { assert } from "@std/assert";
import { openGpu } from "../gpu/device.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { EqualisedConv2d, EqualisedLinear, EqualisedSpread } from "./equalised.ts";
import type { Module } from "./module.ts";
import { hostRandom } from "./random.ts";
await openGpu();

/** The layer as a function of input, weight and bias. */
function applied(layer: Module & { weight: Tensor; bias: Tensor }) {
  return (x: Tensor, weight: Tensor, bias: Tensor) =>
    Object.assign(layer, { weight, bias }).forward(x, true);
}

Deno.test("EqualisedLinear is x (gain / sqrt(inputs) W)^T + b", () => {
  const [N, I, O] = [3, 5, 2], random = hostRandom(1);
  return checkOp(
    applied(new EqualisedLinear(I, O, random, { gain: 0.7 })),
    (x, w, b) =>
      Array.from({ length: N * O }, (_, at) => {
        const n = Math.floor(at / O), o = at % O;
        let t = 0;
        for (let i = 0; i < I; i++) t += x[n * I + i] * w[o * I + i];
        return 0.7 / Math.sqrt(I) * t + b[o];
      }),
    [[N, I], [O, I], [O]],
    { second: true },
  );
});

Deno.test("EqualisedConv2d is a convolution by gain / (k sqrt(inputs)) W, and b", () => {
  const [S, C, O, k] = [3, 2, 3, 3], random = hostRandom(1);
  return checkOp(
    applied(new EqualisedConv2d(C, O, { kernel: k, stride: 1, padding: 1 }, random)),
    (x, w, b) =>
      Array.from({ length: S * S * O }, (_, at) => {
        const o = at % O, X = Math.floor(at / O) % S, Y = Math.floor(at / O / S);
        let t = 0;
        for (let i = 0; i < k; i++) {
          for (let j = 0; j < k; j++) {
            const [h, v] = [Y + i - 1, X + j - 1];
            if (h < 0 || v < 0 || h >= S || v >= S) continue;
            for (let c = 0; c < C; c++) {
              t += x[(h * S + v) * C + c] * w[((i * k + j) * C + c) * O + o];
            }
          }
        }
        return Math.sqrt(2 / (C * k * k)) * t + b[o];
      }),
    [[1, S, S, C], [k, k, C, O], [O]],
    { second: true },
  );
});

Deno.test("EqualisedSpread gives each pixel of the first map weights of its own", () => {
  const [N, I, O, k] = [2, 3, 2, 4], random = hostRandom(1);
  return checkOp(
    applied(new EqualisedSpread(I, O, { kernel: k }, random)),
    (z, w, b) =>
      Array.from({ length: N * k * k * O }, (_, at) => {
        const n = Math.floor(at / (k * k * O)), pixelAndO = at % (k * k * O);
        let t = 0;
        for (let i = 0; i < I; i++) t += z[n * I + i] * w[pixelAndO * I + i];
        return Math.sqrt(2 / (I * k * k)) * t + b[at % O];
      }),
    [[N, 1, 1, I], [k, k, O, I], [O]],
    { second: true },
  );
});

Deno.test("weights begin with variance 1, whatever the fan-in", async () => {
  const { weight, bias } = new EqualisedConv2d(
    24,
    24,
    { kernel: 3, stride: 1, padding: 1 },
    hostRandom(2),
  );
  const values = await weight.read(), n = values.length;
  const variance = values.reduce((t, v) => t + v * v, 0) / n;
  assert(Math.abs(variance - 1) < 5 * Math.sqrt(2 / n), `variance ${variance} of ${n}`);
  assert((await bias.read()).every((v) => v === 0));
});
