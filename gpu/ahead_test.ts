import { assert, assertEquals } from "@std/assert";
import { type Compilation, compileAhead, dispatchNone, type Helper } from "./ahead.ts";
import { openGpu } from "./engines/deno.ts";
import type { Engine } from "./device.ts";
import { helper, keepsCode } from "./engines/helper.ts";
import { Gpu } from "./gpu.ts";
import { kernel } from "./kernel.ts";
import { release, type Storage, storage } from "./memory.ts";
import { read } from "./read.ts";
import { record } from "./record.ts";

const g = await openGpu();

/** A kernel that no cache knows, with `lines` of code. */
function fresh(lines: number) {
  const seed = Math.random().toFixed(7);
  return kernel(
    `fresh ${lines}`,
    `struct Params { x: f32 }
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> p: Params;
@compute @workgroup_size(8) fn main(@builtin(local_invocation_id) l: vec3u) {
  var s = p.x + f32(l.x) - ${seed};
${"  s += sin(s) * cos(s + 1.5);\n".repeat(lines)}
  y[l.x] = s;
}`,
  );
}

const numbers = async (from: Storage) => new Float32Array(await read(from, 32));

/** A step of those kernels, of which each writes to a buffer of its own. */
function stepOf(kernels: readonly ReturnType<typeof kernel>[]) {
  const outs = kernels.map(() => storage(32));
  const step = () =>
    kernels.forEach((k, i) => record(k, { y: outs[i] }, { x: () => i + 0.5 }, [1, 1, 1]));
  return { outs, step };
}

Deno.test("a step whose kernels are compiled ahead compiles nothing, and computes the same", async () => {
  const kernels = [fresh(3), fresh(2)], { outs, step } = stepOf(kernels);
  const told: number[][] = [], before = g.counters.pipelines;
  await compileAhead(step, (...counts) => told.push(counts));
  assertEquals(told, [[1, 2], [2, 2]]);
  assertEquals(g.counters.pipelines, before + 2);
  assertEquals(await numbers(outs[0]), new Float32Array(8), "nothing was dispatched");
  step();
  assertEquals(g.counters.pipelines, before + 2);
  const ahead = await Promise.all(outs.map(numbers));
  await compileAhead(step, () => assert(false, "all are compiled"));
  outs.forEach(release);
  const other = stepOf(kernels.map(({ label, code }) => kernel(label, code)));
  other.step();
  assertEquals(await Promise.all(other.outs.map(numbers)), ahead);
  other.outs.forEach(release);
});

/** A Gpu whose helpers do as told, and nothing else. */
function helped(compile: Helper["compile"], count: { closed: number }, more: Partial<Engine> = {}) {
  const { device, info, engine: { compileApart: _, ...engine }, choice, root } = g;
  const helper = () => Promise.resolve({ compile, close: () => void count.closed++ });
  return new Gpu(device, { info, choice, root, engine: { ...engine, helper, ...more } });
}

for (const fails of [false, true]) {
  Deno.test(`helpers${fails ? " that fail" : ""} take part, and no kernel is left out`, async () => {
    const given: Compilation[] = [], count = { closed: 0 };
    const other = helped((one) => {
      given.push(one);
      return fails ? Promise.reject(new Error("no")) : Promise.resolve();
    }, count);
    const { step } = other.use(() =>
      stepOf([fresh(200), ...Array.from({ length: 8 }, () => fresh(1))])
    );
    await other.use(() => compileAhead(step));
    assertEquals(given.length, 8); // all but the one that told that it takes long
    assertEquals(new Set(given.map(({ kernel }) => kernel)).size, 8);
    assertEquals(given[0].params, { x: 1.5 });
    assertEquals(other.counters.pipelines, 9);
    assertEquals(count.closed, Math.min(2, navigator.hardwareConcurrency, 8));
  });
}

for (const fails of [false, true]) {
  Deno.test(`what a process ${fails ? "fails to compile" : "compiles"} comes last`, async () => {
    const told: string[] = [], { promise, resolve, reject } = Promise.withResolvers<void>();
    const apart = (_: Gpu, [first, ...rest]: readonly Compilation[]) => {
      assertEquals(rest.length, 2);
      return Promise.resolve({ kernels: new Set([first]), done: promise });
    };
    const other = helped(() => Promise.resolve(), { closed: 0 }, { compileApart: apart });
    const { step } = other.use(() => stepOf([fresh(3), fresh(2), fresh(1)]));
    const tell = (done: number, of: number) => {
      told.push(`${done} of ${of}`);
      if (done !== 2) return;
      setTimeout(() => {
        told.push("done");
        (fails ? reject : resolve)();
      }, 50);
    };
    await other.use(() => compileAhead(step, tell));
    assertEquals(told, ["1 of 3", "2 of 3", "done", "3 of 3"]);
    assertEquals(other.counters.pipelines, 3);
  });
}

Deno.test("a helper compiles in a worker with a device of its own", async () => {
  const it = await helper(g), k = fresh(3);
  assert(it, `no helper for ${g.info.name}`);
  const one = { kernel: k, constants: {}, params: { x: 1 }, sizes: {} };
  await it.compile(one);
  await it.compile({ ...one, params: { x: 2 } });
  it.close();
  dispatchNone(g, one);
  await g.check();
});

Deno.test("no helper is started where Mesa keeps no machine code", async () => {
  const names = ["MESA_SHADER_CACHE_DISABLE", "MESA_SHADER_CACHE_DIR"];
  const before = names.map((name) => Deno.env.get(name)), folder = await Deno.makeTempDir();
  const keeps = (disable: string, place: string) => {
    Deno.env.set(names[0], disable);
    Deno.env.set(names[1], place);
    return keepsCode();
  };
  try {
    assertEquals(await keeps("", `${folder}/new`), true);
    assertEquals(await keeps("true", folder), false);
    await Deno.writeTextFile(`${folder}/file`, "");
    assertEquals(await keeps("", `${folder}/file/below`), false);
  } finally {
    for (const [i, name] of names.entries()) {
      if (before[i] === undefined) Deno.env.delete(name);
      else Deno.env.set(name, before[i]);
    }
    await Deno.remove(folder, { recursive: true });
  }
});
