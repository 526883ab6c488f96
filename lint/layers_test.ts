import { assertEquals } from "@std/assert";
import plugin from "./layers.ts";
import { ALLOWED } from "./state.ts";

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
  ["nn/adam.ts", "function f(device: GPUDevice) {}", "layers/gpu"],
  ["nn/adam.ts", "const has = x instanceof GPUBuffer;", "layers/gpu"],
  ["main.ts", "const found = await navigator.gpu?.requestAdapter();", "layers/gpu"],
  ["nn/adam.ts", "const cores = navigator.hardwareConcurrency; const gpu = x.gpu;"],
  ["mod.ts", 'export { add } from "./kernels/a.ts"; export * from "./nn/adam.ts";'],
  ["nn/adam.ts", 'export { add } from "../kernels/a.ts";', "layers/reexport"],
  ["compat/a.ts", 'export * from "./b.ts";', "layers/reexport"],
  ["gpu/read.ts", "const text = await Deno.readTextFile(path);", "layers/host"],
  ["nn/adam.ts", "function save(file: Deno.FsFile): void {}", "layers/host"],
  ["kernels/a.ts", "const isDeno = typeof Deno === 'object';", "layers/host"],
  ["models/net.ts", "const { Deno } = globalThis;", "layers/host"],
  ["models/net.ts", "const runs = { Deno: 1 }; const one = runs.Deno;"],
  ["train/loss.ts", "import { cpus } from 'node:os';", "layers/host"],
  ["tensor/op.ts", "const os = await import('node:os');", "layers/host"],
  ["gpu/engines/deno.ts", "const wanted = Deno.env.get('GAN_DEVICE');"],
  ["io/npy.ts", "import { gunzip } from 'node:zlib'; Deno.exit();"],
  ["gpu/read_test.ts", "Deno.test('a', () => {});"],
  ["main.ts", "Deno.exit(await main(Deno.args));"],
  ["run/a.ts", "Deno.exit();"],
  ["eval/files/a.ts", "Deno.exit();"],
  ["eval/a.ts", "Deno.exit();", "layers/host"],
  ["nn/adam.ts", "let steps = 0;", "layers/state"],
  ["nn/adam.ts", "export let steps = 0, more: number | undefined;", "layers/state"],
  ["nn/adam.ts", "const kept = new Map<string, number>(); kept.set('a', 1);", "layers/state"],
  ["nn/adam.ts", "const seen = new WeakSet(); function see(x) { seen.add(x); }", "layers/state"],
  [
    "nn/adam.ts",
    "const all: number[] = []; export const add = (x) => all.push(x);",
    "layers/state",
  ],
  ["nn/adam.ts", "const all = [0]; function next() { return all[0]++; }", "layers/state"],
  ["nn/adam.ts", "const [a] = [{ n: 0 }]; function next() { a.n = 1; }", "layers/state"],
  ["nn/adam.ts", "const made = {}; function forget(x) { delete made[x]; }", "layers/state"],
  ["nn/adam.ts", "const view = new DataView(bytes); view.setFloat32(0, 1);", "layers/state"],
  ["nn/adam.ts", "import { c } from '../gpu/c.ts'; c.dispatches += 1;", "layers/state"],
  ["nn/adam.ts", "const NAMES = new Map([['a', 1]]); const a = NAMES.get('a');"],
  ["nn/adam.ts", "import { all } from './all.ts'; function f(all) { all.push(1); }"],
  ["nn/adam.ts", "const all = [1]; for (const all of x) all.n = 1;"],
  ["nn/adam.ts", "const all = [1]; function f() { const all = []; all.push(1); }"],
  ["nn/adam.ts", "const find = memo(make); function f() { let n = 0; n++; this.#n = n; }"],
  ["nn/adam_test.ts", "let steps = 0;"],
  ["bench/main.ts", "let steps = 0;"],
  ["gpu/gpu.ts", "let current;"],
  ["nn/adam.ts", "const a = 1; export { a }; export const b = 2; export default a;"],
];

for (const [file, source, rule] of CASES) {
  Deno.test(`layers: ${file}: ${source} ${rule ? `breaks ${rule}` : "is fine"}`, () => {
    assertEquals([...new Set(broken(file, source))], rule ? [rule] : []);
  });
}

Deno.test("layers: files of 300 lines and functions of 60 are fine, longer ones are not", () => {
  const lines = (n: number) => "// a line\n".repeat(n);
  const body = (n: number) => `export function f() {\n${lines(n - 2)}}\n`;
  assertEquals(broken("nn/a.ts", lines(300)), []);
  assertEquals(broken("nn/a.ts", lines(301)), ["layers/size"]);
  assertEquals(broken("nn/a.ts", body(60)), []);
  assertEquals(broken("nn/a.ts", body(61)), ["layers/size"]);
  assertEquals(broken("nn/a_test.ts", lines(301) + body(61)), []);
});

const read = (file: string) => Deno.readTextFileSync(new URL(`../${file}`, import.meta.url));

Deno.test("layers: every variable that may change changes", () => {
  const places = Object.keys(ALLOWED).map((place) => place.split(" "));
  const still = ([file, name]: string[]) => {
    const path = decodeURIComponent(new URL("../nn/a.ts", import.meta.url).pathname);
    return Deno.lint.runPlugin(plugin, path, read(file)).some(({ id, message }) =>
      id === "layers/state" && message.startsWith(`${name} `)
    );
  };
  assertEquals(places.filter((place) => !still(place)), [], "delete these in lint/state.ts");
});
