/**
 * NaN, infinities, zeros, the largest number and denormals through every op and its gradient, in PyTorch's
 * class of answer: `oracle/special_values.py` made the fixture, and says what the letters mean.
 */
import { assert, assertEquals } from "@std/assert";
import { batchNorm } from "../kernels/batch_norm.ts";
import { conv2d } from "../kernels/conv2d.ts";
import * as e from "../kernels/elementwise.ts";
import { logitLoss } from "../kernels/logit_loss.ts";
import { matmul } from "../kernels/matmul.ts";
import { pixelNorm } from "../kernels/pixel_norm.ts";
import { averagePool, maxPool } from "../kernels/pool.ts";
import { mean, sum } from "../kernels/reduce.ts";
import { bilinear, downAverage, downSmooth, upNearest } from "../kernels/resample.ts";
import { logSoftmax, softmax } from "../kernels/softmax.ts";
import { forceVariant } from "../kernels/variant.ts";
import { grad } from "../nn/grad.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

interface Given {
  readonly shape: number[];
  readonly values: string;
}
interface Case {
  readonly name: string;
  readonly inputs: Given[];
  readonly dy: Given;
  readonly y: string;
  readonly gradients: string[];
}
const fixture = new URL("./fixtures/special_values.json", import.meta.url);
const { cases }: { cases: Case[] } = JSON.parse(await Deno.readTextFile(fixture));

const two = { kernel: 2, stride: 2, pad: 0 }, three = { kernel: 3, stride: 2, pad: 1 };
const last = (x: Tensor) => [x.shape.length - 1];
/** Our op of each case, by its name and its variant. */
const OPS: Record<string, (variant: string, ...inputs: Tensor[]) => Tensor> = {
  exp: (_, x) => e.exp(x),
  log: (_, x) => e.log(x),
  sqrt: (_, x) => e.sqrt(x),
  reciprocal: (_, x) => e.reciprocal(x),
  square: (_, x) => e.square(x),
  tanh: (_, x) => e.tanh(x),
  sigmoid: (_, x) => e.sigmoid(x),
  softplus: (_, x) => e.softplus(x),
  abs: (_, x) => e.abs(x),
  sign: (_, x) => e.sign(x),
  neg: (_, x) => e.neg(x),
  affine: (_, x) => e.affine(x, 3, -1),
  relu: (_, x) => e.relu(x),
  leakyRelu: (slope, x) => e.leakyRelu(x, Number(slope)),
  clamp: (_, x) => e.clamp(x, -1, 1),
  add: (_, a, b) => e.add(a, b),
  sub: (_, a, b) => e.sub(a, b),
  mul: (_, a, b) => e.mul(a, b),
  div: (_, a, b) => e.div(a, b),
  softmax: (_, x) => softmax(x),
  logSoftmax: (_, x) => logSoftmax(x),
  sum: (_, x) => sum(x, last(x)),
  mean: (_, x) => mean(x, last(x)),
  pixelNorm: (_, x) => pixelNorm(x),
  crossEntropy: (goal, x) => logitLoss("crossEntropy", x, Number(goal)),
  leastSquares: (goal, x) => logitLoss("leastSquares", x, Number(goal)),
  hinge: (goal, x) => logitLoss("hinge", x, Number(goal)),
  linear: (goal, x) => logitLoss("linear", x, Number(goal)),
  batchNorm: (slope, x, weight, bias) => {
    const statistics = () => tensor(Array(weight.size).fill(1), weight.shape);
    const norm = { weight, bias, running_mean: statistics(), running_var: statistics() };
    return batchNorm(x, norm, { training: true, eps: 1e-5, momentum: 0.1, slope: Number(slope) });
  },
  maxPool: (variant, x) => maxPool(x, variant ? three : two),
  averagePool: (variant, x) => averagePool(x, { ...variant ? three : two, countPadding: !variant }),
  upNearest: (_, x) => upNearest(x, 2),
  downAverage: (_, x) => downAverage(x, 2),
  downSmooth: (_, x) => downSmooth(x),
  bilinear: (variant, x) => bilinear(x, variant === "up" ? [6, 7] : [3, 2]),
  matmul: (_, a, b) => matmul(a, b),
  conv2d: (_, x, w) => conv2d(x, w, { stride: 1, padding: 1 }),
};

const LEAST = 2 ** -126;
/** Of a number of ours; a denormal is as good as 0, as devices may flush it. */
function letter(v: number): string {
  if (Number.isNaN(v)) return "n";
  if (Math.abs(v) < LEAST) return "0";
  return v === Infinity ? "+" : v === -Infinity ? "-" : v > 0 ? "p" : "m";
}

function numbersOf({ values }: Given): number[] {
  return values.split(" ").map(Number);
}

/** Where ours is another class than PyTorch's, and why. */
interface Deviation {
  readonly op: RegExp;
  /** `y`, or an input's gradient. */
  readonly of: "y" | "dx0" | "any";
  readonly found: string;
  readonly expected: string;
  /** Whether it may be at an element; anywhere, if left out. */
  readonly at?: (given: Case, i: number) => boolean;
}
/** Whether a channel of the input has the largest number. */
const overflows = ({ inputs: [x, weight] }: Case, i: number) => {
  const C = weight.shape[0];
  return numbersOf(x).some((v, j) => j % C === i % C && Math.abs(v) > 3e38);
};
/** WGSL lets a device take denormals for 0; SwiftShader does. */
const flushes = await e.mul(tensor([2 ** -127], [1]), tensor([2], [1])).item() === 0;
const isDenormal = (v: number) => v !== 0 && Math.abs(v) < LEAST;
/** Of a denormal, or of a quotient that is one on the way. */
const ofDenormal = ({ inputs, dy }: Case, i: number) => {
  const given = [...inputs, dy].map((each) => numbersOf(each)[i]), [a, b] = given;
  return [...given, a / b, a / b / b].some(isDenormal);
};
const DEVIATIONS: Deviation[] = [
  ...flushes
    ? [{ op: /./, of: "any", found: "n0+-", expected: "0pm+-n", at: ofDenormal } as const]
    : [],
  // Its float64 sums hold the square of the largest number; our float32 overflows, and infinity / infinity.
  { op: /^batchNorm/, of: "any", found: "n", expected: "0pm", at: overflows },
  // PyTorch multiplies infinity by 1 - target = 0; the loss is infinite there.
  { op: /^crossEntropy:1/, of: "y", found: "+", expected: "n" },
  // PyTorch doubles x before it halves it, or multiplies it by dy = 0: an overflow that ours has not.
  { op: /^leastSquares/, of: "dx0", found: "pm", expected: "+-" },
  { op: /^square/, of: "dx0", found: "0", expected: "n" },
  // PyTorch computes dy e^x / (e^x + 1), where dy e^x overflows.
  { op: /^softplus/, of: "dx0", found: "p", expected: "+" },
  // PyTorch multiplies a neighbour of weight 0, which is infinite.
  { op: /^bilinear/, of: "any", found: "0pm", expected: "n" },
];

function differing(
  given: Case,
  of: string,
  actual: ArrayLike<number>,
  wanted: string,
): string[] {
  assertEquals(actual.length, wanted.length);
  return Array.from(wanted.replace(/[de]/g, "0")).flatMap((expected, i) => {
    const found = letter(actual[i]);
    const known = DEVIATIONS.some((d) =>
      d.op.test(given.name) && (d.of === of || d.of === "any") && d.found.includes(found) &&
      d.expected.includes(expected) && (d.at?.(given, i) ?? true)
    );
    return found === expected || known ? [] : [`${of}[${i}] is ${found}, expected ${expected}`];
  });
}

async function differences(given: Case): Promise<string[]> {
  const { name, inputs, dy, y, gradients } = given;
  const [op, variant = ""] = name.split(/[:,]/);
  const params = inputs.map((x) => tensor(numbersOf(x), x.shape, true));
  const result = OPS[op](variant, ...params);
  const loss = sum(e.mul(result, tensor(numbersOf(dy), dy.shape)));
  const found = differing(given, "y", await result.read(), y);
  for (const [i, dx] of grad(loss, params).entries()) {
    found.push(...differing(given, `dx${i}`, await dx.read(), gradients[i]));
  }
  return found;
}

const names = new Set(cases.map(({ name }) => name.split(/[:,]/)[0]));
const BY_GROUP = ["softmax", "logSoftmax", "sum", "mean", "batchNorm"];
for (const op of [...names, ...BY_GROUP.map((op) => `${op} by workgroups`)]) {
  Deno.test(`special values: ${op}`, async () => {
    const found: string[] = [], [own, by] = op.split(" ");
    forceVariant(by ? "group" : "lane");
    for (const given of cases.filter(({ name }) => name.split(/[:,]/)[0] === own)) {
      found.push(...(await differences(given)).map((fault) => `${given.name}: ${fault}`));
    }
    forceVariant(undefined);
    assert(found.length === 0, found.join("\n"));
  });
}

Deno.test("special values: ReLUs fused with products, which PyTorch has apart", async () => {
  const given = [-Infinity, NaN, 2, Infinity];
  for (const [slope, low] of [[0, 0], [0.2, -Infinity]]) {
    for (const C of [1, 4]) {
      const ones = Array(C).fill(1), epilogue = { bias: tensor(ones, [C]), slope };
      const wanted = [low, NaN, 3, Infinity].flatMap((v) => Array(C).fill(v));
      const product = matmul(tensor(given, [4, 1]), tensor(ones, [1, C]), {}, epilogue);
      assertEquals([...await product.read()], wanted);
      const x = tensor(given, [1, 2, 2, 1]), w = tensor(ones, [1, 1, 1, C]);
      const image = conv2d(x, w, { stride: 1, padding: 0 }, epilogue);
      assertEquals([...await image.read()], wanted);
    }
  }
});
