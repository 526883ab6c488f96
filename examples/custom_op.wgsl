// y = x / (1 + exp(-x)), four elements an invocation. Buffers are padded to whole vec4.
struct Params { n4: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.n4) { return; }
  y[i] = x[i] / (1 + exp(-x[i]));
}
