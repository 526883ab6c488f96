import { assert, assertEquals } from "@std/assert";
import { openGpu } from "../gpu/engines/deno.ts";
import { tensor } from "../tensor/tensor.ts";
import { assertClose } from "../tests/support.ts";
import { TRAINING } from "./context.ts";
import { constantInit, type Init, normalInit, uniformInit, xavierInit } from "./init.ts";
import { hostRandom } from "./random.ts";
import { BatchNorm2d, Conv2d, ConvTranspose2d, Linear } from "./layers.ts";
await openGpu();

Deno.test("values begin from PyTorch's fan-in: all inputs of an output, and outputs if transposed", () => {
  const told: [shape: readonly number[], fanIn: number][] = [];
  const init: Init = (shape, fanIn) => {
    told.push([shape, fanIn]);
    return constantInit(0)(shape, fanIn);
  };
  const options = { kernel: 3, stride: 1, padding: 1 };
  new Linear(5, 7, init);
  new Conv2d(8, 6, options, init);
  new Conv2d(8, 6, { ...options, groups: 2 }, init);
  new ConvTranspose2d(8, 6, options, init);
  new ConvTranspose2d(8, 6, { ...options, groups: 2 }, init);
  // torch.nn.init._calculate_fan_in_and_fan_out of layers of these sizes, PyTorch 1.13
  assertEquals(told, [
    [[7, 5], 5],
    [[7], 5],
    [[3, 3, 8, 6], 72],
    [[6], 72],
    [[3, 3, 4, 6], 36],
    [[6], 36],
    [[3, 3, 6, 8], 54],
    [[6], 54],
    [[3, 3, 3, 8], 27],
    [[6], 27],
  ]);
});

Deno.test("running statistics move by the momentum, the variance without bias", async () => {
  const norm = new BatchNorm2d(1, constantInit(1), { momentum: 0.25 });
  norm.forward(tensor([1, 2, 6], [3, 1, 1, 1]), TRAINING);
  assertClose("mean", await norm.running_mean.read(), [0.25 * 3]);
  assertClose("variance", await norm.running_var.read(), [0.75 + 0.25 * (4 + 1 + 9) / 2]);
});

Deno.test("initial values have the distributions that their names say", () => {
  const n = 4000, mean = (values: Float32Array) => values.reduce((a, b) => a + b) / n;
  const spread = (values: Float32Array) => Math.sqrt(mean(values.map((x) => x * x)));
  const uniform = uniformInit(hostRandom(1))([n], 16), normal = normalInit(hostRandom(1), 0.5, 3);
  // Uniform in (-1/4, 1/4): standard deviation 1 / (4 sqrt 3).
  assert(uniform.every((x) => Math.abs(x) <= 0.25));
  assertClose("uniform", [mean(uniform), spread(uniform)], [0, 1 / Math.sqrt(48)], { atol: 0.01 });
  // A 3x3 convolution of 24 to 40 channels: uniform within sqrt(6 / (9 * 64)).
  const xavier = xavierInit(hostRandom(1))([3, 3, 24, 40], 9 * 24), limit = Math.sqrt(6 / 576);
  assert(xavier.every((x) => Math.abs(x) <= limit));
  assert(xavier.some((x) => Math.abs(x) > 0.99 * limit));
  const values = normal([n], 1), around = values.map((x) => x - 3);
  assertClose("normal", [mean(values), spread(around)], [3, 0.5], { atol: 0.03 });
});
