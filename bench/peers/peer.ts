/** What the peers' benchmarks have in common: they check, time and print as bench/main.ts does. */
import { parseArgs } from "node:util";
import { compareSampled, convAt, productAt } from "../reference.ts";

/** One thing to time. */
export interface Job {
  readonly shape: string;
  /** Runs it once; need not wait. */
  readonly run: () => void;
  /** Images a run. */
  readonly images?: number;
  /** Makes the first steps; each one's largest error. */
  readonly check?: () => Promise<number[]>;
}

/** A framework on WebGPU. */
export interface Peer {
  /** Its name and version. */
  readonly framework: string;
  /** Opens the device that ours would take, and returns its name. */
  readonly open: () => Promise<string>;
  /** Waits until all that was run is done. */
  readonly idle: () => Promise<void>;
  /** `a b`, all `[n, n]`. */
  readonly matmul: (a: Float32Array, b: Float32Array, n: number) => Single;
  /** Of `x` `[N, S, S, C]` with `w` `[kernel, kernel, C, O]`, stride 1, padding 1. */
  readonly conv: (x: Float32Array, w: Float32Array, sizes: ConvSizes) => Single;
  /** Starts a DCGAN from first steps' weights; a step is one of D, on real and fake apart, and one of G. */
  readonly dcgan: (first: FirstSteps) => Training;
}

/** A kernel alone. */
export interface Single {
  readonly run: () => void;
  /** Result of a run, in our order of axes. */
  readonly read: () => Promise<Float32Array>;
}

/** Networks that are trained. */
export interface Training {
  /** Draws latents and makes a step. */
  readonly run: () => void;
  /** Makes step `t` of the file's; returns D-real, D-fake, G. */
  readonly first: (t: number) => Promise<number[]>;
}

type ConvSizes = Parameters<typeof convAt>[2];

/** What bench/first_steps.ts writes, in PyTorch's layouts. */
export type FirstSteps = ReadonlyMap<
  string,
  { shape: number[]; data: Float32Array<ArrayBuffer> }
>;

/** As in bench/pytorch.py. */
const FIRST_STEPS = [1e-3, 2e-3, 1e-2];
const LEAST_SAMPLE = 60; // ms: a wait takes 10 to 12 whatever happens

/** Ends the run at the first command that the device refuses; call it as soon as there is one. */
export function endAtErrors(
  device: Pick<EventTarget, "addEventListener">,
): void {
  device.addEventListener("uncapturederror", (event) => {
    console.error(
      `refused by the device: ${(event as GPUUncapturedErrorEvent).error.message}`,
    );
    Deno.exit(1);
  });
}

/**
 * Runs a peer's benchmark, a JSON line a job; with no job, a line about the peer. Jobs that train begin
 * with the weights of a `--first` file; `--check` compares losses with it, and times nothing.
 */
export async function benchmark(peer: Peer): Promise<void> {
  const { values } = parseArgs({
    options: {
      "budget-ms": { type: "string", default: "500" },
      jobs: { type: "string", default: "matmul-512,conv-forward" },
      first: { type: "string", default: "" },
      check: { type: "boolean", default: false },
    },
  });
  const about = { device: await peer.open(), framework: peer.framework };
  const firsts = new Map<string, FirstSteps>();
  for (const path of values.first.split(",").filter(Boolean)) {
    const { job, held } = readSafetensors(await Deno.readFile(path));
    firsts.set(job, held);
  }
  const names = values.jobs.split(",").filter(Boolean);
  if (names.length === 0) console.log(JSON.stringify(about));
  for (const name of names) {
    const { shape, run, images, check } = await start(
      name,
      peer,
      firsts.get(name),
    );
    const line: Record<string, unknown> = { job: name, shape };
    if (values.check) line.errors = await check?.();
    else {
      const times = await time(run, peer.idle, Number(values["budget-ms"]));
      Object.assign(
        line,
        times,
        images && { images_per_s: round(1000 * images / times.ms_min) },
      );
    }
    console.log(JSON.stringify({ ...line, ...about }));
  }
  Deno.exit(0); // some keep timers or workers alive
}

async function start(
  name: string,
  peer: Peer,
  first?: FirstSteps,
): Promise<Job> {
  if (name.startsWith("dcgan-")) {
    if (!first) {
      throw new Error(
        `${name}: --first must name a file of bench/first_steps.ts for it`,
      );
    }
    const { run, first: step } = peer.dcgan(first);
    const check = () => checkFirstSteps(name, first, step);
    const [N, , R] = first.get("real")!.shape;
    return { shape: `N${N} ${R}^2 ngf64 ndf64`, run, images: N, check };
  }
  if (name === "matmul-512") {
    const n = 512,
      a = noise(n * n, 1),
      b = noise(n * n, 2),
      { run, read } = peer.matmul(a, b, n);
    compareSampled(name, await read(), productAt(a, b, n), 1e-4 * Math.sqrt(n));
    return { shape: `${n}x${n}x${n}`, run };
  }
  if (name === "conv-forward") {
    const sizes = {
      N: 16,
      S: 32,
      C: 64,
      O: 128,
      kernel: 3,
      stride: 1,
      padding: 1,
    };
    const x = noise(16 * 32 * 32 * 64, 1), w = noise(9 * 64 * 128, 2);
    const { run, read } = peer.conv(x, w, sizes);
    compareSampled(
      name,
      await read(),
      convAt(x, w, sizes),
      1e-4 * Math.sqrt(9 * 64),
    );
    return { shape: "N16 64->128 32^2 k3 s1", run };
  }
  throw new Error(`${name} is not among this peer's jobs`);
}

async function checkFirstSteps(
  name: string,
  first: FirstSteps,
  step: Training["first"],
): Promise<number[]> {
  const { shape: [, k], data } = first.get("losses")!, errors: number[] = [];
  for (const [t, tolerance] of FIRST_STEPS.entries()) {
    const got = await step(t),
      expected = [...data.subarray(t * k, (t + 1) * k)];
    const error = Math.max(
      ...got.map((v, i) => Math.abs(v - expected[i]) / Math.max(0.1, Math.abs(expected[i]))),
    );
    if (!(error <= tolerance)) { // NaN, too
      throw new Error(
        `${name}: losses of step ${t + 1} are ${got}, ours ${expected}`,
      );
    }
    errors.push(Number(error.toPrecision(2)));
  }
  return errors;
}

async function time(
  run: () => void,
  idle: () => Promise<void>,
  budget: number,
) {
  const sample = async (repeat: number) => {
    const start = performance.now();
    for (let i = 0; i < repeat; i++) run();
    await idle();
    return performance.now() - start;
  };
  await sample(1);
  let repeat = 1, took = await sample(1);
  while (took < LEAST_SAMPLE && repeat < 1024) {
    repeat = Math.ceil(repeat * Math.max(1.5, 1.2 * LEAST_SAMPLE / took));
    took = Math.min(await sample(repeat), await sample(repeat));
  }
  const samples: number[] = [];
  for (
    let spent = 0;
    spent < budget || samples.length < (took > 5000 ? 1 : 3);
    spent += took
  ) {
    took = await sample(repeat);
    samples.push(took / repeat);
  }
  samples.sort((a, b) => a - b);
  return {
    ms_min: round(samples[0]),
    ms_median: round(samples[samples.length >> 1]),
  };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

/** Numbers that look like N(0, 1). */
function noise(n: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  const uniform = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return Float32Array.from(
    { length: n },
    () =>
      Math.sqrt(-2 * Math.log(uniform() + 1e-12)) *
      Math.cos(2 * Math.PI * uniform()),
  );
}

function readSafetensors(
  bytes: Uint8Array<ArrayBuffer>,
): { job: string; held: FirstSteps } {
  const start = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  const { __metadata__: { job }, ...arrays } = header;
  const held = Object.entries(
    arrays as Record<
      string,
      { shape: number[]; data_offsets: [number, number] }
    >,
  ).map(([name, { shape, data_offsets: [begin, end] }]) => {
    const data = new Float32Array(
      bytes.buffer.slice(start + begin, start + end),
    );
    return [name, { shape, data }] as const;
  });
  return { job, held: new Map(held) };
}
