/**
 * Finds the fastest plan for each matrix product and convolution of a step by trials.
 *
 * @module
 */
import { deviceInfo } from "../gpu/device.ts";
import { gpu } from "../gpu/gpu.ts";
import { release } from "../gpu/memory.ts";
import { profile } from "../gpu/profile.ts";
import { idle, rehearsed } from "../gpu/record.ts";
import { scoped, type Tensor } from "../tensor/tensor.ts";
import { square, sub } from "./elementwise.ts";
import { candidates, type Plan, problemsOf, type Trial, useTuned } from "./plan.ts";
import { normal } from "./random.ts";
import { sum } from "./reduce.ts";

/** The result for one problem. */
export interface Tuned {
  /** The problem, e.g. `gather 4096x64x128` for rows, terms and columns. */
  readonly name: string;
  readonly plan: Plan;
  /** How many times faster than the plan of the rules. */
  readonly gain: number;
}

const SAMPLE_MS = 25; // a wait takes 10 to 12

/**
 * Tries plans for the problems that `step` meets and has no tuned plan for, on numbers of its own, and
 * uses the fastest from now on. `step` is only rehearsed: nothing that it writes to the device changes.
 *
 * @param report Called with the result for each problem.
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
  const operands = trial.operands.map((shape) => normal(shape, { seed: 1, stream: 1, counter: 0 }));
  const run: Run = (plan) => {
    for (const { storage } of operands) storage.version++; // laying them out is part of it
    return trial.run(plan, operands);
  };
  try {
    return await fastestOf(name, candidates(trial), run);
  } finally {
    for (const { storage } of operands) release(storage);
  }
}

type Run = (plan: Plan) => Tensor;

async function fastestOf(name: string, all: readonly Plan[], run: Run) {
  const right = await agreeing(run, all);
  if (right.length === 0) {
    throw new Error(`tune: ${name}: no kernel variant agrees with the reference`);
  }
  const { software, features } = deviceInfo();
  const byClock = !software && features.includes("timestamp-query");
  const times = await (byClock ? timesOfDevice : timesOfWaits)(run, right);
  const best = times.indexOf(Math.min(...times));
  const rules = right.indexOf(all[0]);
  return { plan: right[best], gain: rules < 0 ? 1 : times[rules] / times[best] };
}

/** Plans whose results agree with the rule's but for the order of summation. */
async function agreeing(run: Run, plans: readonly Plan[]): Promise<Plan[]> {
  const first = scoped(() => run(plans[0])), sizes: Tensor[] = [];
  for (const plan of plans) {
    sizes.push(scoped(() => sum(square(sub(run(plan), first)))));
  }
  sizes.push(scoped(() => sum(square(first))));
  // All at once: a wait takes 10 to 12 ms whatever happens.
  const differences = (await Promise.all(sizes.map((t) => t.read()))).map(([value]) => value);
  for (const { storage } of [first, ...sizes]) release(storage);
  const size = differences.pop()!;
  return plans.filter((_, i) => differences[i] <= 1e-8 * size); // not if it is NaN
}

/** Milliseconds that a run by each plan takes by the device's clock, all in turn. */
async function timesOfDevice(run: Run, plans: readonly Plan[]): Promise<number[]> {
  const ROUNDS = 4, ends: number[] = [];
  const timings = await profile(() => {
    const { counters } = gpu(), { dispatches } = counters;
    ends.length = 0;
    // An idle GPU is slow at first.
    for (let i = 0; i < ROUNDS; i++) {
      for (const plan of plans) {
        scoped(() => void run(plan));
        ends.push(counters.dispatches - dispatches);
      }
    }
  });
  const runs = ends.map((end, i) =>
    timings.slice(ends[i - 1] ?? 0, end).reduce((total, { ms }) => total + ms, 0)
  );
  return plans.map((_, i) => Math.min(...runs.filter((_, k) => k % plans.length === i)));
}

/** The same by the host's clock: the best of three samples. */
async function timesOfWaits(run: Run, plans: readonly Plan[]): Promise<number[]> {
  const times: number[] = [];
  for (const plan of plans) times.push(await time(() => scoped(() => void run(plan))));
  return times;
}

async function time(run: () => void): Promise<number> {
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
