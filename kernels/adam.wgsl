// Adam (Kingma & Ba 2015, algorithm 1) for up to four tensors at once. Parameters and moments lie in
// three long buffers; workgroup row y serves gradient y. Sizes and offsets are in vec4.
struct Params {
  n0: u32, n1: u32, n2: u32, n3: u32, o0: u32, o1: u32, o2: u32, o3: u32,
  step: f32, beta1: f32, beta2: f32, eps: f32, c2: f32, // step = lr / (1 - beta1^t), c2 = 1 - beta2^t
}
@group(0) @binding(0) var<storage, read> g0: array<vec4f>;
@group(0) @binding(1) var<storage, read> g1: array<vec4f>;
@group(0) @binding(2) var<storage, read> g2: array<vec4f>;
@group(0) @binding(3) var<storage, read> g3: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> param: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(7) var<uniform> p: Params;
@group(0) @binding(8) var<storage, read> scaling: array<f32>; // as Scaling in grad_scaler.wgsl

fn update(i: u32, g: vec4f, step: f32, c2: f32) {
  let mi = p.beta1 * m[i] + (1 - p.beta1) * g;
  let vi = p.beta2 * v[i] + (1 - p.beta2) * g * g;
  m[i] = mi;
  v[i] = vi;
  param[i] -= step * mi / (sqrt(vi / c2) + p.eps);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.z * groups.x * 64u + id.x;
  switch (id.y) {
    case 0u: { if (i < p.n0) { update(p.o0 + i, g0[i], p.step, p.c2); } }
    case 1u: { if (i < p.n1) { update(p.o1 + i, g1[i], p.step, p.c2); } }
    case 2u: { if (i < p.n2) { update(p.o2 + i, g2[i], p.step, p.c2); } }
    default: { if (i < p.n3) { update(p.o3 + i, g3[i], p.step, p.c2); } }
  }
}

// The same with gradients of a scaled loss; p.step is the learning rate, p.c2 is of no use.
@compute @workgroup_size(64)
fn scaled(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.z * groups.x * 64u + id.x;
  let factor = scaling[4];
  if (factor == 0) { return; }
  let step = p.step / (1 - scaling[2]);
  let c2 = 1 - scaling[3];
  switch (id.y) {
    case 0u: { if (i < p.n0) { update(p.o0 + i, factor * g0[i], step, c2); } }
    case 1u: { if (i < p.n1) { update(p.o1 + i, factor * g1[i], step, c2); } }
    case 2u: { if (i < p.n2) { update(p.o2 + i, factor * g2[i], step, c2); } }
    default: { if (i < p.n3) { update(p.o3 + i, factor * g3[i], step, c2); } }
  }
}
