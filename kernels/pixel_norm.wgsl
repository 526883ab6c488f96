// Rows of `cols` divided by their root mean square; an invocation a row. Where four divides the
// columns, four are computed at a time; `cols` counts Vs, `k` is one over the columns.
#include element
struct Params { rows: u32, cols: u32, k: f32, eps: f32 }
@group(0) @binding(2) var<storage, read_write> result: array<V>;
@group(0) @binding(3) var<uniform> p: Params;
#if TEXTURES
#include texels
@group(0) @binding(0) var x: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(1) var dy: texture_storage_2d_array<rgba32float, read>;
fn x_at(i: u32) -> V { let t = place_of(i); return textureLoad(x, t.xy, t.z); }
fn dy_at(i: u32) -> V { let t = place_of(i); return textureLoad(dy, t.xy, t.z); }
#else
@group(0) @binding(0) var<storage, read> x: array<V>;
@group(0) @binding(1) var<storage, read> dy: array<V>;
fn x_at(i: u32) -> V { return x[i]; }
fn dy_at(i: u32) -> V { return dy[i]; }
#end

// result = x r with r = 1 / sqrt(mean x^2 + eps)
@compute @workgroup_size(64)
fn normalise(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = id.y * groups.x * 64u + id.x;
  if (row >= p.rows) { return; }
  let start = row * p.cols;
  let end = start + p.cols;
  var squares = V();
  for (var i = start; i < end; i++) { squares += x_at(i) * x_at(i); }
  let r = 1 / sqrt(sum_of(squares) * p.k + p.eps);
  for (var i = start; i < end; i++) { result[i] = x_at(i) * r; }
}

// result = r dy - r^3 x mean(x dy)
@compute @workgroup_size(64)
fn gradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = id.y * groups.x * 64u + id.x;
  if (row >= p.rows) { return; }
  let start = row * p.cols;
  let end = start + p.cols;
  var squares = V();
  var products = V();
  for (var i = start; i < end; i++) {
    squares += x_at(i) * x_at(i);
    products += x_at(i) * dy_at(i);
  }
  let r = 1 / sqrt(sum_of(squares) * p.k + p.eps);
  let share = r * r * sum_of(products) * p.k;
  for (var i = start; i < end; i++) { result[i] = r * (dy_at(i) - share * x_at(i)); }
}
