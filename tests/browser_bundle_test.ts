/** All that computes runs in a browser: it is bundled, and run where there is no `Deno`. */
import { assert, assertEquals } from "@std/assert";
import { inFolder } from "./support.ts";
import { join } from "@std/path";

const FOLDERS = ["gpu", "tensor", "kernels", "nn", "models"];
/** All but the browser's are for Deno. */
const isElsewhere = (path: string) => /^gpu\/engines\/(?!browser)/.test(path);

function* modules(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(`../${folder}`, import.meta.url))) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* modules(path);
    else if (/(?<!_test)\.ts$/.test(name) && !isElsewhere(path)) yield path;
  }
}

/** A module that exports all others, by their paths. */
function entry(paths: Iterable<string>): string {
  const root = new URL("..", import.meta.url);
  return Array.from(paths, (path) => {
    return `export * as ${path.replace(/\W/g, "_")} from "${new URL(path, root).href}";`;
  }).join("\n");
}

/** Trains a little: a convolution, its gradient, a step of Adam. */
const PAGE = `delete globalThis.Deno;
delete globalThis.process;
const m = await import("./bundle.js");
const { info } = await m.gpu_engines_browser_ts.openGpu();
const { tensor } = m.tensor_tensor_ts, { conv2d } = m.kernels_conv2d_ts;
const x = tensor(Array(36).fill(2), [1, 6, 6, 1]);
const w = tensor(Array(9).fill(1), [3, 3, 1, 1], true);
const loss = m.kernels_reduce_ts.sum(conv2d(x, w, { stride: 1, padding: 0 }));
const [dw] = m.nn_grad_ts.grad(loss, [w]);
const adam = new m.nn_adam_ts.Adam([w], { lr: 0.5, betas: [0, 0.9] });
adam.step([dw]);
const read = async (t) => Array.from(await t.read(), (value) => Number(value.toFixed(6)));
console.log(JSON.stringify({
  loss: await read(loss), dw: await read(dw), w: await read(w), name: info.name,
  has: ["Deno", "process"].filter((name) => name in globalThis),
}));
`;

async function run(args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("what computes is bundled for browsers without Deno, and computes there", async () => {
  await inFolder(async (folder) => {
    const [all, bundle, page] = ["all.ts", "bundle.js", "page.js"].map((name) =>
      join(folder, name)
    );
    const paths = FOLDERS.flatMap((folder) => [...modules(folder)]);
    await Deno.writeTextFile(all, entry(paths));
    const config = new URL("../deno.json", import.meta.url).pathname;
    await run([
      "bundle",
      "--quiet",
      "--config",
      config,
      "--platform",
      "browser",
      "-o",
      bundle,
      all,
    ]);
    const text = await Deno.readTextFile(bundle);
    assert(paths.length > 80 && text.length > 200_000, `${paths.length} files, ${text.length}`);
    assertEquals(text.match(/.*(\bDeno\b|node:|\brequire\b).*/g), null);
    await Deno.writeTextFile(page, PAGE);
    const { name, ...found } = JSON.parse(await run(["run", "-A", "--no-config", page]));
    assert(name.length > 0);
    // The sum of 16 products with nine of 2; 16 places by 2; Adam's first step is lr long.
    assertEquals(found, { loss: [288], dw: Array(9).fill(32), w: Array(9).fill(0.5), has: [] });
  });
});
