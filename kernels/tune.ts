/**
 * Finds the fastest plan for each matrix product and convolution of a step by trying.
 *
 * @module
 */
import { deviceInfo } from "../gpu/device.ts";
import { release } from "../gpu/memory.ts";
import { idle, profile, rehearsed } from "../gpu/record.ts";
import { scoped } from "../tensor/tensor.ts";
import { candidates, type Plan, problemsOf, type Trial, useTuned } from "./plan.ts";

/** What became of one problem. */
export interface Tuned {
  /** The problem, e.g. `gather 4096x64x128` for rows, terms and columns. */
  readonly name: string;
  readonly plan: Plan;
  /** How many times faster than the plan of the rules. */
  readonly gain: number;
}

const SAMPLE_MS = 25; // a wait takes 10 to 12 whatever happens

/**
 * Tries plans for the problems that `step` meets and has no tuned plan for, on numbers of its own, and
 * uses the fastest from now on. `step` is only rehearsed: nothing that it writes to the device changes.
 *
 * @param report Is told of each problem once it is decided.
 */
export async function tune(
  step: () => void,
  report: (tuned: Tuned, done: number, of: number) => void = () => {},
): Promise<void> {
  const problems = problemsOf(() => rehearsed(step));
  let done = 0;
  for (const [name, trial] of problems) {
    const { plan, gain } = await fastest(name, trial);
    useTuned({ [name]: plan });
    report({ name, plan, gain }, ++done, problems.size);
  }
}

async function fastest(name: string, trial: Trial) {
  const plans = candidates(trial), times: number[] = [];
  let expected: Float32Array | undefined;
  for (const plan of plans) {
    const y = scoped(() => trial.run(plan)), found = await y.read();
    release(y.storage);
    expected ??= found;
    // Plans add up in different orders, and no more than that: a device may get one wrong.
    times.push(agree(expected, found) ? await time(() => scoped(() => void trial.run(plan))) : NaN);
  }
  const best = times.reduce((b, ms, i) => ms < times[b] ? i : b, 0);
  if (!Number.isFinite(times[best])) throw new Error(`tune: ${name}: the device computes nonsense`);
  return { plan: plans[best], gain: times[0] / times[best] };
}

function agree(a: Float32Array, b: Float32Array): boolean {
  let difference = 0, size = 0;
  for (let i = 0; i < a.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    size += a[i] ** 2;
  }
  return difference <= 1e-8 * size;
}

/** Milliseconds that one run takes: the best of three samples, as something else may hold one up. */
async function time(run: () => void): Promise<number> {
  const { software, features } = deviceInfo();
  // On a GPU by its own clock, which needs no long samples.
  if (!software && features.includes("timestamp-query")) {
    const samples = await profile(() => [1, 2, 3, 4].forEach(run));
    const n = samples.length / 4, times = samples.map(({ ms }) => ms);
    const sums = [1, 2, 3].map((i) => times.slice(i * n, (i + 1) * n).reduce((a, b) => a + b, 0));
    return Math.min(...sums);
  }
  let repeat = 1, best = Infinity;
  for (let samples = 0; samples < 3;) {
    await idle();
    const start = performance.now();
    for (let i = 0; i < repeat; i++) run();
    await idle();
    const ms = performance.now() - start;
    if (ms < SAMPLE_MS && repeat < 256) {
      repeat *= 2;
      continue;
    }
    best = Math.min(best, ms / repeat);
    samples++;
  }
  return best;
}
