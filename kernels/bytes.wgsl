// Images as bytes, four packed in a u32 with the first lowest, and as floats in [-1, 1].
struct Params { n4: u32 }
@group(0) @binding(0) var<storage, read> packed: array<u32>;
@group(0) @binding(1) var<storage, read_write> unpacked: array<vec4f>;
@group(0) @binding(2) var<storage, read> values: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> bytes: array<u32>;
@group(0) @binding(4) var<uniform> p: Params;

// byte / 127.5 - 1; 0 gives -1 and 255 gives 1 whatever a GPU's division makes of them
@compute @workgroup_size(64)
fn toFloats(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.n4) { return; }
  let four = (vec4u(packed[i]) >> vec4u(0, 8, 16, 24)) & vec4u(255);
  let n = 2 * vec4f(four) - 255;
  unpacked[i] = select(n / 255, sign(n), abs(n) == vec4f(255));
}

// (value + 1) 127.5, the nearest integer in 0..255; halves go up, NaN is 0
@compute @workgroup_size(64)
fn toBytes(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.n4) { return; }
  let value = values[i];
  // By its bits: drivers take x != x for false.
  let nan = (bitcast<vec4u>(value) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
  let held = select(clamp(value, vec4f(-1), vec4f(1)), vec4f(-1), nan);
  let four = vec4u(floor((held + 1) * 127.5 + 0.5)) << vec4u(0, 8, 16, 24);
  bytes[i] = four.x | four.y | four.z | four.w;
}
