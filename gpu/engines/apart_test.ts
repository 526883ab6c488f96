import { assert, assertEquals } from "@std/assert";
import type { Compilation } from "../ahead.ts";
import { kernel } from "../kernel.ts";
import { compileInto, isNarrow } from "./apart.ts";
import { openGpu } from "./deno.ts";
import { compileNarrow, compilesIn } from "./narrow.ts";

const g = await openGpu();
const deno = Deno.execPath();

/** A kernel that no cache knows. */
function fresh(read = "array<f32>", more = "") {
  const space = read.startsWith("texture") ? "var" : "var<storage, read>";
  const x = read.startsWith("texture") ? "textureLoad(x, vec2u(), 0).x" : "x[0]";
  return kernel(
    "fresh",
    `struct Params { k: f32 }
@group(0) @binding(0) ${space} x: ${read};
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;
@compute @workgroup_size(8) fn main(@builtin(local_invocation_id) l: vec3u) {
  y[l.x] = ${x} * p.k + ${Math.random().toFixed(7)}; ${more}
}`,
  );
}

const compilation = (k = fresh()): Compilation => ({
  ...{ kernel: k, constants: {}, params: { k: 1 }, sizes: {} },
});

const filesIn = (folder: string): string[] =>
  [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(`${folder}/${name}`).map((file) => `${name}/${file}`) : [name]
  ).sort();

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("what reads buffers alone is compiled apart; what reads textures or shares is not", () => {
  assert(isNarrow(fresh()));
  assert(!isNarrow(fresh("texture_storage_2d_array<rgba32float, read>")));
  assert(!isNarrow(fresh("array<f32>", "y[l.x] = subgroupBroadcastFirst(y[l.x]);")));
});

Deno.test("a process compiles into the cache of a folder, and leaves nothing else there", () =>
  inFolder(async (folder) => {
    const order = (code: string) => {
      const k = { ...fresh(), code }, parts = { ...k, constants: {} };
      const kernels = [{ kernel: k, sizes: {}, slot: Array<number>(256).fill(0), parts }];
      return { features: [...g.device.features], limits: g.info.limits, kernels };
    };
    const plain = `${folder}/plain`, one = order(fresh().code);
    Deno.mkdirSync(plain);
    assertEquals(await compilesIn({ deno, bits: 256, folder: plain }, one), true);
    const kept = filesIn(plain).filter((file) => file.startsWith("mesa_shader_cache/"));
    Deno.removeSync(plain, { recursive: true });
    // From 25.0 on, Mesa keeps all in one file, of another folder.
    assertEquals(await compileNarrow({ deno, folder }, one), kept.length > 0);
    const files = filesIn(folder);
    assertEquals(files.every((file) => file.startsWith("mesa_shader_cache/")), true);
    assertEquals(files.length > 0, kept.length > 0);
    assertEquals(await compileNarrow({ deno, folder }, order("fn main( {")), false);
    assertEquals(
      await compileNarrow({ deno: `${folder}/none`, folder }, order("")).catch(() => 0),
      0,
    );
    assertEquals(filesIn(folder), files);
  }));

Deno.test("a kernel is compiled apart once, if the driver uses what it finds", () =>
  inFolder(async (folder) => {
    const one = compilation();
    const begun = await compileInto(folder, g, [one]);
    assertEquals([...begun!.kernels], [one]);
    await begun!.done;
    const file = `${folder}/mesa_shader_cache/webgan-narrow.json`;
    const { mixes, kernels } = JSON.parse(await Deno.readTextFile(file));
    assertEquals(typeof mixes, "boolean");
    assertEquals(kernels.length, mixes ? 1 : 0);
    assertEquals(await compileInto(folder, g, [one]), undefined);
    const other = { ...one, params: { k: 2 } };
    assertEquals((await compileInto(folder, g, [other]))?.kernels.has(other) ?? false, mixes);
  }));
