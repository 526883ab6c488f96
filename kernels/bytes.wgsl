// Pictures as bytes, four in a u32, to floats in [-1, 1] and back.
struct Params { n4: u32 }
@group(0) @binding(0) var<storage, read> packed: array<u32>;
@group(0) @binding(1) var<storage, read_write> floats: array<vec4f>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> bytes: array<u32>;
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(64)
fn unpack(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.n4) { return; }
  let b = (vec4u(packed[i]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
  floats[i] = vec4f(b) / 127.5 - 1;
}

// NaN becomes 0: no comparison with it holds.
fn byte(v: f32) -> u32 {
  let scaled = (v + 1) * 127.5 + 0.5;
  if (scaled >= 255) { return 255u; }
  if (scaled >= 0) { return u32(scaled); }
  return 0u;
}

@compute @workgroup_size(64)
fn pack(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.n4) { return; }
  let v = x[i];
  bytes[i] = byte(v.x) | (byte(v.y) << 8u) | (byte(v.z) << 16u) | (byte(v.w) << 24u);
}
