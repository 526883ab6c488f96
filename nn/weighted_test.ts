import { assertEquals } from "@std/assert";
import { gpu } from "../gpu/gpu.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { TRAINING } from "./context.ts";
import { constantInit, normalInit } from "./init.ts";
import { Conv2d, ConvTranspose2d, Linear } from "./layers.ts";
import type { Module } from "./module.ts";
import { hostRandom } from "./random.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

/** The layer as a function of input, weight and bias. */
function applied(layer: Module) {
  return (x: Tensor, weight: Tensor, bias: Tensor) =>
    Object.assign(layer, { weight, bias }).forward(x, TRAINING);
}

const init = normalInit(hostRandom(1), 1);

Deno.test("a scaled Linear is x (k W)^T + b", () => {
  const [N, I, O] = [3, 5, 2];
  return checkOp(
    applied(new Linear(I, O, init, { scale: 0.7 })),
    (x, w, b) =>
      Array.from({ length: N * O }, (_, at) => {
        const n = Math.floor(at / O), o = at % O;
        let t = 0;
        for (let i = 0; i < I; i++) t += x[n * I + i] * w[o * I + i];
        return 0.7 * t + b[o];
      }),
    [[N, I], [O, I], [O]],
    { second: true },
  );
});

Deno.test("a scaled Conv2d is a convolution by k W, and b", () => {
  const [S, C, O, k] = [3, 2, 3, 3], size = { kernel: k, stride: 1, padding: 1 };
  return checkOp(
    applied(new Conv2d(C, O, { ...size, scale: 1.3 }, init)),
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
        return 1.3 * t + b[o];
      }),
    [[1, S, S, C], [k, k, C, O], [O]],
    { second: true },
  );
});

Deno.test("a scaled ConvTranspose2d of one pixel gives each pixel weights of its own", () => {
  const [N, I, O, k] = [2, 3, 2, 4], size = { kernel: k, stride: 1, padding: 0 };
  return checkOp(
    applied(new ConvTranspose2d(I, O, { ...size, scale: 0.4 }, init)),
    (z, w, b) =>
      Array.from({ length: N * k * k * O }, (_, at) => {
        const n = Math.floor(at / (k * k * O)), pixelAndO = at % (k * k * O);
        let t = 0;
        for (let i = 0; i < I; i++) t += z[n * I + i] * w[pixelAndO * I + i];
        return 0.4 * t + b[at % O];
      }),
    [[N, 1, 1, I], [k, k, O, I], [O]],
    { second: true },
  );
});

Deno.test("a scaled weight follows its parameter, and costs no dispatch", async () => {
  const layer = new Linear(2, 1, constantInit(3), { scale: 2, bias: constantInit(5) });
  const x = tensor([1, 10], [1, 2]);
  layer.forward(x); // lays its operands out
  const { dispatches } = gpu().counters, first = layer.forward(x);
  assertEquals(gpu().counters.dispatches - dispatches, 1); // the product with its bias
  assertEquals([...await first.read()], [2 * 33 + 5]);
  layer.weight!.write([1, 1]);
  assertEquals([...await layer.forward(x).read()], [2 * 11 + 5]);
});
