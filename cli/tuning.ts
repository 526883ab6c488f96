import { crc32 } from "node:zlib";
import { dirname, join } from "@std/path";
import type { DeviceInfo } from "../gpu/device.ts";
import { profile } from "../gpu/profile.ts";
import { timingTable } from "../gpu/stopwatch.ts";
import { tunedPlans, useTuned } from "../kernels/plan.ts";
import { tune } from "../kernels/tune.ts";
import { RUN_PLANS } from "../run/run_folder.ts";
import { writeAtomically } from "../io/write_atomically.ts";

/** Finds the fastest way to compute a step. */
type Tune = (step: () => void) => Promise<void>;

const FORMAT = 4; // grows when kernels change so much that old plans are no longer the best

/** Plans by the names of their problems. */
type Plans = ReturnType<typeof tunedPlans>;

const sumOf = (maker: string, plans: unknown) => crc32(JSON.stringify([maker, plans]));

/** The plans that are kept in a file by this maker; none if it was edited, for a device might fail by them. */
export async function keptPlans(file: string, maker: string): Promise<Plans> {
  try {
    const kept = JSON.parse(await Deno.readTextFile(file));
    return kept.maker === maker && kept.sum === sumOf(maker, kept.plans) ? kept.plans : {};
  } catch {
    return {}; // none yet, or broken: they are found again
  }
}

/** Keeps plans in a file, whose folder is made if it is not there. */
export async function keepPlans(file: string, maker: string, plans: Plans): Promise<void> {
  const text = JSON.stringify({ maker, sum: sumOf(maker, plans), plans }, undefined, 1);
  await Deno.mkdir(dirname(file), { recursive: true });
  await writeAtomically(file, new TextEncoder().encode(text));
}

/** The file of a device's plans in a cache, and by what they were made. */
export function placeOf(
  cache: string,
  { name, features }: Pick<DeviceInfo, "name" | "features">,
): { file: string; maker: string } {
  return {
    file: join(cache, `plans-${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.json`),
    maker: JSON.stringify([FORMAT, name, Deno.version.deno, features]),
  };
}

/** Where plans are kept, and what is told of them. */
export interface Tuning {
  /** Folder of the plans of all runs. */
  readonly cache: string;
  /** Folder of the run, if there is one. It keeps those that it uses: others would round other sums. */
  readonly run?: string | undefined;
  readonly device: Pick<DeviceInfo, "name" | "features" | "software">;
  readonly say: (text: string) => void;
}

/**
 * What tries plans for a step's products and convolutions, and keeps the best of them for this device,
 * so that each is tried once. A run that goes on computes by the plans that it had.
 *
 * @param wanted Whether plans are tried: by default on GPUs. False leaves out the run's own, too.
 * @returns Undefined if none are tried.
 */
export async function openTuner(
  { cache, run, device, say }: Tuning,
  wanted?: boolean,
): Promise<Tune | undefined> {
  if (wanted === false) return undefined;
  const { file, maker } = placeOf(cache, device), tries = wanted ?? !device.software;
  const own = run && join(run, RUN_PLANS);
  let kept = own ? await keptPlans(own, maker) : {};
  if (own && Object.keys(kept).length === 0 && await exists(own)) {
    say(
      `${own} is damaged, or of another device or version: sums may be rounded otherwise from here on`,
    );
  }
  useTuned({ ...tries ? await keptPlans(file, maker) : {}, ...kept });
  if (!tries) return undefined;
  return async (step) => {
    if (await tried(step, say)) await keepPlans(file, maker, tunedPlans());
    if (!own || JSON.stringify(kept) === JSON.stringify(tunedPlans())) return;
    kept = tunedPlans();
    await keepPlans(own, maker, kept);
  };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Whether there was anything to try. */
async function tried(step: () => void, say: (text: string) => void): Promise<boolean> {
  const start = performance.now();
  let tried = 0, gain = 0;
  await tune(step, (tuned, done, of) => {
    if (done === 1) say(`Tuning: trying plans for ${of} products and convolutions`);
    tried = of;
    gain += Math.log(tuned.gain);
  });
  if (tried === 0) return false;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  say(
    `Tuned in ${seconds} s: on average ${
      Math.exp(gain / tried).toFixed(2)
    } times as fast as untuned`,
  );
  return true;
}

/** As `tune`, and says of the first step how long each of its kernels takes. */
export function profiling(say: (text: string) => void, tune?: Tune): Tune {
  let shown = false;
  return async (step) => {
    await tune?.(step);
    if (shown) return;
    shown = true;
    step(); // compiles
    for (const line of timingTable(await profile(step, false))) say(line);
  };
}
