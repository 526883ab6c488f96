import { assertEquals, assertThrows } from "@std/assert";
import { inScope, part, type Storage, storage } from "./memory.ts";
import { read } from "./read.ts";
import { write } from "./copy.ts";
import { gpu } from "./gpu.ts";
import { readsRightly, run, twins } from "./run.ts";
import { openGpu } from "./engines/deno.ts";

await openGpu();

const sums = twins(
  "sums",
  {
    name: "sums.wgsl",
    text: `struct Params { n: u32 }
#if TEXTURES
#include texels
@group(0) @binding(0) var a: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(1) var b: texture_storage_2d_array<rgba32float, read>;
fn a_at(i: u32) -> vec4f { let t = place_of(i); return textureLoad(a, t.xy, t.z); }
fn b_at(i: u32) -> vec4f { let t = place_of(i); return textureLoad(b, t.xy, t.z); }
#else
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
fn a_at(i: u32) -> vec4f { return a[i]; }
fn b_at(i: u32) -> vec4f { return b[i]; }
#end
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<uniform> p: Params;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * 64 * 1024 + id.x;
  if (i >= p.n) { return; }
  y[i] = a_at(order[i]) + 2 * b_at(i);
}`,
  },
  "main",
);

function filled(values: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): Storage {
  const made = storage(values.byteLength);
  write(made, values);
  return made;
}

/** `a` backwards, plus twice `b`, read from buffers and from textures. */
async function both(texels: number, a: Storage, b: Storage): Promise<Float32Array[]> {
  const order = filled(Uint32Array.from({ length: texels }, (_, i) => texels - 1 - i));
  const results: Float32Array[] = [];
  for (const bytes of [undefined, 0]) {
    gpu().texturesFrom = bytes ?? Infinity;
    const y = storage(16 * texels), { textures } = gpu().counters;
    try {
      const bound = { a, b, order, y }, groups = Math.ceil(texels / 64);
      run(sums, bound, { n: texels }, [Math.min(groups, 1024), Math.ceil(groups / 1024), 1]);
    } finally {
      gpu().texturesFrom = undefined;
    }
    if (bytes === undefined) assertEquals(gpu().counters.textures, textures);
    results.push(new Float32Array(await read(y, 16 * texels)));
  }
  // It was compiled, so the second run was by textures.
  assertEquals(gpu().pipelines.get(sums.textures)?.size ?? 0, readsRightly() ? 1 : 0);
  return results;
}

const numbers = (texels: number, k: number) =>
  Float32Array.from({ length: 4 * texels }, (_, i) => (i * k) % 1013);

for (
  // A row is 1024 texels, a layer 16 rows.
  const texels of [16, 1024, 1040, 16_384, 16_416, 35_888]
) {
  Deno.test(`textures give what ${texels} texels in buffers do`, async () => {
    const a = numbers(texels, 7), b = numbers(texels, 11);
    const [plain, textured] = await both(texels, filled(a), filled(b));
    for (const i of [0, 1, 4 * texels - 1]) {
      const backwards = a[4 * (texels - 1 - Math.floor(i / 4)) + i % 4];
      assertEquals(plain[i], backwards + 2 * b[i], `element ${i}`);
    }
    assertEquals(plain.findIndex((value, i) => value !== textured[i]), -1);
  });
}

Deno.test("textures hold the part that is bound, and what two bindings share once", async () => {
  const whole = filled(numbers(256, 7)), own = part(whole, 1024, 1024);
  const before = gpu().counters.textures;
  const [plain, textured] = await both(64, own, own);
  assertEquals(plain, textured);
  assertEquals(gpu().counters.textures - before <= 1, true);
});

// Adds to one in place, whose old value it also shows.
const update = twins(
  "update",
  {
    name: "update.wgsl",
    text: `struct Params { n: u32 }
#if TEXTURES
#include texels
@group(0) @binding(0) var a: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(4) var y_was: texture_storage_2d_array<rgba32float, read>;
fn a_at(i: u32) -> vec4f { let t = place_of(i); return textureLoad(a, t.xy, t.z); }
fn y_at(i: u32) -> vec4f { let t = place_of(i); return textureLoad(y_was, t.xy, t.z); }
#else
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
fn a_at(i: u32) -> vec4f { return a[i]; }
fn y_at(i: u32) -> vec4f { return y[i]; }
#end
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> z: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= p.n) { return; }
  z[i] = y_at(i);
  y[i] = 2 * y_at(i) + a_at(i);
}`,
  },
  "main",
);

Deno.test("what is updated in place is read from a texture, and written where it is", async () => {
  const texels = 1040, a = numbers(texels, 7), old = numbers(texels, 5);
  const [y, z] = [filled(old), storage(16 * texels)];
  gpu().texturesFrom = 0;
  try {
    run(update, { a: filled(a), y, z }, { n: texels }, [Math.ceil(texels / 64), 1, 1]);
  } finally {
    gpu().texturesFrom = undefined;
  }
  const [found, before] = [await read(y, 16 * texels), await read(z, 16 * texels)];
  assertEquals(new Float32Array(found), old.map((v, i) => 2 * v + a[i]));
  assertEquals(new Float32Array(before), old);
  assertEquals(gpu().pipelines.get(update.textures)?.size ?? 0, readsRightly() ? 1 : 0);
});

Deno.test("what is missing or was taken back is named all the same", () => {
  const [a, order, y] = [1, 2, 3].map(() => storage(256));
  const gone = inScope(() => storage(256), () => []);
  gpu().texturesFrom = 0;
  try {
    const refused = (bound: Record<string, Storage>, message: string) =>
      assertThrows(() => run(sums, bound, { n: 1 }, [1, 1, 1]), TypeError, message);
    refused({ a, order, y }, "binding b is missing");
    refused({ a, b: gone, order, y }, "b was taken back");
  } finally {
    gpu().texturesFrom = undefined;
  }
});
