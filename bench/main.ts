/**
 * Times kernels and whole steps, one JSON line each: `deno task bench`.
 *
 * That results are right is what `deno test` and `gan doctor` show; errors of the device end a run here.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { deviceInfo, openGpu } from "../gpu/device.ts";
import { flush, idle, profile } from "../gpu/record.ts";
import { timingTable } from "../gpu/stopwatch.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped } from "../tensor/tensor.ts";
import { flopOf, type Job, jobs } from "./jobs.ts";

const args = parseArgs(Deno.args, {
  string: ["device", "jobs", "budget-ms", "batch"],
  boolean: ["profile", "help"],
});
if (args.help) {
  console.log(
    "bench [--jobs a,b] [--batch 16] [--budget-ms 500] [--device D] [--profile]\n\n" +
      "Times jobs, one JSON line each; --profile shows where one step's time goes, kernel by kernel.",
  );
  Deno.exit(0);
}
const { software, name } = await openGpu(args.device as string | undefined);
const budget = Number(args["budget-ms"] ?? 500), all = jobs(Number(args.batch ?? 16));
const wanted = args.jobs ? String(args.jobs).split(",") : Object.keys(all);
const unknown = wanted.find((job) => !Object.hasOwn(all, job));
if (unknown !== undefined) {
  console.error(`bench: there is no job ${unknown}: choose of ${Object.keys(all).join(", ")}`);
  Deno.exit(2);
}
for (const job of wanted) {
  const made = all[job]();
  if (args.profile) await profileJob(job, made);
  else console.log(JSON.stringify({ job, ...await time(made) }));
}
Deno.exit(0);

/** Records a job once. Inputs count as changed, so that laying them out is part of what is timed. */
function once(job: Job): void {
  for (const x of job.inputs ?? []) x.storage.version++;
  // A training step records a graph; a kernel alone has no use for one.
  scoped(() => job.images || job.bytes ? job.run() : noGrad(job.run));
}

async function time(job: Job) {
  once(job);
  await idle();
  const flop = flopOf(job, once);
  await idle();
  // A wait takes 10 ms whatever happens, so a sample is many runs. How many follows from a longer one.
  let repeat = 1, took = await sample(job, 1);
  while (took < 100 && repeat < 512) took = await sample(job, repeat *= 2);
  const samples: number[] = [], end = performance.now() + budget;
  while (performance.now() < end || samples.length < 3) {
    samples.push(await sample(job, repeat) / repeat);
  }
  samples.sort((a, b) => a - b);
  const ms_min = samples[0], ms_median = samples[samples.length >> 1];
  const start = performance.now();
  once(job);
  const host_ms = performance.now() - start;
  await idle();
  return {
    shape: job.shape,
    ms_min: round(ms_min),
    ms_median: round(ms_median),
    ...(flop && { gflops: round(flop / ms_min / 1e6) }),
    ...(job.bytes && { gbs: round(job.bytes / ms_min / 1e6) }),
    ...(job.images && {
      images_per_s: round(1000 * job.images / ms_min),
      gflop: round(flop / 1e9),
      host_ms: round(host_ms),
    }),
    device: deviceInfo().name,
    framework: "webgan",
  };
}

async function sample(job: Job, repeat: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < repeat; i++) once(job);
  await idle();
  return performance.now() - start;
}

async function profileJob(label: string, job: Job): Promise<void> {
  once(job);
  const timings = await profile(() => {
    once(job);
    flush();
  });
  console.log(`${label} on ${name}`);
  if (software) {
    console.log("(a software device may stamp a kernel before it ends: read shares with care)");
  }
  for (const line of timingTable(timings)) console.log(line);
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
