// Turns of the last lane's vector, then of the first lane's. Where that is one vector, Mesa 22.3 ends the
// second loop early: 65,535 turns are all that it makes.
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(16)
fn main(@builtin(local_invocation_index) lane: u32) {
  var n = lane;
  let last = select(0u, 60000u, lane == 15u);
  let first = select(0u, 20000u, lane == 0u);
  for (var i = 0u; i < last; i++) { n = n * 1664525u + 1013904223u; }
  for (var i = 0u; i < first; i++) { n = n * 1664525u + 1013904223u; }
  y[lane] = f32(n >> 8u);
}
