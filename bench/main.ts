/**
 * Times kernels and whole steps, one JSON line each: `deno task bench`.
 *
 * Each job's results are checked first, and errors of the device end a run: a time is that of right
 * results.
 *
 * @module
 */
import { compileAhead } from "../gpu/ahead.ts";
import { parseArgs } from "@std/cli/parse-args";
import { deviceInfo } from "../gpu/device.ts";
import { gpu } from "../gpu/gpu.ts";
import { profile } from "../gpu/profile.ts";
import { idle, trim } from "../gpu/record.ts";
import { timingTable } from "../gpu/stopwatch.ts";
import { forcePlan, type Plan } from "../kernels/plan.ts";
import type { Precision } from "../kernels/precision.ts";
import { openTuner } from "../cli/tuning.ts";
import { hostTimes, hostTimesAsGpu } from "./host.ts";
import type { Job } from "./job.ts";
import { jobs, onRequest } from "./jobs.ts";
import { trainingNames } from "./trainings.ts";
import { byWallClock } from "./profile.ts";
import { openGpu } from "../gpu/engines/deno.ts";

const HELP = `bench [--jobs a,b] [--batch 16] [--budget-ms 500] [--device D]
      [--precision f32|f16] [--profile] [--no-host] [--no-autotune] [--force-plan JSON] [--list]

Times jobs, one JSON line each; --profile shows where one run's time goes, kernel by kernel
(dcgan-32 unless --jobs says otherwise); --list names the jobs; --no-host leaves out what a step takes
of the host, which wants most of a run on a software device. On a GPU plans are tuned first, as
training does, and kept where it keeps them. --force-plan computes all products and convolutions by
one plan, for experiments, as in --force-plan '{"load":"tile","MR":8,"NV":2,"wx":8,"wy":8,"wz":1}'
(kernels/plan.ts tells what there is; tests/plans runs the tests by each kind).`;

/** Milliseconds. A wait is noticed 10 late at most: a small share of a sample, which on a GPU is many runs. */
const LEAST_SAMPLE = { software: 60, gpu: 300 };
const MOST_REPEATS = 16_384;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(words: string[]): Promise<number> {
  const strangers: string[] = [];
  const args = parseArgs(words, {
    string: ["device", "jobs", "budget-ms", "batch", "precision", "force-plan"],
    boolean: ["profile", "list", "help", "autotune", "host"],
    negatable: ["autotune", "host"],
    default: { autotune: true, host: true },
    unknown: (word) => strangers.push(word) === 0,
  });
  if (args.help) {
    console.log(HELP);
    return 0;
  }
  if (strangers.length) return refuse(`there is no ${strangers[0]}: --help tells what there is`);
  const budget = Number(args["budget-ms"] ?? 500), batch = Number(args.batch ?? 16);
  const all = jobs(batch);
  if (args.list) {
    for (const job of Object.keys(all)) {
      const trains = trainingNames.includes(job);
      console.log(JSON.stringify({ job, trains, onRequest: onRequest.includes(job) }));
    }
    return 0;
  }
  const names = args.jobs
    ? String(args.jobs).split(",")
    : args.profile
    ? ["dcgan-32"]
    : Object.keys(all).filter((name) => !onRequest.includes(name));
  const unknown = names.find((name) => !Object.hasOwn(all, name));
  if (unknown !== undefined) {
    return refuse(`there is no job ${unknown}: choose of ${Object.keys(all).join(", ")}`);
  }
  if (!(budget > 0)) return refuse(`--budget-ms ${args["budget-ms"]} is not a number above 0`);
  if (!(Number.isInteger(batch) && batch > 0)) {
    return refuse(`--batch ${args.batch} is not a count`);
  }
  const precision = args.precision ?? "f32";
  if (precision !== "f32" && precision !== "f16") {
    return refuse(`--precision ${precision}: choose f32 or f16`);
  }
  try {
    const { device, "force-plan": forced, autotune, profile, host } = args as Partial<Asked>;
    const flags = { autotune: autotune === true, profile: profile === true, host: host === true };
    await runJobs(names, { budget, batch, precision, device, "force-plan": forced, ...flags });
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`);
    return 1;
  }
  return 0;
}

/** What jobs are run with. */
interface Asked {
  readonly budget: number;
  readonly batch: number;
  readonly precision: Precision;
  readonly device: string | undefined;
  readonly "force-plan": string | undefined;
  readonly autotune: boolean;
  readonly profile: boolean;
  readonly host: boolean;
}

async function runJobs(names: readonly string[], asked: Asked): Promise<void> {
  const { budget, batch, precision, "force-plan": forced } = asked;
  const { info: device } = await openGpu({ choice: asked.device });
  if (forced !== undefined) forcePlan(planOf(forced));
  const say = (text: string) => console.error(`bench: ${text}`);
  const tune = !device.software && asked.autotune && forced === undefined
    ? await openTuner({ cache: "runs/.cache", device, say }, true)
    : undefined;
  for (const name of names) {
    trim(); // so that no job works in what another has left
    const job = jobs(batch, precision)[name]();
    await compileAhead(job.rehearse ?? job.run); // as training does
    await job.check();
    await tune?.(job.run);
    const line = asked.profile
      ? await profiled(name, job)
      : JSON.stringify({ job: name, precision, ...await time(job, budget, asked.host) });
    console.log(line);
  }
}

/** What of a plan a text in JSON says. */
function planOf(text: string): Partial<Plan> {
  const known = ["load", "MR", "NV", "KU", "wx", "wy", "wz", "share", "fill"];
  let plan: Partial<Plan>;
  try {
    plan = JSON.parse(text);
  } catch {
    throw new Error(`--force-plan ${text} is not JSON`);
  }
  const unknown = Object.keys(plan).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new Error(`--force-plan: a plan has no ${unknown}: choose of ${known.join(", ")}`);
  }
  const { load, MR } = plan;
  if (load === "tile" && !(MR && MR % 4 === 0)) {
    throw new Error(`--force-plan: tiles want an MR that is a multiple of 4, got ${MR}`);
  }
  return plan;
}

function refuse(message: string): number {
  console.error(`bench: ${message}`);
  return 2;
}

function once(job: Job): void {
  // Kernels keep operands that they have laid out until these change. In training, activations and
  // weights always have: so the inputs count as changed, and laying out is part of what is timed.
  for (const x of job.inputs) x.storage.version++;
  job.run();
}

async function time(job: Job, budget: number, host: boolean) {
  once(job); // pipelines, the pool's memory
  const before = gpu().counters.flop;
  once(job);
  const flop = gpu().counters.flop - before;
  await idle();
  // How many runs make a sample: by the best of a few, as one may have been held up.
  const least = deviceInfo().software ? LEAST_SAMPLE.software : LEAST_SAMPLE.gpu;
  let repeat = 1, took = await sample(job, 1);
  if (took < 2 * least) took = Math.min(took, await fastest(job, 1));
  while (took < least && repeat < MOST_REPEATS) {
    repeat = Math.min(MOST_REPEATS, Math.ceil(repeat * Math.max(1.5, 1.2 * least / took)));
    took = await fastest(job, repeat);
  }
  const samples: number[] = [], { bytes } = gpu().counters;
  for (let spent = 0; spent < budget || samples.length < 3;) {
    took = await sample(job, repeat);
    spent += took;
    samples.push(took / repeat);
  }
  if (gpu().counters.bytes !== bytes) {
    throw new Error("a run does not give its memory back, so that taking more was timed, too");
  }
  samples.sort((a, b) => a - b);
  const memory = peakMemory(); // of the job alone: timing the host takes more
  const ms_min = samples[0], ms_median = samples[samples.length >> 1];
  return {
    shape: job.shape,
    ms_min: round(ms_min),
    ms_median: round(ms_median),
    ...(job.bytes
      ? { gbs: round(job.bytes / ms_min / 1e6) }
      : { gflops: round(flop / ms_min / 1e6) }),
    ...(job.images && {
      gflop: round(flop / 1e9),
      images_per_s: round(1000 * job.images / ms_min),
      ...host && rounded(await hostTimes(() => once(job), job.player)),
      ...host && deviceInfo().software &&
        { as_gpu: rounded(await hostTimesAsGpu(() => once(job), job.player)) },
    }),
    ...memory,
    device: deviceInfo().name,
    framework: "webgan",
  };
}

/** The most memory that this process has had, in MB, where Linux tells it: of one job if it had no other. */
function peakMemory(): { peak_mb?: number } {
  try {
    const kB = /VmHWM:\s*(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))?.[1];
    return kB === undefined ? {} : { peak_mb: round(Number(kB) * 1024 / 1e6) };
  } catch {
    return {};
  }
}

async function sample(job: Job, repeat: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < repeat; i++) once(job);
  await idle();
  return performance.now() - start;
}

async function fastest(job: Job, repeat: number): Promise<number> {
  let ms = Infinity;
  for (let i = 0; i < 3; i++) ms = Math.min(ms, await sample(job, repeat));
  return ms;
}

/** Where one run's time goes, a table. */
async function profiled(name: string, job: Job): Promise<string> {
  const { software, name: device } = deviceInfo(), run = () => once(job);
  run();
  // A GPU that was idle is slow for a while.
  if (!software) await sample(job, Math.ceil(500 / await sample(job, 1)));
  const timings = software ? await byWallClock(run) : await profile(run);
  const how = software ? "each kernel alone by wall clock" : "timestamps";
  return [`${name} on ${device}, ${how}`, ...timingTable(timings)].join("\n");
}

function rounded(numbers: object) {
  return Object.fromEntries(Object.entries(numbers).map(([name, n]) => [name, round(n)]));
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
