// A bias and the (leaky) ReLU behind it; `cols` counts Values. With `alias Value = f32` channels need
// not come in fours.
alias Value = vec4f;
struct Params { n: u32, cols: u32, slope: f32 }
@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read> b: array<Value>;
@group(0) @binding(2) var<storage, read_write> y: array<Value>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.n) { return; }
  let t = x[i] + b[i % p.cols];
  y[i] = select(p.slope * t, t, t > Value());
}
