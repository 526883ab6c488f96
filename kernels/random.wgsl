// Random numbers from a counter: element block i of draw (seed, stream, counter) is a hash of those
// five numbers, so any part can be made again without what came before.
// The hash is PCG4D, the best of its cost in Jarzynski & Olano 2020 (it passes BigCrush for this use),
// applied twice, since five words of input do not fit once.
struct Params { n4: u32, seed_low: u32, seed_high: u32, stream: u32, counter_low: u32, counter_high: u32 }
@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(1) var<uniform> p: Params;

fn pcg4d(x: vec4u) -> vec4u {
  var v = x * 1664525u + 1013904223u;
  v.x += v.y * v.w; v.y += v.z * v.x; v.z += v.x * v.y; v.w += v.y * v.z;
  v ^= v >> vec4u(16u);
  v.x += v.y * v.w; v.y += v.z * v.x; v.z += v.x * v.y; v.w += v.y * v.z;
  return v;
}

fn bits(i: u32) -> vec4u {
  let key = pcg4d(vec4u(p.seed_low, p.seed_high, p.stream, p.counter_high));
  return pcg4d(key ^ vec4u(i, p.counter_low, 0x9e3779b9u, 0x7f4a7c15u));
}

// The upper 24 bits, which a float32 holds exactly: in [0, 1).
fn fraction(v: vec4u) -> vec4f { return vec4f(v >> vec4u(8u)) / 16777216.0; }

@compute @workgroup_size(64)
fn uniform_(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i < p.n4) { y[i] = fraction(bits(i)); }
}

// Box & Muller 1958; 1 - u is never 0.
@compute @workgroup_size(64)
fn normal(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.n4) { return; }
  let u = fraction(bits(i));
  let r = sqrt(-2 * log(1 - u.xy));
  let angle = 6.283185307179586 * u.zw;
  y[i] = vec4f(r * cos(angle), r * sin(angle));
}
