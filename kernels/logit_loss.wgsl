// The mean of a loss of logits x and targets t, and its gradient.
#include exact
#include across
override KIND: u32 = 0u;
override GIVEN: bool = false; // whether targets are a tensor
struct Params { N: u32, step: u32, goal: f32, k: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<uniform> p: Params;

// By one workgroup
@compute @workgroup_size(64)
fn forward(@builtin(local_invocation_id) id: vec3u) {
  var sum = 0f;
  for (var n = id.x; n < p.N; n += 64) {
    let l = x[n];
    var goal = p.goal;
    if (GIVEN) { goal = t[n * p.step]; }
    switch (KIND) {
      // Cross-entropy, max(l, 0) - goal l + log1p(exp(-|l|)); the first two as one product, without cancellation
      case 0u: { sum += l * (select(0f, 1f, l >= 0) - goal) + log1p(exact_exp(-abs(l))); }
      case 1u: { sum += 0.5 * (l - goal) * (l - goal); }
      case 2u: {
        let margin = 1 - goal * l;
        sum += select(margin, 0f, margin < 0); // unlike max, this keeps NaN
      }
      default: { sum -= goal * l; }
    }
  }
  let all = sum_across(id.x, sum);
  if (id.x == 0) { y[0] = p.k * all; }
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u) {
  let n = id.x;
  if (n >= p.N) { return; }
  let l = x[n];
  var goal = p.goal;
  if (GIVEN) { goal = t[n * p.step]; }
  var slope = 0f;
  switch (KIND) {
    case 0u: { // sigmoid(l) - goal, without losing digits where they are near each other
      let e = exact_exp(-abs(l));
      slope = select(e * (1 - goal) - goal, (1 - goal) - goal * e, l >= 0) / (1 + e);
    }
    case 1u: { slope = l - goal; }
    case 2u: {
      if (goal * l >= 1) { dx[n] = 0; return; } // 0 times an infinite dy would be NaN
      slope = -goal;
    }
    default: { slope = -goal; }
  }
  dx[n] = p.k * dy[0] * slope;
}
