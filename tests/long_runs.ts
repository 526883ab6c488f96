/**
 * Runs for long and sees that nothing grows and nothing slows down: a training of many small steps, PGGAN
 * through all its stages, sampling again and again. Prints what it measures; ends with 1 if anything grew.
 *
 *     deno task long --steps 20000
 *
 * @module
 */
import { cpuUsage } from "node:process";
import { join } from "@std/path";
import { parseArgs } from "@std/cli/parse-args";
import { sampleCommand } from "../cli/sample.ts";
import { trainCommand } from "../cli/train.ts";
import { savePng } from "../data/png.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { gpu } from "../gpu/gpu.ts";
import { dcgan } from "../train/dcgan.ts";
import { train } from "../train/loop.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { pggan } from "../train/pggan.ts";
import type { Recipe } from "../train/recipe.ts";
import { newState } from "../train/state.ts";
import { datasetOf } from "./dataset.ts";

const tiny = { resolution: 16, batch: 4, nz: 8, ngf: 4, ndf: 4, fmapBase: 64, fmapMax: 8 };
/** Shares by which memory and the time of a step may grow. */
const MEMORY = 0.02, TIME = 0.05;
/** The same of resident memory where files are read and written, whose buffers come and go. */
const RESIDENT = 0.1;

/** What a process holds. */
interface Held {
  /** Resident, after a collection of garbage. */
  readonly bytes: number;
  readonly heap: number;
  readonly files: number;
  readonly gpuBytes: number;
  readonly buffers: number;
  readonly textures: number;
  readonly pipelines: number;
  readonly bindGroups: number;
}

function held(): Held {
  (globalThis as { gc?: () => void }).gc?.();
  const { bytes: gpuBytes, buffers, textures, pipelines, bindGroups } = gpu().counters;
  let files = 0;
  try {
    files = [...Deno.readDirSync("/proc/self/fd")].length;
  } catch {
    // there is no /proc
  }
  const { rss: bytes, heapUsed: heap } = Deno.memoryUsage();
  return { bytes, heap, files, gpuBytes, buffers, textures, pipelines, bindGroups };
}

let faults = 0;

/** Compares what is held with what was held; also the processor's milliseconds of a step, where given. */
function compare(
  what: string,
  before: Held,
  after: Held,
  { times, resident = MEMORY }: { times?: [before: number, after: number]; resident?: number } = {},
): void {
  const grown = Object.keys(before).filter((key) => {
    const [was, is] = [before, after].map((held) => held[key as keyof Held]);
    const share = key === "bytes" ? resident : key === "heap" ? MEMORY : 0;
    return is > (1 + share) * was;
  });
  const slower = times && times[1] > (1 + TIME) * times[0];
  if (slower) grown.push("time");
  faults += grown.length;
  console.log(JSON.stringify({ what, grown, before, after, ...times && { times } }));
}

const milliseconds = () => {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
};

/** Trains `steps` steps, and compares the last tenth with the second. */
async function manySteps(recipe: Recipe, changes: Partial<TrainOptions>, steps: number) {
  const options = { ...defaults, ...recipe.presets.small.options, ...tiny, ...changes };
  const state = newState(recipe, { ...options, recipe: recipe.name, preset: "small" });
  const tenth = Math.ceil(steps / 10), some = Math.ceil(tenth / 10);
  const marks: Held[] = [], times: number[] = [];
  let done = 0, at = milliseconds();
  await train({
    state,
    dataset: datasetOf(options.resolution),
    observer: {
      stepped: () => {
        if (++done % some === 0) {
          times.push((milliseconds() - at) / some);
          if (done % tenth === 0) marks.push(held());
          at = milliseconds();
        }
        return Promise.resolve();
      },
    },
  });
  // The least of ten, as others compute on the same machine; the first tenth warms up.
  const least = (from: number) => Math.min(...times.slice(from, from + 10));
  compare(`${done} steps of ${recipe.name}`, marks[0], marks.at(-1)!, {
    times: [least(10), least(times.length - 10)],
  });
}

/** PGGAN: in the last half of each stage nothing is made that was not there in the first. */
async function allStages(perPhase: number) {
  const phaseKimg = perPhase * tiny.batch / 1000;
  const grows = { phaseKimg, lastKimg: phaseKimg, phaseFactor: 1, kimg: 0, fullBatchTo: 16 };
  const options = { ...defaults, ...pggan.presets.small.options, ...tiny, ...grows };
  const state = newState(pggan, { ...options, recipe: "pggan", preset: "small" });
  let stage = "", done = 0, half: Held | undefined, last: Held | undefined;
  const finish = () => half && last && compare(`PGGAN, ${stage}`, half, last);
  await train({
    state,
    dataset: datasetOf(options.resolution),
    observer: {
      stepped: () => {
        const now = `${state.stage.resolution} pixels${state.stage.fading ? ", fading" : ""}`;
        if (now !== stage) {
          finish();
          [stage, done, half, last] = [now, 0, undefined, undefined];
        }
        done++;
        if (done === Math.floor(perPhase / 2)) half = held();
        if (done === perPhase - 2) last = held();
        return Promise.resolve();
      },
    },
  });
  finish();
}

async function manySamples(times: number) {
  const folder = await Deno.makeTempDir(), data = join(folder, "images");
  try {
    for (let i = 0; i < 8; i++) {
      const rgb = Uint8Array.from({ length: 16 * 16 * 3 }, (_, j) => (j * (7 + i)) % 256);
      await savePng(join(data, `${i}.png`), { width: 16, height: 16, rgb });
    }
    const networks = ["--preset", "small", "--resolution", "16", "--batch", "4", "--ngf", "4"];
    const rest = ["--ndf", "4", "--kimg", "0.02", "--data", data, "--out", folder, "--no-autotune"];
    await trainCommand(["dcgan", ...networks, ...rest, "--json"], () => {});
    let before: Held | undefined;
    for (let i = 0; i < times; i++) {
      const to = join(folder, `${i}.png`);
      await sampleCommand(["latest", "--out", folder, "--to", to, "--seed", `${i}`], () => {});
      if (i === Math.floor(times / 5)) before = held();
    }
    compare(`sampling ${times} times`, before!, held(), { resident: RESIDENT });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const { steps } = parseArgs(Deno.args, { string: ["steps"], default: { steps: "20000" } });
await openGpu();
const count = Number(steps);
await manySteps(dcgan, { kimg: count * tiny.batch / 1000 }, count);
await allStages(Math.ceil(count / 20));
await manySamples(50);
console.log(faults === 0 ? "nothing grew" : `${faults} grew`);
Deno.exit(faults === 0 ? 0 : 1);
