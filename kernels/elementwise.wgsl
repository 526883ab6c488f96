// Elementwise ops, four elements an invocation. Buffers are padded to whole vec4, so the last one
// may compute a few elements too many.
#include element
#include exact
override OP: u32 = 0u;
override ROW: u32 = 0u; // how b is read: 0 like a, 1 as one number, 2 as a row of `cols`, 3 the same, cols % 4 == 0
struct Params { n4: u32, cols: u32, k: f32, l: f32 }
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> b4: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<uniform> p: Params;

fn index(id: vec3u, groups: vec3u) -> u32 { return id.y * groups.x * 64u + id.x; }

// (1 - e) / (1 + e) with e = exp(-2 |x|), which is never infinite; near 0, where 1 - e loses digits, a series
fn tanh_(x: vec4f) -> vec4f {
  let x2 = x * x;
  let series = x * (1 - x2 * (1 / 3f - x2 * (2 / 15f - x2 * (17 / 315f - x2 * (62 / 2835f)))));
  let e = exact_exp(-2 * abs(x));
  let size = (1 - e) / (1 + e);
  return select(select(size, -size, x < vec4f()), series, abs(x) < vec4f(0.25));
}
// log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))
fn softplus(x: vec4f) -> vec4f { return max(x, vec4f()) + log1p(exact_exp(-abs(x))); }
fn sigmoid(x: vec4f) -> vec4f {
  let e = exact_exp(-abs(x)); // never overflows
  return select(e, vec4f(1), x >= vec4f()) / (1 + e);
}

@compute @workgroup_size(64)
fn unary(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.n4) { return; }
  let x = a[i];
  var r = x;
  switch (OP) {
    case 0u: { r = p.k * x + p.l; }
    case 1u: { r = exact_exp(x); }
    case 2u: { r = exact_log(x); }
    case 3u: { r = sqrt(x); }
    case 4u: { r = 1 / x; }
    case 5u: { r = x * x; }
    case 6u: { r = tanh_(x); }
    case 7u: { r = sigmoid(x); }
    case 8u: { r = softplus(x); }
    case 9u: { r = abs(x); }
    case 10u: { r = sign(x); }
    case 11u: { r = leaky_relu(x, p.k); }
    case 12u: { r = select(select(x, vec4f(p.l), x > vec4f(p.l)), vec4f(p.k), x < vec4f(p.k)); } // keeps NaN
    default: {}
  }
  y[i] = r;
}

@compute @workgroup_size(64)
fn binary(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.n4) { return; }
  let x = a[i];
  var z = vec4f();
  let e = 4 * i;
  switch (ROW) {
    case 0u: { z = vec4f(b[e], b[e + 1], b[e + 2], b[e + 3]); }
    case 1u: { z = vec4f(b[0]); }
    default: {
      z = vec4f(b[e % p.cols], b[(e + 1) % p.cols], b[(e + 2) % p.cols], b[(e + 3) % p.cols]);
    }
  }
  y[i] = combine(x, z);
}

// The common cases, with b in vec4.
@compute @workgroup_size(64)
fn binary4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.n4) { return; }
  if (ROW == 0u) { y[i] = combine(a[i], b4[i]); } else { y[i] = combine(a[i], b4[i % (p.cols / 4)]); }
}

fn combine(x: vec4f, z: vec4f) -> vec4f {
  switch (OP) {
    case 0u: { return x + z; }
    case 1u: { return x - z; }
    case 2u: { return x * z; }
    case 3u: { return x / z; }
    case 4u: { return leaky_gate(z, x, p.k); }
    case 5u: { return select(vec4f(), z, (x >= vec4f(p.k)) & (x <= vec4f(p.l))); } // clamp's gate
    case 6u: { return z * (1 - x * x); } // tanh's gradient from its value x
    default: { return x; }
  }
}

@compute @workgroup_size(64)
fn fill(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.n4) { return; }
  y[i] = vec4f(p.k);
}
