// Adam (Kingma & Ba 2015, algorithm 1) for several tensors at once. Parameters and moments lie in three
// long buffers; tensor K is served by invocations up to eK, from where the one before it ends. Sizes n
// and offsets o are in vec4.
struct Params {
  step: f32, beta1: f32, beta2: f32, eps: f32, c2: f32, // step = lr / (1 - beta1^t), c2 = 1 - beta2^t
#for K in COUNT
  e$K: u32, n$K: u32, o$K: u32,
#end
}
@group(0) @binding(0) var<storage, read_write> param: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;
@group(0) @binding(4) var<storage, read> scaling: array<f32>; // as Scaling in grad_scaler.wgsl
#if TEXTURES
#include texels
@group(0) @binding(${5 + COUNT}) var param_was: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(${6 + COUNT}) var m_was: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(${7 + COUNT}) var v_was: texture_storage_2d_array<rgba32float, read>;
fn param_at(i: u32) -> vec4f { let t = place_of(i); return textureLoad(param_was, t.xy, t.z); }
fn m_at(i: u32) -> vec4f { let t = place_of(i); return textureLoad(m_was, t.xy, t.z); }
fn v_at(i: u32) -> vec4f { let t = place_of(i); return textureLoad(v_was, t.xy, t.z); }
#for K in COUNT
@group(0) @binding(${5 + K}) var g$K: texture_storage_2d_array<rgba32float, read>;
fn g${K}_at(i: u32) -> vec4f { let t = place_of(i); return textureLoad(g$K, t.xy, t.z); }
#end
#else
fn param_at(i: u32) -> vec4f { return param[i]; }
fn m_at(i: u32) -> vec4f { return m[i]; }
fn v_at(i: u32) -> vec4f { return v[i]; }
#for K in COUNT
@group(0) @binding(${5 + K}) var<storage, read> g$K: array<vec4f>;
fn g${K}_at(i: u32) -> vec4f { return g$K[i]; }
#end
#end

fn update(i: u32, g: vec4f, step: f32, c2: f32) {
  let mi = p.beta1 * m_at(i) + (1 - p.beta1) * g;
  let vi = p.beta2 * v_at(i) + (1 - p.beta2) * g * g;
  m[i] = mi;
  v[i] = vi;
  param[i] = param_at(i) - step * mi / (sqrt(vi / c2) + p.eps);
}

struct Share { at: u32, g: vec4f, live: bool } // what one invocation serves

fn share(i: u32) -> Share {
  var begin = 0u;
#for K in COUNT
  if (i < p.e$K) { let k = i - begin; return Share(p.o$K + k, g${K}_at(k), k < p.n$K); }
  begin = p.e$K;
#end
  return Share();
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let s = share(id.y * groups.x * 64u + id.x);
  if (s.live) { update(s.at, s.g, p.step, p.c2); }
}

// The same with gradients of a scaled loss; p.step is the learning rate, p.c2 is of no use.
@compute @workgroup_size(64)
fn scaled(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let factor = scaling[4];
  let s = share(id.y * groups.x * 64u + id.x);
  if (factor == 0 || !s.live) { return; }
  update(s.at, factor * s.g, p.step / (1 - scaling[2]), 1 - scaling[3]);
}
