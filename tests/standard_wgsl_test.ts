/**
 * Every shader that trainings meet is standard WGSL: Dawn's compiler, which is Chrome's, accepts it
 * without a warning. It needs no GPU: Dawn's `null` backend compiles and does not run.
 */
import { assert, assertEquals } from "@std/assert";
import { recipes } from "../cli/recipes.ts";
import { AS_GPU, type DeviceInfo, deviceInfo } from "../gpu/device.ts";
import { gpu } from "../gpu/gpu.ts";
import { directed, type Kernel } from "../gpu/kernel.ts";
import { rehearsed } from "../gpu/record.ts";
import { candidates, problemsOf } from "../kernels/plan.ts";
import { empty, scoped } from "../tensor/tensor.ts";
import { advance } from "../train/advance.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { grow, newState } from "../train/state.ts";
import type { Entry } from "./dawn/entry.ts";
import { datasetOf } from "./dataset.ts";
import { openGpu } from "../gpu/engines/deno.ts";

await openGpu();

const DEVICES: Record<string, Partial<DeviceInfo> | undefined> = {
  "this device": undefined,
  "a GPU": AS_GPU,
  "8 lanes": { software: true, lanes: 8, fastTextures: true, slowBuffers: true, sharing: true },
  "no sharing": {
    software: true,
    lanes: 8,
    fastTextures: false,
    slowBuffers: false,
    sharing: false,
  },
};
/** Runs that reach every branch of the recipes: presets with their other options. */
const RUNS: readonly (readonly [preset: string, changes: Partial<TrainOptions>])[] = [
  ...[32, 64, 128].map((resolution) => ["default", { resolution }] as const),
  ["default", { resolution: 32, precision: "f16" }],
  ["default", { resolution: 32, augment: "color,translation,cutout", l1: 1e-6, l2: 1e-6 }],
  ["small", { resolution: 32 }],
  ["thesis", { resolution: 32 }],
];

type Met = Map<string, Entry>;

function keep(met: Met, k: Kernel, constants: Readonly<Record<string, number>>): void {
  const { label, entryPoint } = k, code = directed(k.code, { enablesSubgroups: true });
  const entry = { label, entryPoint, code, constants: { ...constants } };
  met.set(JSON.stringify(entry), entry);
}

/** The kernels of a step of each kind of phase, and of all plans that a tuner would try on a GPU. */
function kernelsOf(options: TrainOptions, met: Met): void {
  const note = (k: Kernel, constants: Readonly<Record<string, number>>) => keep(met, k, constants);
  rehearsed(() =>
    scoped(() => {
      const state = newState(recipes[options.recipe], options);
      // Networks that grow: at 4 pixels, fading in the last level, and grown.
      const { phases } = state.schedule, last = phases.length - 1;
      for (const i of new Set([0, Math.max(0, last - 2), last])) {
        state.images = phases[i].from;
        grow(state);
        const dataset = datasetOf(phases[i].resolution);
        const step = () => scoped(() => void advance(state, dataset));
        for (const trial of problemsOf(step).values()) {
          const plans = deviceInfo().software ? [] : candidates(trial);
          const operands = trial.operands.map((shape) => empty(shape));
          for (const plan of plans) scoped(() => void trial.run(plan, operands));
        }
      }
    }), note);
}

async function refusals(met: Met): Promise<string[]> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify([...met.values()]));
    const dawn = new URL("./dawn", import.meta.url).pathname;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--config", `${dawn}/deno.json`, `${dawn}/compile.ts`, file],
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const all: string[] = JSON.parse(new TextDecoder().decode(stdout));
    // The null backend has the least limits of all; a real device's are asked for and kept to.
    return all.filter((message) => !/larger than the maximum|exceeds the maximum/.test(message));
  } finally {
    await Deno.remove(file);
  }
}

for (const [device, changes] of Object.entries(DEVICES)) {
  Deno.test(`the shaders of all trainings as on ${device} are standard WGSL`, async () => {
    const met: Met = new Map();
    gpu().describeAs(changes);
    try {
      for (const { name, presets } of Object.values(recipes)) {
        const runs = ["8 lanes", "no sharing"].includes(device) ? RUNS.slice(0, 4) : RUNS;
        for (const [preset, changes] of runs.filter(([preset]) => presets[preset])) {
          const short = { batch: 4, phaseKimg: 0.004, lastKimg: 0.004 };
          const narrow = { fmapBase: 1024, fmapMax: 128 }; // their weights are drawn on the host
          const options = { ...defaults, ...presets[preset].options, ...narrow, ...short };
          kernelsOf({ ...options, ...changes, recipe: name, preset }, met);
        }
      }
      for (const penalty of [{ gp: 10, drift: 1e-3 }, { r1: 1, r1Every: 1 }]) {
        const options = { ...defaults, ...recipes.pggan.presets.small.options, ...penalty };
        kernelsOf({ ...options, batch: 4, kimg: 0, recipe: "pggan", preset: "small" }, met);
      }
    } finally {
      gpu().describeAs(undefined);
    }
    const texts = new Set(Array.from(met.values(), ({ code }) => code)).size;
    console.log(`${met.size} entry points with their constants, of ${texts} texts`);
    assert(met.size > 100, `only ${met.size} shaders were met`);
    assertEquals(await refusals(met), []);
  });
}
