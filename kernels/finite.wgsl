// Finds NaN and infinity.
struct Params { n: u32, which: u32 }
@group(0) @binding(0) var<storage, read> words: array<u32>;
@group(0) @binding(1) var<storage, read_write> flags: array<atomic<u32>>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn clear(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i < p.n) { atomicStore(&flags[i], 0u); }
}

// Sets flag `which` if one of n floats has all bits of its exponent set: drivers fold comparisons
// of a float with itself. All write the same value, so their order does not matter.
@compute @workgroup_size(64)
fn look(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  var found = false;
  for (var i = id.x; i < p.n; i += groups.x * 64) {
    found |= (words[i] & 0x7f800000u) == 0x7f800000u;
  }
  if (found) { atomicStore(&flags[p.which], 1u); }
}
