// Sums of two or three tensors, element by element, for one or two such sums at once; in vec4.
override A: u32 = 2u; // terms of each
override B: u32 = 2u;
struct Params { n: u32, begin: u32, m: u32 } // sizes, and the invocation at which the second sum begins
@group(0) @binding(0) var<storage, read> a0: array<vec4f>;
@group(0) @binding(1) var<storage, read> a1: array<vec4f>;
@group(0) @binding(2) var<storage, read> a2: array<vec4f>;
@group(0) @binding(3) var<storage, read> b0: array<vec4f>;
@group(0) @binding(4) var<storage, read> b1: array<vec4f>;
@group(0) @binding(5) var<storage, read> b2: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> z: array<vec4f>;
@group(0) @binding(8) var<uniform> p: Params;

@compute @workgroup_size(64)
fn one(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.n) { return; }
  var sum = a0[i] + a1[i];
  if (A == 3) { sum += a2[i]; }
  y[i] = sum;
}

@compute @workgroup_size(64)
fn two(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  let j = i - p.begin;
  if (i < p.n) {
    var sum = a0[i] + a1[i];
    if (A == 3) { sum += a2[i]; }
    y[i] = sum;
  } else if (i >= p.begin && j < p.m) {
    var sum = b0[j] + b1[j];
    if (B == 3) { sum += b2[j]; }
    z[j] = sum;
  }
}
