// Sums of 2x2 taps of a convolution's weight, with zeros around, which may turn it round:
// y[i, j, m, n] = scale sum over d, e in 0..1 of x[o + s i + d, o + s j + e] at m sm + n sn.
// N, sm and sn count Vs.
#include element
struct Params { before: i32, side: i32, o: i32, s: i32, M: u32, N: u32, sm: u32, sn: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> x: array<V>; // [before, before, ...]
@group(0) @binding(1) var<storage, read_write> y: array<V>; // [side, side, M, N]
@group(0) @binding(2) var<uniform> p: Params;

// x[a, b] at `at`
fn tap(a: i32, b: i32, at: u32) -> V {
  let last = p.before - 1;
  let place = u32(clamp(a, 0, last) * p.before + clamp(b, 0, last)) * p.M * p.N + at;
  return select(V(), x[place], a >= 0 && a <= last && b >= 0 && b <= last);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= p.N) { return; }
  let i = i32(id.z) / p.side;
  let j = i32(id.z) - i * p.side;
  let a = p.o + p.s * i;
  let b = p.o + p.s * j;
  let at = id.y * p.sm + id.x * p.sn;
  let sum = (tap(a, b, at) + tap(a, b + 1, at)) + (tap(a + 1, b, at) + tap(a + 1, b + 1, at));
  y[(id.z * p.M + id.y) * p.N + id.x] = p.scale * sum;
}
