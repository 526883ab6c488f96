// The backward pass of a leaky ReLU and of the bias in front of it, of rows of `B` Vs:
// z = dy where y > 0, else slope dy; sums[c] = sum of z over rows c, c + chunks, c + 2 chunks, ...
#include element
struct Params { R: u32, B: u32, chunks: u32, wide: u32, slope: f32 }
@group(0) @binding(0) var<storage, read> dy: array<V>;
@group(0) @binding(1) var<storage, read> y: array<V>;
@group(0) @binding(2) var<storage, read_write> z: array<V>;
@group(0) @binding(3) var<storage, read_write> sums: array<V>;
@group(0) @binding(4) var<uniform> p: Params;

// One invocation a column and chunk; neighbours read neighbouring addresses.
@compute @workgroup_size(64)
fn lane(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  let row = p.chunks * p.B;
  if (i >= row) { return; }
  var total = V();
  for (var at = i; at < p.R * p.B; at += row) {
    let d = leaky_gate(dy[at], y[at], p.slope);
    z[at] = d;
    total += d;
  }
  sums[i] = total;
}

// The same by a workgroup: `wide` lanes (a power of two) side by side along B, the others along R.
const LANES = 256u;
var<workgroup> partial: array<V, LANES>;
@compute @workgroup_size(LANES)
fn group(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) place: vec3u,
         @builtin(num_workgroups) groups: vec3u) {
  let across = (p.B + p.wide - 1) / p.wide;
  let g = place.y * groups.x + place.x;
  let c = g / across;
  let b = g % across * p.wide + l % p.wide;
  if (c >= p.chunks) { return; }
  let high = LANES / p.wide;
  var total = V();
  if (b < p.B) {
    for (var r = c * high + l / p.wide; r < p.R; r += p.chunks * high) {
      let at = r * p.B + b;
      let d = leaky_gate(dy[at], y[at], p.slope);
      z[at] = d;
      total += d;
    }
  }
  partial[l] = total;
  for (var half = LANES / 2; half >= p.wide; half /= 2) {
    workgroupBarrier();
    if (l < half) { partial[l] += partial[l + half]; }
  }
  if (l < p.wide && b < p.B) { sums[c * p.B + b] = partial[l]; }
}
