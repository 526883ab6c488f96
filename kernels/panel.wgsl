#if HALF
enable f16;
alias Stored = vec4<f16>;
#else
alias Stored = vec4f;
#end
// Lays an array out for the GEMM kernels: [layers][rows][width] texels of four channels, with zeros
// around the picture and behind the last channel, so that those kernels need no bounds.
// Texel (layer, row, x C4 + c4) holds channels 4 c4 ... of element (layer, row - top, x - left).
// With HALF operands are rounded to half precision.
// Integer divisions are dear on the software device: lines of texels are told apart by the grid.
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

// Where a texel lies and what it holds: `left` of the channels from x[at] on, 4 at most count.
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
  // Above and left of the picture these wrap to huge numbers.
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

@compute @workgroup_size(WX, WY)
fn aligned_texture(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = texel(id, groups.y * WY);
  if (!t.exists) { return; }
  var v = vec4f();
  if (t.left > 0) { v = x4[t.at / 4]; }
  // Rounded here: a format may round in another way.
  textureStore(image, vec2u(t.col, t.row), t.layer, vec4f(Stored(v)));
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
  // Rounded here: a format may round in another way.
  textureStore(image, vec2u(t.col, t.row), t.layer, vec4f(Stored(v)));
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
