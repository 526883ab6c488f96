// Softmax along rows of `cols`. Where four divides the columns, V is vec4f; `cols` counts Vs.
#include element
#include exact
#include row
override LOG: bool = false;
struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<storage, read> u: array<V>;
@group(0) @binding(1) var<storage, read> v: array<V>;
@group(0) @binding(2) var<storage, read_write> result: array<V>;
@group(0) @binding(3) var<uniform> p: Params;

// result = e^(u - max) / sum e^(u - max), or its logarithm
@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32,
           @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = row_of(id, group, groups);
  if (row >= p.rows) { return; }
  let lane = lane_of(local);
  let start = row * p.cols;
  let end = start + p.cols;
  var peak = u[start];
  for (var i = start + lane; i < end; i += STEP) { peak = max(peak, u[i]); }
  let most = max_row(lane, max_of(peak));
  var own = V();
  for (var i = start + lane; i < end; i += STEP) {
    let e = exact_exp(u[i] - most);
    own += e;
#if !GROUP
    if (!LOG) { result[i] = e; }
#end
  }
  let total = sum_row(lane, sum_of(own));
  if (LOG) {
    let shift = exact_log(V(total));
    for (var i = start + lane; i < end; i += STEP) { result[i] = u[i] - most - shift; }
  } else {
    let k = 1 / total;
#if GROUP
    // On a GPU it is faster to compute them again than to read what was written.
    for (var i = start + lane; i < end; i += STEP) { result[i] = k * exact_exp(u[i] - most); }
#else
    for (var i = start + lane; i < end; i += STEP) { result[i] *= k; }
#end
  }
}

// With y in u and dy in v: softmax's gradient y (dy - sum y dy), or, of the logarithm, dy - e^y sum dy
@compute @workgroup_size(64)
fn gradient(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32,
            @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = row_of(id, group, groups);
  if (row >= p.rows) { return; }
  let lane = lane_of(local);
  let start = row * p.cols;
  let end = start + p.cols;
  var terms = V();
  for (var i = start + lane; i < end; i += STEP) {
    if (LOG) { terms += v[i]; } else { terms += u[i] * v[i]; }
  }
  let total = sum_row(lane, sum_of(terms));
  for (var i = start + lane; i < end; i += STEP) {
    if (LOG) { result[i] = v[i] - exact_exp(u[i]) * total; } else { result[i] = u[i] * (v[i] - total); }
  }
}
