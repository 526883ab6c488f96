// Sums over the middle axis of [A, R, B], and its adjoint, repetition; `B` counts Vs.
#include element
struct Params { A: u32, R: u32, B: u32, chunks: u32, k: f32, wide: u32 }
@group(0) @binding(0) var<storage, read> x: array<V>;
@group(0) @binding(1) var<storage, read_write> y: array<V>;
@group(0) @binding(2) var<uniform> p: Params;

// y[a, c, b] = k sum of x[a, r, b] over r = c, c + chunks, c + 2 chunks, ...
// One invocation an output; neighbours read neighbouring addresses, whatever B is.
@compute @workgroup_size(64)
fn sum(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.A * p.chunks * p.B) { return; }
  let row = p.chunks * p.B;
  let a = i / row;
  let c = (i % row) / p.B;
  var at = a * p.R * p.B + i % row;
  var total = V();
  for (var r = c; r < p.R; r += p.chunks) { total += x[at]; at += row; }
  y[i] = p.k * total;
}

// The same by a workgroup: `wide` lanes (a power of two) side by side along B, the others along R.
const LANES = 256u;
var<workgroup> partial: array<V, LANES>;
@compute @workgroup_size(LANES)
fn sumGroup(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) place: vec3u,
            @builtin(num_workgroups) groups: vec3u) {
  let across = (p.B + p.wide - 1) / p.wide;
  let g = place.y * groups.x + place.x;
  let a = g / (across * p.chunks);
  let c = g / across % p.chunks;
  let b = g % across * p.wide + l % p.wide;
  if (a >= p.A) { return; }
  let high = LANES / p.wide;
  var total = V();
  if (b < p.B) {
    for (var r = c * high + l / p.wide; r < p.R; r += p.chunks * high) {
      total += x[(a * p.R + r) * p.B + b];
    }
  }
  partial[l] = total;
  for (var half = LANES / 2; half >= p.wide; half /= 2) {
    workgroupBarrier();
    if (l < half) { partial[l] += partial[l + half]; }
  }
  if (l < p.wide && b < p.B) { y[(a * p.chunks + c) * p.B + b] = p.k * partial[l]; }
}

// y[a, r, b] = k x[a, b]
@compute @workgroup_size(64)
fn repeat(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.A * p.R * p.B) { return; }
  y[i] = p.k * x[i / (p.R * p.B) * p.B + i % p.B];
}
