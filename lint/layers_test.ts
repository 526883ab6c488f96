import { assertEquals } from "@std/assert";
import plugin from "./layers.ts";

/** The rules that `source` breaks as the text of `file`. */
function broken(file: string, source: string): string[] {
  const root = decodeURIComponent(new URL("..", import.meta.url).pathname);
  return Deno.lint.runPlugin(plugin, root + file, source).map(({ id }) => id);
}

const TEXT = 'with { type: "text" }';
const CASES: [file: string, source: string, rule?: string][] = [
  ["tensor/op.ts", 'import { run } from "../gpu/run.ts";'],
  ["tensor/op.ts", 'import { add } from "../kernels/elementwise.ts";', "layers/imports"],
  ["tensor/op.ts", 'import type { Adam } from "../nn/adam.ts";', "layers/imports"],
  ["gpu/device.ts", 'const op = await import("../tensor/op.ts");', "layers/imports"],
  ["kernels/a.ts", 'import { b } from "./b.ts";'],
  ["kernels/a.ts", 'import { join } from "@std/path"; import m from "npm:m@1";'],
  ["kernels/a.ts", 'import { join } from "../compat/path.ts";'],
  ["kernels/a.ts", 'import { gan } from "../mod.ts";', "layers/imports"],
  ["kernels/a_test.ts", 'import { train } from "../train/loop.ts";'],
  ["models/pggan/net.ts", 'import { Adam } from "../../nn/adam.ts";'],
  ["models/pggan/net.ts", 'import { loop } from "../../train/loop.ts";', "layers/imports"],
  ["data/cache.ts", 'import { loop } from "../train/loop.ts";', "layers/imports"],
  ["data/cache.ts", 'import { G } from "../models/dcgan.ts";', "layers/imports"],
  ["train/loop.ts", 'import { load } from "../data/load.ts"; import { f } from "../models/f.ts";'],
  ["nn/checkpoint.ts", 'import { E } from "../io/errors.ts";'],
  ["io/npy.ts", 'import { Tensor } from "../tensor/tensor.ts";', "layers/imports"],
  ["train/loop.ts", 'import { fid } from "../eval/fid.ts";', "layers/imports"],
  ["eval/fid.ts", 'import { f } from "../models/f.ts"; import { load } from "../data/load.ts";'],
  ["eval/fid.ts", 'import { loop } from "../train/loop.ts";', "layers/imports"],
  ["main.ts", 'import { loop } from "./train/loop.ts"; import { fid } from "./eval/fid.ts";'],
  ["tests/a.ts", 'import { loop } from "../train/loop.ts"; import { g } from "../gpu/g.ts";'],
  ["kernels/a.ts", `import src from "./a.wgsl" ${TEXT};`],
  ["kernels/b.ts", `import src from "./a.wgsl" ${TEXT};`, "layers/imports"],
  ["kernels/a_test.ts", `import src from "./a.wgsl" ${TEXT};`, "layers/imports"],
  ["tests/a.ts", `import src from "../kernels/a.wgsl" ${TEXT};`, "layers/imports"],
  ["gpu/memory.ts", "function take(device: GPUDevice): GPUBuffer { return navigator.gpu; }"],
  ["nn/adam.ts", "let device: GPUDevice;", "layers/gpu"],
  ["nn/adam.ts", "const has = x instanceof GPUBuffer;", "layers/gpu"],
  ["main.ts", "const found = await navigator.gpu?.requestAdapter();", "layers/gpu"],
  ["nn/adam.ts", "const cores = navigator.hardwareConcurrency; const gpu = x.gpu;"],
  ["mod.ts", 'export { add } from "./kernels/a.ts"; export * from "./nn/adam.ts";'],
  ["nn/adam.ts", 'export { add } from "../kernels/a.ts";', "layers/reexport"],
  ["compat/a.ts", 'export * from "./b.ts";', "layers/reexport"],
  ["nn/adam.ts", "const a = 1; export { a }; export const b = 2; export default a;"],
];

for (const [file, source, rule] of CASES) {
  Deno.test(`layers: ${file}: ${source} ${rule ? `breaks ${rule}` : "is fine"}`, () => {
    assertEquals(broken(file, source), rule ? [rule] : []);
  });
}
