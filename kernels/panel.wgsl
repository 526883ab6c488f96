#if HALF
enable f16;
alias Stored = vec4<f16>;
#else
alias Stored = vec4f;
#end
// Lays an array out for the GEMM kernels: [layers][rows][width] texels of four channels, with zeros
// around the image and behind the last channel, so that those kernels need no bounds.
// Texel (layer, row, x C4 + c4) holds channels 4 c4 ... of element (layer, row - top, x - left).
// With HALF operands are rounded to half precision.
// Integer divisions are slow on the software device: the grid tells lines of texels apart.
override FLAT: bool = false; // a row's channels follow one another at steps of sc: no division
override TRANSPOSED: bool = false; // neighbouring invocations walk along rows, not along channels
override WX: u32 = 64; // workgroup: along a line
override WY: u32 = 1; // and across lines
struct Params {
  layers: u32, rows: u32, width: u32, C4: u32, top: u32, left: u32,
  H: u32, W: u32, C: u32, sl: u32, sy: u32, sx: u32, sc: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>;
@group(0) @binding(2) var image: texture_storage_2d_array<$FORMAT, write>;
@group(0) @binding(3) var<storage, read_write> panel: array<Stored>;
@group(0) @binding(4) var<uniform> p: Params;

// Where a texel is and what it holds: the channels from x[at] on, `left` of them but 4 at most.
struct Texel { layer: u32, row: u32, col: u32, at: u32, left: u32, exists: bool }

fn texel(id: vec3u, lines: u32) -> Texel {
  var t: Texel;
  let line = id.y + id.z * lines;
  if (TRANSPOSED) {
    t.row = id.x;
    t.layer = line / p.width;
    t.col = line - t.layer * p.width;
  } else {
    t.col = id.x;
    t.layer = line / p.rows;
    t.row = line - t.layer * p.rows;
  }
  t.exists = t.layer < p.layers && t.row < p.rows && t.col < p.width;
  // Above and left of the image these wrap to huge numbers.
  let row = t.row - p.top;
  let start = t.layer * p.sl + row * p.sy;
  var inside = t.exists && row < p.H;
  if (FLAT) {
    let c = 4 * (t.col - p.left * p.C4);
    inside = inside && c < p.W * p.C;
    t.left = select(0, p.W * p.C - c, inside);
    t.at = start + c * p.sc;
  } else {
    let place = t.col / p.C4;
    let c = 4 * (t.col - place * p.C4);
    let column = place - p.left;
    inside = inside && column < p.W && c < p.C;
    t.left = select(0, p.C - c, inside);
    t.at = start + column * p.sx + c * p.sc;
  }
  return t;
}

#if HALF
// The nearest halves, ties to even, infinite from 65520 on. In integers: a store to rgba16float may truncate,
// and from Mesa 25.0 on its compiler drops a conversion to f16 and back before one.
fn texel_of(v: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(v);
  let size = bits & vec4u(0x7fffffff);
  let nearest = (size + 0xfff + ((size >> vec4u(13)) & vec4u(1))) & vec4u(0xffffe000);
  let bounded = select(nearest, vec4u(0x7f800000), nearest >= vec4u(0x47800000)); // 2^16
  let large = select(bounded, size, size > vec4u(0x7f800000)); // NaN stays
  let signed = bitcast<vec4f>(large | (bits & vec4u(0x80000000)));
  // Below 2^-14 halves are the multiples of 2^-24.
  return select(signed, round(v * 16777216) / 16777216, size < vec4u(0x38800000));
}
#else
fn texel_of(v: vec4f) -> vec4f { return v; }
#end

@compute @workgroup_size(WX, WY)
fn aligned_texture(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = texel(id, groups.y * WY);
  if (!t.exists) { return; }
  var v = vec4f();
  if (t.left > 0) { v = x4[t.at / 4]; }
  textureStore(image, vec2u(t.col, t.row), t.layer, texel_of(v));
}

@compute @workgroup_size(WX, WY)
fn aligned_buffer(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = texel(id, groups.y * WY);
  if (!t.exists) { return; }
  var v = vec4f();
  if (t.left > 0) { v = x4[t.at / 4]; }
  panel[(t.layer * p.rows + t.row) * p.width + t.col] = Stored(v);
}

@compute @workgroup_size(WX, WY)
fn strided_texture(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = texel(id, groups.y * WY);
  if (!t.exists) { return; }
  var v = vec4f();
  if (t.left > 0) { v.x = x[t.at]; }
  if (t.left > 1) { v.y = x[t.at + p.sc]; }
  if (t.left > 2) { v.z = x[t.at + 2 * p.sc]; }
  if (t.left > 3) { v.w = x[t.at + 3 * p.sc]; }
  textureStore(image, vec2u(t.col, t.row), t.layer, texel_of(v));
}

@compute @workgroup_size(WX, WY)
fn strided_buffer(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = texel(id, groups.y * WY);
  if (!t.exists) { return; }
  var v = vec4f();
  if (t.left > 0) { v.x = x[t.at]; }
  if (t.left > 1) { v.y = x[t.at + p.sc]; }
  if (t.left > 2) { v.z = x[t.at + 2 * p.sc]; }
  if (t.left > 3) { v.w = x[t.at + 3 * p.sc]; }
  panel[(t.layer * p.rows + t.row) * p.width + t.col] = Stored(v);
}
