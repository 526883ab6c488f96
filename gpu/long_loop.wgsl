// A chain of integers, too long for compilers that end an invocation's loops after 65,535 turns.
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(1)
fn main() {
  var n = 1u;
  for (var i = 0u; i < 70000; i++) { n = n * 1664525u + 1013904223u; }
  y[0] = f32(n >> 8u);
}
