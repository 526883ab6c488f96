/**
 * What ran before never changes a result: ops in seeded random orders of shapes whose sizes coincide, in
 * one process, by every family of plans, each against float64.
 *
 * A plan or kernel that is found by less than all of its inputs serves the wrong shape here: each order
 * holds shapes of equal rows, columns and products of taps and terms, made of different factors.
 */
import { AS_GPU } from "../gpu/device.ts";
import { gpu } from "../gpu/gpu.ts";
import { attention } from "../kernels/attention.ts";
import { batchNorm } from "../kernels/batch_norm.ts";
import { conv2d, conv2dInput, conv2dWeight } from "../kernels/conv2d.ts";
import { mul } from "../kernels/elementwise.ts";
import { matmul } from "../kernels/matmul.ts";
import { pixelNorm } from "../kernels/pixel_norm.ts";
import { forcePlan } from "../kernels/plan.ts";
import { sum } from "../kernels/reduce.ts";
import { softmax } from "../kernels/softmax.ts";
import { grad } from "../nn/grad.ts";
import { type Shape, sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import { checkOp, type Reference } from "./check.ts";
import { caseOf } from "./convolution.ts";
import { assertClose, random, randoms } from "./support.ts";
import { openGpu } from "../gpu/engines/deno.ts";

await openGpu();

/** One check, with a name for messages. */
interface Check {
  readonly name: string;
  readonly run: () => Promise<void>;
}

// Rows and output channels of each: others than before, so that nothing is known of them yet.
const ORDERS = [[64, 8], [96, 8], [48, 12]];
const FAMILIES: Record<string, () => void> = {
  "the device's own plans": () => {},
  "plans without sharing": () => forcePlan({ share: "none" }),
  "plans by buffers": () => forcePlan({ load: "buffer", share: "none" }),
  "plans of a GPU": () => gpu().describeAs(AS_GPU),
};

const references = new Map<string, number[]>();

/** Compares an op with its reference, which is computed once for all families. */
function compared(
  name: string,
  run: (...xs: Tensor[]) => Tensor,
  reference: Reference,
  shapes: readonly Shape[],
): Check {
  return {
    name,
    run: async () => {
      const xs = shapes.map((shape, i) => randoms(sizeOf(shape), i + 1));
      const expected = references.get(name) ?? reference(...xs);
      references.set(name, expected);
      const y = run(...xs.map((x, i) => tensor(x, shapes[i])));
      assertClose(name, await y.read(), expected, { rtol: 1e-4, atol: 1e-5 * shapes.length * 10 });
    },
  };
}

/** Convolutions of `rows` pixels to `O` channels whose taps times channels are 64 or 48, and products. */
function products(rows: number, O: number): Check[] {
  const pixels: Shape[] = [[1, rows / 8, 8], [rows / 16, 4, 4], [rows / 8, 8, 1], [rows / 8, 2, 4]];
  const windows = [[4, 4], [2, 16], [1, 64], [4, 3], [1, 48]];
  const convolutions = windows.flatMap(([k, C], i) => {
    const [N, Y, X] = pixels[i % pixels.length], x = [N, Y + k - 1, X + k - 1, C];
    const { w, y, g, forward, input, weight } = caseOf(x, [k, k], O, 1, 0);
    const name = `of [${x}] by ${k}x${k} to ${O}`;
    return [
      compared(`conv2d ${name}`, (a, b) => conv2d(a, b, g), forward, [x, w]),
      compared(`conv2dInput ${name}`, (a, b) => conv2dInput(a, b, x, g), input, [y, w]),
      compared(`conv2dWeight ${name}`, (a, b) => conv2dWeight(a, b, w, g), weight, [x, y]),
    ];
  });
  const matrices = [64, 48].map((K) =>
    compared(
      `matmul of ${rows}x${K}x${O}`,
      (a, b) => matmul(a, b),
      (a, b) =>
        Array.from({ length: rows * O }, (_, at) => {
          const i = Math.floor(at / O), j = at % O;
          let t = 0;
          for (let k = 0; k < K; k++) t += a[i * K + k] * b[k * O + j];
          return t;
        }),
      [[rows, K], [K, O]],
    )
  );
  return [...convolutions, ...matrices];
}

/** Attention whose channels have equal products, with all three gradients. */
function attentions(rows: number): Check[] {
  return [[1, rows, 16, 4, 16], [2, rows / 2, 16, 16, 4], [1, rows, 8, 8, 8], [
    4,
    rows / 4,
    32,
    8,
    8,
  ]]
    .map(([N, I, J, d, e]) => {
      const name = `attention of ${[N, I, J, d, e]}`;
      const shapes = [[N, I, d], [N, J, d], [N, J, e], [N, I, e]];
      return {
        name,
        run: async () => {
          const xs = shapes.map((shape, i) => randoms(sizeOf(shape), i + 1));
          const [q, k, v, dy] = xs.map((x, i) => tensor(x, shapes[i], i < 3));
          const y = attention(q, k, v), expected = attentionReference([N, I, J, d, e], xs);
          const got = [y, ...grad(sum(mul(y, dy)), [q, k, v])];
          for (const [i, part] of ["y", "dq", "dk", "dv"].entries()) {
            assertClose(`${name}: ${part}`, await got[i].read(), expected[i], { atol: 1e-4 });
          }
        },
      };
    });
}

/** `y`, `dq`, `dk`, `dv` by their definitions. */
function attentionReference([N, I, J, d, e]: number[], [q, k, v, dy]: number[][]): number[][] {
  const [y, dq, dk, dv] = [N * I * e, N * I * d, N * J * d, N * J * e].map((n) =>
    new Array<number>(n).fill(0)
  );
  const dot = (a: number[], b: number[], i: number, j: number, n: number) => {
    let t = 0;
    for (let c = 0; c < n; c++) t += a[i * n + c] * b[j * n + c];
    return t;
  };
  for (let i = 0; i < N * I; i++) {
    const keys = Array.from({ length: J }, (_, j) => Math.floor(i / I) * J + j);
    const powers = keys.map((j) => Math.exp(dot(q, k, i, j, d)));
    const total = powers.reduce((a, b) => a + b), P = powers.map((p) => p / total);
    const dP = keys.map((j) => dot(dy, v, i, j, e));
    const mean = P.reduce((t, p, n) => t + p * dP[n], 0);
    keys.forEach((j, n) => {
      const dS = P[n] * (dP[n] - mean);
      for (let c = 0; c < e; c++) {
        y[i * e + c] += P[n] * v[j * e + c];
        dv[j * e + c] += P[n] * dy[i * e + c];
      }
      for (let c = 0; c < d; c++) {
        dq[i * d + c] += dS * k[j * d + c];
        dk[j * d + c] += dS * q[i * d + c];
      }
    });
  }
  return [y, dq, dk, dv];
}

/** Normalisations, softmax and sums of `size` numbers in rows of different lengths. */
function rowOps(size: number): Check[] {
  return [3, 4, 16].flatMap((C) => {
    const rows = Math.floor(size / C), shape = [rows, C], by = `of [${shape}]`;
    const eachRow = (f: (row: number[]) => number[]): Reference => (x) =>
      Array.from({ length: rows }, (_, r) => f(x.slice(r * C, (r + 1) * C))).flat();
    const check = (name: string, run: (x: Tensor) => Tensor, reference: Reference) => ({
      name: `${name} ${by}`,
      run: () =>
        checkOp(run, reference, [shape], {
          atol: 1e-4,
          rtol: 5e-4,
          input: (u) => u < 0 ? u - 0.5 : u + 0.5,
        }),
    });
    return [
      check(
        "softmax",
        softmax,
        eachRow((row) => {
          const powers = row.map(Math.exp), total = powers.reduce((a, b) => a + b);
          return powers.map((p) => p / total);
        }),
      ),
      check(
        "pixelNorm",
        pixelNorm,
        eachRow((row) => {
          const r = 1 / Math.sqrt(row.reduce((t, v) => t + v * v, 0) / C + 1e-8);
          return row.map((v) => v * r);
        }),
      ),
      check("sum of rows", (x) => sum(x, [1]), eachRow((row) => [row.reduce((a, b) => a + b)])),
      check("sum of columns", (x) => sum(x, [0]), (x) => columnsOf(x, C).map(total)),
      check("batchNorm", normalised(C), (x) => {
        const all = columnsOf(x, C).map((own) => {
          const mean = total(own) / rows;
          return { mean, variance: total(own.map((v) => (v - mean) ** 2)) / rows };
        });
        return x.map((v, i) => (v - all[i % C].mean) / Math.sqrt(all[i % C].variance + 1e-5));
      }),
    ];
  });
}

function columnsOf(x: number[], C: number): number[][] {
  return Array.from({ length: C }, (_, c) => x.filter((_, i) => i % C === c));
}

function total(x: number[]): number {
  return x.reduce((a, b) => a + b);
}

function normalised(C: number): (x: Tensor) => Tensor {
  const all = (value: number) => tensor(new Array(C).fill(value), [C]);
  const norm = { weight: all(1), bias: all(0), running_mean: all(0), running_var: all(1) };
  return (x) => batchNorm(x, norm, { training: true, eps: 1e-5, momentum: 0.1, slope: 1 });
}

/** `list` in an order of which `next` decides (Fisher and Yates). */
function shuffled<T>(list: readonly T[], next: () => number): T[] {
  const all = [...list];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor((next() + 1) / 2 * (i + 1));
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all;
}

for (const [family, begin] of Object.entries(FAMILIES)) {
  for (const [order, [rows, O]] of ORDERS.entries()) {
    Deno.test(`order ${order} by ${family}`, async () => {
      const all = [...products(rows, O), ...attentions(rows), ...rowOps(3 * rows)];
      begin();
      try {
        const ran: string[] = [];
        for (const { name, run } of shuffled(all, random(100 + order))) {
          try {
            await run();
          } catch (error) {
            const before = ran.slice(-3).join("; ");
            throw new Error(`${(error as Error).message}\n  ran before: ${before}`, {
              cause: error,
            });
          }
          ran.push(name);
        }
      } finally {
        forcePlan(undefined);
        gpu().describeAs(undefined);
      }
    });
  }
}
