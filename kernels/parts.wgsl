// What a sum that was computed in parts ends with: y[i] = lrelu(sum over parts of sums[part, i] + bias)
#include element
override BIAS: bool = false;
override RELU: bool = false;
struct Params { parts: u32, n: u32, channels: u32, slope: f32 } // n and channels count Vs
@group(0) @binding(0) var<storage, read> sums: array<V>; // [parts, n]
@group(0) @binding(1) var<storage, read> bias: array<V>; // [channels]
@group(0) @binding(2) var<storage, read_write> y: array<V>; // [n]
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.n) { return; }
  var total = V();
  if (BIAS) { total = bias[i % p.channels]; }
  for (var part = 0u; part < p.parts; part++) { total += sums[part * p.n + i]; }
  if (RELU) { total = leaky_relu(total, p.slope); }
  y[i] = total;
}
