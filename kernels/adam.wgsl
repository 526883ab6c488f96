// Adam (Kingma & Ba 2015, algorithm 1) for all parameters of a network, in vec4.
struct Params {
  step: f32, beta1: f32, beta2: f32, eps: f32, c2: f32, // step = lr / (1 - beta1^t), c2 = 1 - beta2^t
  n: u32,
}
@group(0) @binding(0) var<storage, read_write> param: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;
@group(0) @binding(4) var<storage, read> scaling: array<f32>; // as Scaling in grad_scaler.wgsl
// Flags of what is not finite: gradients (set before, by finite.wgsl or grad_scaler.wgsl), what was made of them.
@group(0) @binding(9) var<storage, read_write> overflow: array<atomic<u32>>;
#if TEXTURES
#include texels
@group(0) @binding(5) var g: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(6) var param_was: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(7) var m_was: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(8) var v_was: texture_storage_2d_array<rgba32float, read>;
fn g_at(i: u32) -> vec4f { let t = place_of(i); return textureLoad(g, t.xy, t.z); }
fn param_at(i: u32) -> vec4f { let t = place_of(i); return textureLoad(param_was, t.xy, t.z); }
fn m_at(i: u32) -> vec4f { let t = place_of(i); return textureLoad(m_was, t.xy, t.z); }
fn v_at(i: u32) -> vec4f { let t = place_of(i); return textureLoad(v_was, t.xy, t.z); }
#else
@group(0) @binding(5) var<storage, read> g: array<vec4f>;
fn g_at(i: u32) -> vec4f { return g[i]; }
fn param_at(i: u32) -> vec4f { return param[i]; }
fn m_at(i: u32) -> vec4f { return m[i]; }
fn v_at(i: u32) -> vec4f { return v[i]; }
#end

// Whether there is NaN or infinity; drivers fold comparisons of a float with itself.
fn is_bad(x: vec4f) -> bool { return any((bitcast<vec4u>(x) & vec4u(0x7f800000)) == vec4u(0x7f800000)); }

// Returns whether something that it made is not finite.
fn update(i: u32, g: vec4f, step: f32, c2: f32) -> bool {
  let mi = p.beta1 * m_at(i) + (1 - p.beta1) * g;
  let vi = p.beta2 * v_at(i) + (1 - p.beta2) * g * g;
  m[i] = mi;
  v[i] = vi;
  let x = param_at(i) - step * mi / (sqrt(vi / c2) + p.eps);
  param[i] = x;
  return is_bad(x) || is_bad(vi);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i < p.n) { update(i, g_at(i), p.step, p.c2); }
}

// The same with gradients of a scaled loss; p.step is the learning rate, p.c2 is of no use.
@compute @workgroup_size(64)
fn scaled(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let factor = scaling[4];
  let i = id.y * groups.x * 64u + id.x;
  if (factor == 0 || i >= p.n) { return; }
  let isBad = update(i, factor * g_at(i), p.step / (1 - scaling[2]), 1 - scaling[3]);
  if (isBad) { atomicStore(&overflow[1], 1u); }
}

// The same as main, until a gradient is not finite: from then on nothing changes.
@compute @workgroup_size(64)
fn guarded(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (atomicLoad(&overflow[0]) != 0 || i >= p.n) { return; }
  if (update(i, g_at(i), p.step, p.c2)) { atomicStore(&overflow[1], 1u); }
}
