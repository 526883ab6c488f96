/**
 * Compiles shaders with Dawn's compiler and prints what it refuses or warns of, as a JSON list: for
 * standard_wgsl_test.ts, in a process of its own, as Dawn and Deno's own WebGPU do not share one well.
 * It has a configuration of its own, as Deno fetches all packages of the repository's at the first command of
 * every user, and Dawn takes 132 MB.
 *
 * @module
 */
import { create } from "webgpu";
import type { Entry } from "./entry.ts";

const dawn = create(["backend=null"]);
Object.assign(globalThis, { dawn }); // it must stay reachable
const adapter = await dawn.requestAdapter();
if (!adapter) throw new Error("Dawn's null backend gives no adapter");
const device = await adapter.requestDevice({ requiredFeatures: ["shader-f16", "subgroups"] });

async function refusals(entries: readonly Entry[]): Promise<string[]> {
  const found = new Set<string>();
  const modules = new Map<string, ReturnType<typeof device.createShaderModule>>();
  for (const { label, code, entryPoint, constants } of entries) {
    device.pushErrorScope("validation");
    let module = modules.get(code);
    if (!module) {
      module = device.createShaderModule({ code });
      modules.set(code, module);
      for (const { type, message, lineNum } of (await module.getCompilationInfo()).messages) {
        found.add(`${label}: ${type}: ${message}: ${code.split("\n")[lineNum - 1]?.trim()}`);
      }
    }
    device.createComputePipeline({ layout: "auto", compute: { module, entryPoint, constants } });
    const error = await device.popErrorScope();
    if (error) found.add(`${label}: ${error.message.split("\n")[0]}`);
  }
  return [...found];
}

const entries: Entry[] = JSON.parse(await Deno.readTextFile(Deno.args[0]));
console.log(JSON.stringify(await refusals(entries)));
Deno.exit();
