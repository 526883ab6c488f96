import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { type Lap, timed, timingTable } from "./stopwatch.ts";

/** What a clock of steps of `step` ns shows of kernels that take `ns` each, and how often each ran. */
function fakeClock(step: number, kernels: readonly number[]) {
  const ran = kernels.map(() => 0), runs: number[][] = [];
  let now = 12_345_678;
  const shown = () => BigInt(Math.floor(now / step) * step);
  const measure = (repeats: readonly number[]): Promise<Lap[]> => {
    runs.push(kernels.map((_, i) => repeats[i] ?? 1));
    return Promise.resolve(kernels.map((ns, i) => {
      const begin = shown(), repeat = repeats[i] ?? 1;
      now += ns * repeat;
      ran[i] += repeat;
      return { label: `kernel ${i}`, begin, end: shown() };
    }));
  };
  return { measure, runs };
}

// Dawn's clock has steps of 65,536 ns (npm webgpu 0.6.2): a pass of 20 us reads 0 or 65,536.
Deno.test("by a coarse clock short passes repeat until they last 20 steps", async () => {
  const step = 65_536, kernels = [20_000, 300, 65_536, 700_000, 5e6];
  const { measure, runs } = fakeClock(step, kernels);
  const timings = await timed(measure);
  for (const [i, { label, ms }] of timings.entries()) {
    assertEquals(label, `kernel ${i}`);
    assertAlmostEquals(ms, kernels[i] / 1e6, 0.06 * kernels[i] / 1e6);
    assert(runs.at(-1)![i] * kernels[i] >= 19 * step, label);
  }
  assertEquals([runs[0], runs.at(-1)![4]], [[1, 1, 1, 1, 1], 1], "long ones run once each time");
  assert(runs.length <= 5, `${runs.length} runs`);
});

Deno.test("by a fine clock all run once, also what seems to take no time", async () => {
  const { measure, runs } = fakeClock(1, [20_000, 3000, 0]);
  const timings = await timed(measure);
  assertEquals(timings.map(({ ms }) => ms), [0.02, 0.003, 0]);
  assertEquals(runs.length, 1);
  assertEquals(await timed(() => Promise.resolve([])), []);
});

Deno.test("repeats end where a pass takes no time at all", async () => {
  const { measure, runs } = fakeClock(65_536, [0, 1e6]);
  assertEquals((await timed(measure))[0].ms, 0);
  assert(runs.length <= 6, `${runs.length} runs`);
});

Deno.test("a table has a row for each label, the longest first", () => {
  const row = (label: string, ms: number) => ({ label, ms });
  assertEquals(timingTable([row("a", 1), row("b", 2), row("a", 0.5)]), [
    "3.50 ms in 3 dispatches",
    "     2.00 ms  57.1%    1x  b",
    "     1.50 ms  42.9%    2x  a",
  ]);
});
