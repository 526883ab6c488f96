import { openGpu } from "../gpu/device.ts";
import { assert, assertEquals } from "@std/assert";
import { assertClose } from "../tests/support.ts";
import { normal, type RandomKey, uniform } from "./random.ts";
await openGpu();

function pcg4d(x: number[]): number[] {
  const v = x.map((e) => (Math.imul(e, 1664525) + 1013904223) >>> 0);
  const mix = () => {
    for (const [i, j, k] of [[0, 1, 3], [1, 2, 0], [2, 0, 1], [3, 1, 2]]) {
      v[i] = (v[i] + Math.imul(v[j], v[k])) >>> 0;
    }
  };
  mix();
  for (let i = 0; i < 4; i++) v[i] = (v[i] ^ (v[i] >>> 16)) >>> 0;
  mix();
  return v;
}
/** The definition: the first `n` uniform numbers of a key. */
function reference(n: number, { seed, stream, counter }: RandomKey): number[] {
  const high = (x: number) => Math.floor(x / 2 ** 32);
  const key = pcg4d([seed >>> 0, high(seed), stream, high(counter)]);
  return Array.from({ length: Math.ceil(n / 4) }, (_, i) => {
    const with_ = [i, counter >>> 0, 0x9e3779b9, 0x7f4a7c15];
    return pcg4d(key.map((e, j) => (e ^ with_[j]) >>> 0)).map((e) => (e >>> 8) / 2 ** 24);
  }).flat().slice(0, n);
}
const keys: RandomKey[] = [
  { seed: 0, stream: 0, counter: 0 },
  { seed: 1, stream: 2, counter: 3 },
  { seed: 2 ** 40 + 7, stream: 1, counter: 2 ** 33 + 5 },
];
for (const key of keys) {
  for (const n of [1, 7, 256, 257]) {
    Deno.test(`uniform() of ${n}, key ${Object.values(key)}: bit for bit`, async () =>
      assertEquals([...await uniform([n], key).read()], reference(n, key)));
  }
  Deno.test(`normal(), key ${Object.values(key)}: Box-Muller of the uniform numbers`, async () => {
    const u = reference(1000, key), expected: number[] = [];
    for (let i = 0; i < 1000; i += 4) {
      const [r, s] = [u[i], u[i + 1]].map((e) => Math.sqrt(-2 * Math.log(1 - e)));
      const [a, b] = [2 * Math.PI * u[i + 2], 2 * Math.PI * u[i + 3]];
      expected.push(r * Math.cos(a), s * Math.cos(b), r * Math.sin(a), s * Math.sin(b));
    }
    const close = { rtol: 1e-4, atol: 2e-5 };
    assertClose("z", await normal([1000], key).read(), expected, close);
  });
}
Deno.test("normal numbers have the moments of N(0, 1)", async () => {
  const n = 100_000, x = await normal([n], { seed: 5, stream: 1, counter: 9 }).read();
  const moment = (k: number) => x.reduce((t, v) => t + v ** k, 0) / n;
  [0, 1, 0, 3].forEach((m, i) =>
    assert(Math.abs(moment(i + 1) - m) < 0.06, `moment ${i + 1} is ${moment(i + 1)}`)
  );
});
Deno.test("neighbouring counters, seeds and streams are unrelated", async () => {
  const n = 20_000, base = { seed: 3, stream: 1, counter: 64 };
  const x = await normal([n], base).read();
  for (const key of [{ counter: 65 }, { seed: 4 }, { stream: 2 }, { counter: 64 + 2 ** 32 }]) {
    const y = await normal([n], { ...base, ...key }).read();
    const correlation = x.reduce((t, v, i) => t + v * y[i], 0) / n;
    assert(Math.abs(correlation) < 0.03, `${JSON.stringify(key)}: correlation ${correlation}`);
  }
  const lag = x.slice(0, -1).reduce((t, v, i) => t + v * x[i + 1], 0) / n;
  assert(Math.abs(lag) < 0.03, `lag 1: correlation ${lag}`);
});
