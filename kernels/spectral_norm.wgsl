// The gradient of y = W / sigma with u and v held: (dy - <dy, y> u v^T) / sigma.
// The weight is [A, R, B], the outputs along R; u is [R], v [A, B]. Two kinds, as in
// power_iteration.wgsl: rows last (B is 1) and columns last; and sizes along the last axis count Vs.
#include element
#include across
struct Params { n: u32, A: u32, R: u32, B: u32, chunks: u32 }
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read> uV: array<V>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> vV: array<V>;
@group(0) @binding(5) var<storage, read_write> partial: array<f32>;
@group(0) @binding(6) var<storage, read_write> total: array<f32>;
@group(0) @binding(7) var<storage, read> sigma: array<f32>;
@group(0) @binding(8) var<storage, read> dy: array<V>;
@group(0) @binding(9) var<storage, read> y: array<V>;
@group(0) @binding(10) var<storage, read> product: array<f32>; // <dy, y>, or its parts
@group(0) @binding(11) var<storage, read_write> result: array<V>;
@group(0) @binding(12) var<uniform> p: Params;
// Of `product`
override PARTS = 1u;

fn at(id: vec3u, groups: vec3u) -> u32 { return id.y * groups.x * 64u + id.x; }

// Parts of <dy, y>
@compute @workgroup_size(64)
fn products(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let chunk = at(id, groups);
  if (chunk >= p.chunks) { return; }
  var sum = 0f;
  for (var i = chunk; i < p.n; i += p.chunks) { sum += dot_of(dy[i], y[i]); }
  partial[chunk] = sum;
}

// The same, one part a workgroup
@compute @workgroup_size(64)
fn productsByGroup(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  var own = 0f;
  for (var i = group.x * 64 + id.x; i < p.n; i += 64 * PARTS) { own += dot_of(dy[i], y[i]); }
  let all = sum_across(id.x, own);
  if (id.x == 0) { partial[group.x] = all; }
}

// Their sum, which each workgroup computes for itself
fn whole(lane: u32) -> f32 {
  if (PARTS == 1) { return product[0]; }
  var own = 0f;
  for (var i = lane; i < PARTS; i += 64) { own += product[i]; }
  return sum_across(lane, own);
}

// The sum of n parts, by one workgroup
@compute @workgroup_size(64)
fn sum(@builtin(local_invocation_id) id: vec3u) {
  var own = 0f;
  for (var i = id.x; i < p.n; i += 64) { own += partial[i]; }
  let all = sum_across(id.x, own);
  if (id.x == 0) { total[0] = all; }
}

@compute @workgroup_size(64)
fn gradientOfRowsLast(@builtin(global_invocation_id) id: vec3u,
                      @builtin(local_invocation_index) lane: u32,
                      @builtin(num_workgroups) groups: vec3u) {
  let product = whole(lane);
  let i = at(id, groups);
  if (i >= p.n) { return; }
  let a = i / p.R;
  result[i] = (dy[i] - product * v[a] * uV[i - a * p.R]) / sigma[0];
}

@compute @workgroup_size(64)
fn gradientOfColumnsLast(@builtin(global_invocation_id) id: vec3u,
                         @builtin(local_invocation_index) lane: u32,
                         @builtin(num_workgroups) groups: vec3u) {
  let product = whole(lane);
  let i = at(id, groups);
  if (i >= p.n) { return; }
  let row = i / p.B;
  let a = row / p.R;
  result[i] = (dy[i] - product * u[row - a * p.R] * vV[i - (row - a) * p.B]) / sigma[0];
}
