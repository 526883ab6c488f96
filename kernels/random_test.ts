import { now } from "../gpu/record.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { inFewGroups } from "../tests/check.ts";
import { assertClose } from "../tests/support.ts";
import { normal, normalRows, type RandomKey, uniform } from "./random.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

/** Philox4x32-10, with the products in full. */
function philox(counter: number[], key: number[]): number[] {
  let [a, b, c, d] = counter.map(BigInt), [k0, k1] = key.map(BigInt);
  const mask = 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const left = 0xd2511f53n * a, right = 0xcd9e8d57n * c;
    [a, b, c, d] = [(right >> 32n) ^ b ^ k0, right & mask, (left >> 32n) ^ d ^ k1, left & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [a, b, c, d].map(Number);
}
function blocks(n: number, { seed, stream, counter: given }: RandomKey): number[][] {
  const counter = now(given),
    low = counter % 2 ** 32,
    high = (counter - low) / 2 ** 32,
    seedLow = seed % 2 ** 32;
  const seedHigh = (seed - seedLow) / 2 ** 32;
  return Array.from(
    { length: Math.ceil(n / 4) },
    (_, i) => philox([i, low, high, seedHigh], [seedLow, stream]),
  );
}
function uniformReference(n: number, key: RandomKey): number[] {
  return blocks(n, key).flat().slice(0, n).map((bits) => (bits >>> 8) / 2 ** 24);
}
function normalReference(n: number, key: RandomKey): number[] {
  return blocks(n, key).flatMap(([u0, u1, v0, v1]) =>
    [[u0, v0], [u1, v1]].flatMap(([u, v]) => {
      const radius = Math.sqrt(-2 * Math.log1p(-(u >>> 8) / 2 ** 24));
      const angle = (2 * Math.PI) * (Math.floor(v / 64) / 2 ** 26 - 1 / 8);
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    })
  ).slice(0, n);
}

const key = { seed: 7, stream: 2, counter: 12345 };
const keys = [
  { seed: 0, stream: 0, counter: 0 },
  key,
  { seed: 0xffffffff, stream: 0xfffffffe, counter: 2 ** 53 - 1 },
  { seed: 2 ** 53 - 2, stream: 0x80000000, counter: 2 ** 32 },
];

Deno.test("the reference is Philox4x32-10: its authors' known answers", () => {
  assertEquals(philox([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  const ones = 0xffffffff;
  assertEquals(
    philox([ones, ones, ones, ones], [ones, ones]),
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  );
  assertEquals(
    philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  );
});
for (const k of keys) {
  // one; primes; a workgroup of 64 vec4; one more; several
  for (const n of [1, 7, 256, 257, 1300]) {
    const name = `${n} numbers of ${Object.values(k)}`;
    Deno.test(`uniform(): ${name}, bit for bit`, async () =>
      assertEquals([...await inFewGroups(() => uniform([n], k)).read()], uniformReference(n, k)));
    Deno.test(`normal(): ${name}`, async () =>
      assertClose("normal", await inFewGroups(() => normal([n], k)).read(), normalReference(n, k), {
        rtol: 1e-6,
      }));
  }
}
Deno.test("rows are draws of their own, also where the counter's low half ends", async () => {
  for (const cols of [1, 7, 8, 300]) {
    for (const counter of [0, 12345, 2 ** 32 - 2]) {
      const rows = await inFewGroups(() => normalRows(5, cols, { ...key, counter })).read();
      for (let i = 0; i < 5; i++) {
        const row = await normal([cols], { ...key, counter: counter + i }).read();
        assertEquals([...rows.subarray(i * cols, (i + 1) * cols)], [...row]);
      }
    }
  }
});
Deno.test("normal() is as exact for its rarer numbers", async () => {
  const n = 40_000, y = await normal([n], key).read();
  assertClose("normal", y, normalReference(n, key), { rtol: 2e-6, atol: 2e-6 });
});

/** Mean, variance, skewness and kurtosis. */
function moments(x: ArrayLike<number>): number[] {
  const values = Array.from(x), mean = values.reduce((a, b) => a + b) / values.length;
  const central = (k: number) =>
    values.reduce((total, v) => total + (v - mean) ** k, 0) / values.length;
  const variance = central(2);
  return [mean, variance, central(3) / variance ** 1.5, central(4) / variance ** 2];
}
const N = 1 << 18;
Deno.test("uniform() has the moments of uniform numbers", async () => {
  const x = await uniform([N], key).read();
  assertClose("moments", moments(x), [0.5, 1 / 12, 0, 1.8], { rtol: 5e-3, atol: 0.01 });
  assert(x.every((v) => v >= 0 && v < 1));
  const sixteenths = Array(16).fill(0);
  for (const v of x) sixteenths[Math.floor(16 * v)]++;
  // chi squared of 15 degrees of freedom: above 37.7 in one key of a thousand
  const chi = sixteenths.reduce((t, count) => t + (count - N / 16) ** 2 / (N / 16), 0);
  assert(chi < 37.7, `chi squared is ${chi}`);
});
Deno.test("normal() has the moments and tails of normal numbers", async () => {
  const x = await normal([N], key).read();
  assertClose("moments", moments(x), [0, 1, 0, 3], { rtol: 0.01, atol: 0.01 });
  assert(x.every(Number.isFinite));
  for (const [bound, share] of [[1, 0.31731], [2, 0.0455], [3, 0.0027]]) {
    const outside = x.filter((v) => Math.abs(v) > bound).length / N;
    assertClose(`share beyond ${bound}`, [outside], [share], {
      rtol: 0,
      atol: 4 * Math.sqrt(share / N),
    });
  }
});

function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [ma, va] = moments(a), [mb, vb] = moments(b);
  const covariance = Array.from(a).reduce((t, v, i) => t + (v - ma) * (b[i] - mb), 0) / a.length;
  return covariance / Math.sqrt(va * vb);
}
Deno.test("neighbours of any kind are not correlated", async () => {
  const x = await uniform([N], key).read(), few = 5 / Math.sqrt(N);
  const others = {
    counter: { ...key, counter: key.counter + 1 },
    stream: { ...key, stream: key.stream + 1 },
    seed: { ...key, seed: key.seed + 1 },
    "high seed": { ...key, seed: key.seed + 2 ** 32 },
    "high counter": { ...key, counter: key.counter + 2 ** 32 },
  };
  for (const [name, other] of Object.entries(others)) {
    const y = await uniform([N], other).read();
    const found = correlation(x, y);
    assert(Math.abs(found) < few, `${name}: ${found}`);
    const equal = x.filter((v, i) => v === y[i]).length;
    assert(equal < 5, `${name}: ${equal} equal numbers`);
  }
  for (const lag of [1, 2, 3, 4, 64, 256]) {
    const found = correlation(x.slice(lag), x.slice(0, -lag));
    assert(Math.abs(found) < few, `lag ${lag}: ${found}`);
  }
  const z = await normal([N], key).read();
  for (const lag of [1, 2, 3, 4]) {
    const found = correlation(z.slice(lag), z.slice(0, -lag));
    assert(Math.abs(found) < few, `normal, lag ${lag}: ${found}`);
  }
});
Deno.test("the same key gives the same numbers, and a longer draw begins with the shorter", async () => {
  for (const draw of [uniform, normal]) {
    const x = await draw([5, 7], key).read();
    assertEquals(await draw([35], key).read(), x);
    assertEquals((await draw([1000], key).read()).slice(0, 35), x);
  }
});
Deno.test("keys that are not such integers are refused", () => {
  assertThrows(() => uniform([1], { ...key, seed: -1 }), RangeError, "seed -1");
  assertThrows(() => uniform([1], { ...key, stream: 0.5 }), RangeError, "stream 0.5");
  assertThrows(() => normal([1], { ...key, counter: 2 ** 53 }), RangeError, "below 2^53");
});
