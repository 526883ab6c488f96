// Sets flag `index` if x holds NaN or infinity, told by the bits: compilers fold x != x away.
struct Params { n: u32, index: u32 }
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> flags: array<atomic<u32>>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  var bad = false;
  for (var i = id.x; i < p.n; i += groups.x * 64u) {
    bad = bad || (x[i] & 0x7f800000u) == 0x7f800000u;
  }
  if (bad) { atomicStore(&flags[p.index], 1u); }
}
