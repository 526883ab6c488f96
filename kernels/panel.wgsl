// Lays an array out for the GEMM kernels: [layers][rows][width] texels of four channels, with zeros
// around the picture and behind the last channel, so that those kernels need no bounds.
// Texel (layer, row, x C4 + c4) holds channels 4 c4 ... of element (layer, row - top, x - left).
override TRANSPOSED: bool = false; // neighbouring invocations walk along rows, not along channels
struct Params {
  layers: u32, rows: u32, width: u32, C4: u32, top: u32, left: u32,
  H: u32, W: u32, C: u32, sl: u32, sy: u32, sx: u32, sc: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>;
@group(0) @binding(2) var image: texture_storage_2d_array<rgba32float, write>;
@group(0) @binding(3) var<storage, read_write> panel: array<vec4f>;
@group(0) @binding(4) var<uniform> p: Params;

struct Texel { layer: u32, row: u32, col: u32, at: u32, c: u32, inside: bool, exists: bool }

fn texel(i: u32) -> Texel {
  var t: Texel;
  t.exists = i < p.layers * p.rows * p.width;
  t.layer = i / (p.rows * p.width);
  if (TRANSPOSED) {
    t.row = i % p.rows;
    t.col = i / p.rows % p.width;
  } else {
    t.col = i % p.width;
    t.row = i / p.width % p.rows;
  }
  let row = t.row - p.top; // wraps to a huge number above the picture
  let column = t.col / p.C4 - p.left;
  t.c = 4 * (t.col % p.C4);
  t.inside = t.exists && row < p.H && column < p.W && t.c < p.C;
  t.at = t.layer * p.sl + row * p.sy + column * p.sx + t.c * p.sc;
  return t;
}

@compute @workgroup_size(64)
fn aligned_texture(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = texel(id.y * groups.x * 64u + id.x);
  if (!t.exists) { return; }
  var v = vec4f();
  if (t.inside) { v = x4[t.at / 4]; }
  textureStore(image, vec2u(t.col, t.row), t.layer, v);
}

@compute @workgroup_size(64)
fn aligned_buffer(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = texel(id.y * groups.x * 64u + id.x);
  if (!t.exists) { return; }
  var v = vec4f();
  if (t.inside) { v = x4[t.at / 4]; }
  panel[(t.layer * p.rows + t.row) * p.width + t.col] = v;
}

@compute @workgroup_size(64)
fn strided_texture(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = texel(id.y * groups.x * 64u + id.x);
  if (!t.exists) { return; }
  var v = vec4f();
  if (t.inside) {
    v.x = x[t.at];
    if (t.c + 1 < p.C) { v.y = x[t.at + p.sc]; }
    if (t.c + 2 < p.C) { v.z = x[t.at + 2 * p.sc]; }
    if (t.c + 3 < p.C) { v.w = x[t.at + 3 * p.sc]; }
  }
  textureStore(image, vec2u(t.col, t.row), t.layer, v);
}

@compute @workgroup_size(64)
fn strided_buffer(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = texel(id.y * groups.x * 64u + id.x);
  if (!t.exists) { return; }
  var v = vec4f();
  if (t.inside) {
    v.x = x[t.at];
    if (t.c + 1 < p.C) { v.y = x[t.at + p.sc]; }
    if (t.c + 2 < p.C) { v.z = x[t.at + 2 * p.sc]; }
    if (t.c + 3 < p.C) { v.w = x[t.at + 3 * p.sc]; }
  }
  panel[(t.layer * p.rows + t.row) * p.width + t.col] = v;
}
