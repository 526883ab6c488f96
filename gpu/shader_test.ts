import { assertEquals, assertThrows } from "@std/assert";
import { kernel } from "./kernel.ts";
import { readShader } from "./shader.ts";

const code = `
// @group(0) @binding(9) var<storage, read> ghost: array<f32>;
/* /* nested */ fn ghost2() { y[0] = 1; } */
enable f16;
alias V = vec4f;
alias Row = array<V, 4>;
struct Params { n: u32, @align(16) k: f32, table: array<vec2<u32>, 3>, rows: Row }
@group(0) @binding(0) var<storage, read> x: array<V>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var image: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(3) var<uniform> p: Params;
@group(0) @binding(4) var<storage, read> late: array<f32>;

fn helper(x: vec4f, image: u32) -> f32 { return x.y + f32(image); }
fn deep() -> f32 { return helper(vec4f(), 1u); }
override LATE: u32 = 4u;
const SUM = 3;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  var<function> i = 0u;
  y[i] = deep() + f32(LATE);
}

@compute @workgroup_size(8, LATE)
fn other(@builtin(local_invocation_index) l: u32) {
  for (var late = 0u; late < 3; late++) { let p = late; }
  if (p.n > l) { let x = x[l]; y[l] = x.late; }
}

@compute @workgroup_size(1)
fn textured() { let v = textureLoad(image, vec2u(), 0); y[0] = v.x; late_helper(); }
fn late_helper() { y[1] = late[0]; }
`;
const shader = readShader(code);

Deno.test("bindings have their index, space and type; comments and attributes do not count", () => {
  assertEquals(shader.bindings, [
    { name: "x", index: 0, space: "storage, read", type: "array<vec4f>" },
    { name: "y", index: 1, space: "storage, read_write", type: "array<f32>" },
    { name: "image", index: 2, space: "", type: "texture_storage_2d_array<rgba32float,read>" },
    { name: "p", index: 3, space: "uniform", type: "Params" },
    { name: "late", index: 4, space: "storage, read", type: "array<f32>" },
  ]);
});

Deno.test("fields of a struct come in order", () => {
  assertEquals(shader.fields("Params"), [
    { name: "n", type: "u32" },
    { name: "k", type: "f32" },
    { name: "table", type: "array<vec2<u32>,3>" },
    { name: "rows", type: "array<vec4f,4>" },
  ]);
  assertEquals(shader.fields("None"), []);
});

Deno.test("a parameter named as a binding is not that binding", () => {
  assertEquals(shader.usedBy("main"), new Set(["y"]));
});

Deno.test("locals hide a binding where they are in scope, and members are no names", () => {
  assertEquals(shader.usedBy("other"), new Set(["p", "x", "y"]));
});

Deno.test("functions may stand anywhere, with declarations of the module between them", () => {
  assertEquals(shader.usedBy("textured"), new Set(["image", "y", "late"]));
});

Deno.test("a function that is no entry point, or is missing, is none", () => {
  assertEquals([shader.usedBy("helper"), shader.usedBy("none")], [undefined, undefined]);
});

Deno.test("a kernel without an entry point is told of when it is first used", () => {
  const missing = kernel("some", "fn helper() {}");
  assertThrows(() => missing.bindings, TypeError, "some.wgsl has no entry point main");
});
