/**
 * Every shader that trainings meet is standard WGSL: Dawn's compiler, which is Chrome's, accepts it
 * without a warning. It needs no GPU: Dawn's `null` backend compiles and does not run.
 */
import { assert, assertEquals } from "@std/assert";
import { create, globals } from "webgpu";
import { recipes } from "../cli/recipes.ts";
import { AS_GPU, describeAs, type DeviceInfo, openGpu } from "../gpu/device.ts";
import { directed, type Kernel } from "../gpu/kernel.ts";
import { rehearsed } from "../gpu/record.ts";
import { candidates, problemsOf } from "../kernels/plan.ts";
import { empty, scoped } from "../tensor/tensor.ts";
import { advance } from "../train/advance.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { grow, newState } from "../train/state.ts";
import { picturesOf } from "./pictures.ts";

await openGpu();
Object.assign(globalThis, globals);
const dawn = create(["backend=null"]); // must stay reachable
const adapter = await dawn.requestAdapter();
assert(adapter, "Dawn's null backend gives no adapter");
const device = await adapter.requestDevice({ requiredFeatures: ["shader-f16", "subgroups"] });

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
/** Options that reach every branch of the recipes. */
const CHANGES: Record<string, Partial<TrainOptions>> = {
  "": {},
  "f16": { precision: "f16" },
  "augmented": { augment: "color,translation,cutout", l1: 1e-6, l2: 1e-6 },
};
const SIDES = [32, 64, 128];

type Met = Map<string, { k: Kernel; constants: Record<string, number> }>;

function keep(met: Met, k: Kernel, constants: Readonly<Record<string, number>>): void {
  met.set(`${k.entryPoint} ${JSON.stringify(constants)} ${k.code}`, { k, constants });
}

/** The kernels of the first and the last steps of a run, and of all plans that a tuner would try. */
function kernelsOf(options: TrainOptions, met: Met): void {
  const note = (k: Kernel, constants: Readonly<Record<string, number>>) => keep(met, k, constants);
  rehearsed(() =>
    scoped(() => {
      const state = newState(recipes[options.recipe], options);
      // The first step of each phase, so that nets grow, fade in and stabilise.
      for (const { from, resolution } of state.schedule.phases) {
        state.images = from;
        grow(state);
        const step = () => scoped(() => void advance(state, options, picturesOf(resolution)));
        for (const trial of problemsOf(step).values()) {
          const operands = trial.operands.map((shape) => empty(shape));
          for (const plan of candidates(trial)) scoped(() => void trial.run(plan, operands));
        }
      }
    }), note);
}

async function refusals(met: Met): Promise<string[]> {
  const found: string[] = [], compiled = new Map<string, GPUShaderModule>();
  for (const { k, constants } of met.values()) {
    const code = directed(k.code, false);
    device.pushErrorScope("validation");
    let module = compiled.get(code);
    if (!module) {
      module = device.createShaderModule({ code });
      compiled.set(code, module);
      for (const { type, message, lineNum } of (await module.getCompilationInfo()).messages) {
        found.push(`${k.label}: ${type} in line ${lineNum}: ${message}`);
      }
    }
    const compute = { module, entryPoint: k.entryPoint, constants: { ...constants } };
    device.createComputePipeline({ layout: "auto", compute });
    const error = await device.popErrorScope();
    if (error) found.push(`${k.label}: ${error.message.split("\n")[0]}`);
  }
  return [...new Set(found)];
}

for (const [name, changes] of Object.entries(DEVICES)) {
  Deno.test(`the shaders of all trainings as on ${name} are standard WGSL`, async () => {
    const met: Met = new Map();
    describeAs(changes);
    try {
      for (const { name, presets } of Object.values(recipes)) {
        for (const [preset, { options }] of Object.entries(presets)) {
          for (const change of Object.values(CHANGES)) {
            for (const resolution of preset === "default" ? SIDES : [32]) {
              const short = { batch: 4, resolution, phaseKimg: 0.004, lastKimg: 0.004 };
              const narrow = { fmapBase: 1024, fmapMax: 128 }; // their weights are drawn on the host
              const all = { ...defaults, ...options, ...change, ...short, ...narrow };
              kernelsOf({ ...all, recipe: name, preset }, met);
            }
          }
        }
      }
    } finally {
      describeAs(undefined);
    }
    const texts = new Set(Array.from(met.values(), ({ k }) => k.code)).size;
    console.log(`${met.size} entry points with their constants, of ${texts} texts`);
    assert(met.size > 100, `only ${met.size} shaders were met`);
    assertEquals(await refusals(met), []);
  });
}
