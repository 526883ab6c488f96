// Softmax along rows of `cols`. Each kernel has two variants: an invocation a row, without barriers, for
// the software device; and a workgroup a row, with coalesced loads, for GPUs.
// Where four divides the columns, V is vec4f; `cols` counts Vs.
#include element
#include exact
override LOG: bool = false;
struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<storage, read> u: array<V>;
@group(0) @binding(1) var<storage, read> v: array<V>;
@group(0) @binding(2) var<storage, read_write> result: array<V>;
@group(0) @binding(3) var<uniform> p: Params;
var<workgroup> partial: array<f32, 64>;


// result = e^(u - max) / sum e^(u - max), or its logarithm
@compute @workgroup_size(64)
fn lane(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = id.y * groups.x * 64u + id.x;
  if (row >= p.rows) { return; }
  let start = row * p.cols;
  let end = start + p.cols;
  var peak = u[start];
  for (var i = start + 1; i < end; i++) { peak = max(peak, u[i]); }
  let most = max_of(peak);
  var total = V();
  if (LOG) {
    for (var i = start; i < end; i++) { total += exact_exp(u[i] - most); }
    let shift = exact_log(V(sum_of(total)));
    for (var i = start; i < end; i++) { result[i] = u[i] - most - shift; }
  } else {
    for (var i = start; i < end; i++) {
      let e = exact_exp(u[i] - most);
      result[i] = e;
      total += e;
    }
    let k = 1 / sum_of(total);
    for (var i = start; i < end; i++) { result[i] *= k; }
  }
}

@compute @workgroup_size(64)
fn group(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) place: vec3u,
         @builtin(num_workgroups) groups: vec3u) {
  let row = place.y * groups.x + place.x;
  if (row >= p.rows) { return; }
  let start = row * p.cols;
  let end = start + p.cols;
  var peak = u[start];
  for (var i = start + id.x; i < end; i += 64) { peak = max(peak, u[i]); }
  partial[id.x] = max_of(peak);
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (id.x < half) { partial[id.x] = max(partial[id.x], partial[id.x + half]); }
  }
  workgroupBarrier();
  let most = partial[0];
  workgroupBarrier();
  var own = V();
  for (var i = start + id.x; i < end; i += 64) { own += exact_exp(u[i] - most); }
  let total = sum(id.x, sum_of(own));
  if (LOG) {
    let shift = exact_log(V(total));
    for (var i = start + id.x; i < end; i += 64) { result[i] = u[i] - most - shift; }
  } else {
    let k = 1 / total;
    for (var i = start + id.x; i < end; i += 64) { result[i] = k * exact_exp(u[i] - most); }
  }
}

// The sum of `own` over the workgroup
fn sum(id: u32, own: f32) -> f32 {
  partial[id] = own;
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (id < half) { partial[id] += partial[id + half]; }
  }
  workgroupBarrier();
  return partial[0];
}

// With y in u and dy in v: softmax's gradient y (dy - sum y dy), or, of the logarithm, dy - e^y sum dy
@compute @workgroup_size(64)
fn gradLane(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = id.y * groups.x * 64u + id.x;
  if (row >= p.rows) { return; }
  let start = row * p.cols;
  let end = start + p.cols;
  var terms = V();
  for (var i = start; i < end; i++) { terms += term(u[i], v[i]); }
  let total = sum_of(terms);
  for (var i = start; i < end; i++) { result[i] = slope(u[i], v[i], total); }
}

@compute @workgroup_size(64)
fn gradGroup(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) place: vec3u,
             @builtin(num_workgroups) groups: vec3u) {
  let row = place.y * groups.x + place.x;
  if (row >= p.rows) { return; }
  let start = row * p.cols;
  let end = start + p.cols;
  var terms = V();
  for (var i = start + id.x; i < end; i += 64) { terms += term(u[i], v[i]); }
  let total = sum(id.x, sum_of(terms));
  for (var i = start + id.x; i < end; i += 64) { result[i] = slope(u[i], v[i], total); }
}

fn term(y: V, dy: V) -> V {
  if (LOG) { return dy; }
  return y * dy;
}
fn slope(y: V, dy: V, total: f32) -> V {
  if (LOG) { return dy - exact_exp(y) * total; }
  return y * (dy - total);
}
