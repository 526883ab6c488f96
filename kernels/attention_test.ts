import { assert, assertEquals, assertThrows } from "@std/assert";
import { deviceInfo } from "../gpu/device.ts";
import { gpu } from "../gpu/gpu.ts";
import { idle, rehearsed } from "../gpu/record.ts";
import { grad } from "../nn/grad.ts";
import { empty, scoped, type Shape, sizeOf, tensor } from "../tensor/tensor.ts";
import { checkOp } from "../tests/check.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { attention, attentionMap, type AttentionPlan } from "./attention.ts";
import { mul, square } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { normal } from "./random.ts";
import { sum } from "./reduce.ts";
import { slice } from "./slice.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

type Sizes = readonly [N: number, I: number, J: number, d: number, e: number];
const shapesOf = ([N, I, J, d, e]: Sizes): Shape[] => [[N, I, d], [N, J, d], [N, J, e]];

function reference([N, I, J, d, e]: Sizes, q: number[], k: number[], v: number[]): number[] {
  const y: number[] = [];
  for (let n = 0; n < N; n++) {
    for (let i = 0; i < I; i++) {
      const scores = Array.from({ length: J }, (_, j) => {
        let s = 0;
        for (let c = 0; c < d; c++) s += q[(n * I + i) * d + c] * k[(n * J + j) * d + c];
        return s;
      });
      const top = Math.max(...scores), shares = scores.map((s) => Math.exp(s - top));
      const total = shares.reduce((a, b) => a + b);
      for (let c = 0; c < e; c++) {
        y.push(shares.reduce((t, p, j) => t + p * v[(n * J + j) * e + c], 0) / total);
      }
    }
  }
  return y;
}

const { sharing, lanes } = deviceInfo();
// As on the software device, with and without sharing, as on GPUs, and one row at a time.
// Sums of the backward pass, whole and in parts.
const plans: Record<string, AttentionPlan> = {
  ...sharing &&
    { shared: { load: "texture", held: 4, block: 2, sums: 8, share: lanes, fill: 1000 } },
  texture: { load: "texture", held: 4, block: 2, sums: 8, share: 0, fill: 1 },
  buffer: { load: "buffer", held: 2, block: 4, sums: 8, share: 0, fill: 1 },
  single: { load: "buffer", held: 1, block: 1, sums: 2, share: 0, fill: 1000 },
};
// one element; primes; whole vec4s; numbers of keys that a block divides and does not
const small: Sizes[] = [[1, 1, 1, 1, 1], [2, 3, 5, 2, 3], [1, 5, 4, 4, 8], [2, 4, 7, 8, 5]];
// a workgroup and one more; several; slices of channels, the last one cut short
const large: Sizes[] = [[2, 64, 129, 8, 12], [1, 513, 70, 3, 36]];

for (const [name, plan] of Object.entries(plans)) {
  for (const sizes of name === "single" ? small.slice(1, 2) : small) {
    Deno.test(`attention() of N, I, J, d, e = ${sizes}, ${name}`, () =>
      checkOp(
        (q, k, v) => attention(q, k, v, plan),
        (q, k, v) => reference(sizes, q, k, v),
        shapesOf(sizes),
        {
          input: (u, i) => i < 2 ? 2 * u : u,
          second: sizes[0] * sizes[1] <= 6,
          rtol: 2e-4,
          atol: 5e-5,
        },
      ));
  }
  for (const sizes of name === "single" ? large.slice(1) : large) {
    Deno.test(`attention() is the plain composition, N, I, J, d, e = ${sizes}, ${name}`, async () => {
      const draw = (shape: Shape, stream: number) => normal(shape, { seed: 1, stream, counter: 0 });
      const [q, k, v] = shapesOf(sizes).map(draw), [N, I, , , e] = sizes, u = draw([N, I, e], 7);
      const [ours, plain] = [attention(q, k, v, plan), matmul(attentionMap(q, k), v)]
        .map((y) => [y, ...grad(sum(mul(y, u)), [q, k, v])]);
      for (const [i, name] of ["y", "dq", "dk", "dv"].entries()) {
        const expected = await plain[i].read(), top = Math.max(1, ...expected.map(Math.abs));
        assertClose(name, await ours[i].read(), expected, { rtol: 1e-4, atol: 1e-5 * top });
      }
    });
  }
}

Deno.test("attention() does not overflow, wherever the largest score is", async () => {
  for (let place = 0; place < 9; place++) {
    const scores = Array.from({ length: 9 }, (_, j) => j === place ? 300 : -300 + j);
    const y = attention(
      tensor([1], [1, 1, 1]),
      tensor(scores, [1, 9, 1]),
      tensor(randoms(9, 3), [1, 9, 1]),
    );
    assertClose("y", await y.read(), [randoms(9, 3)[place]]);
  }
});

Deno.test("attention() of 64x64 maps, batch 64, forward and back, holds no map", async () => {
  const N = 64, I = 64 * 64, J = 32 * 32, d = 2, e = 4;
  const draw = (shape: Shape, stream: number) => normal(shape, { seed: 1, stream, counter: 0 });
  const [q, k, v] = shapesOf([N, I, J, d, e]).map(draw);
  const before = gpu().counters.bytes;
  const [y, ...grads] = scoped(() => {
    const y = attention(q, k, v);
    return [y, ...grad(sum(square(y)), [q, k, v])];
  });
  await idle();
  // The map of the batch would be 1 GiB, and a binding is 128 MiB where WebGPU promises no more.
  const grown = (gpu().counters.bytes - before) / 2 ** 20;
  assert(grown < 64, `${grown} MiB were taken`);
  // The last image, by matrices
  const last = [q, k, v, y].map((x) => slice(x, 0, N - 1, 1));
  const expected = matmul(attentionMap(last[0], last[1]), last[2]);
  assertClose("y", await last[3].read(), await expected.read());
  const plain = grad(sum(square(expected)), last.slice(0, 3));
  for (const [i, dx] of grads.entries()) {
    const own = await slice(dx, 0, N - 1, 1).read();
    assertClose(`dx${i}`, own, await plain[i].read(), { rtol: 1e-3, atol: 1e-4 });
  }
});

Deno.test("attention() of 64x64 maps with as many keys, batch 64, takes no memory for them", () => {
  const shapes = shapesOf([64, 64 * 64, 64 * 64, 8, 32]), before = gpu().counters.bytes;
  // Only memory is taken: the arithmetic would last minutes on a software device.
  rehearsed(() =>
    scoped(() => {
      const [q, k, v] = shapes.map((shape) => empty(shape));
      grad(sum(square(attention(q, k, v))), [q, k, v]);
    })
  );
  const grown = (gpu().counters.bytes - before) / 2 ** 20, inputs = 64 * 64 * 64 * 48 * 4 / 2 ** 20;
  assert(grown > inputs && grown < 8 * inputs, `${grown} MiB were taken`); // a map's 4,096 are 85
});

Deno.test("attention() refuses what does not fit", () => {
  const q = tensor(new Float32Array(6), [1, 2, 3]), k = tensor(new Float32Array(4), [1, 2, 2]);
  assertThrows(() => attention(q, k, k), RangeError, "q [1,2,3], k [1,2,2]");
});

Deno.test("attention() counts what it computes, the map anew for each gradient", () => {
  const [N, I, J, d, e] = [2, 3, 5, 2, 3], made = shapesOf([N, I, J, d, e]);
  const counted = (wanted: number) => {
    const [q, k, v] = made.map((shape) => tensor(randoms(sizeOf(shape), 1), shape, true));
    const y = sum(attention(q, k, v)), before = gpu().counters.flop;
    grad(y, [q, k, v].slice(0, wanted));
    return (gpu().counters.flop - before) / (2 * N * I * J);
  };
  // Scores, dy . v, and a product with k; with q; of v only scores and one product.
  assertEquals([1, 2, 3].map(counted), [2 * d + e, 4 * d + 2 * e, 5 * d + 3 * e]);
  const [q, k, v] = made.map((shape) => tensor(randoms(sizeOf(shape), 1), shape));
  const before = gpu().counters.flop;
  attention(q, k, v);
  assertEquals(gpu().counters.flop - before, 2 * N * I * J * (d + e));
});
