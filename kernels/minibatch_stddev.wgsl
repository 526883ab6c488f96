// How much the pictures of a group differ, feature by feature; a workgroup a group. Pictures j, j + M,
// j + 2M, ... of a batch are group j. With d = x - mean x and s = sqrt(mean d^2 + eps), the means over
// the group, the map is S = mean s over the F features.
const LANES = 256u;
struct Params {
  groups: u32, M: u32, G: u32, // groups in all and of a batch, pictures of one
  C: u32, F: u32, // channels, features of a picture
  eps: f32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>; // [N, H, W, C]
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [N, H, W, C + 1]
@group(0) @binding(2) var<storage, read> u: array<f32>; // [N, H, W, C]
@group(0) @binding(3) var<storage, read_write> result: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;

struct Feature { mean: f32, s: f32 }

// Of all groups in turn, the pictures of one begin at `first` and are M apart.
fn firstOf(group: u32) -> u32 { return group / p.M * p.M * p.G + group % p.M; }

// Where feature f of member i is, and where with the map's channel behind each pixel's.
fn at(first: u32, i: u32, f: u32) -> u32 { return (first + i * p.M) * p.F + f; }
fn atWithMap(first: u32, i: u32, f: u32) -> u32 {
  return (first + i * p.M) * (p.F + p.F / p.C) + f + f / p.C;
}

fn feature(first: u32, f: u32) -> Feature {
  var total = 0f;
  for (var i = 0u; i < p.G; i++) { total += x[at(first, i, f)]; }
  let mean = total / f32(p.G);
  var squares = 0f;
  for (var i = 0u; i < p.G; i++) {
    let d = x[at(first, i, f)] - mean;
    squares += d * d;
  }
  return Feature(mean, sqrt(squares / f32(p.G) + p.eps));
}

var<workgroup> sums: array<f32, LANES>;

fn sumOfLanes(lane: u32, own: f32) -> f32 {
  sums[lane] = own;
  for (var half = LANES / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { sums[lane] += sums[lane + half]; }
  }
  return workgroupUniformLoad(&sums[0]);
}

// The map's channel of all pictures of a group.
fn fillMap(first: u32, lane: u32, value: f32) {
  let pixels = p.F / p.C;
  for (var k = lane; k < p.G * pixels; k += LANES) {
    result[atWithMap(first, k / pixels, k % pixels * p.C + p.C - 1) + 1] = value;
  }
}

// The gradient of a feature's s, but for its share: the sum of the map's gradients over G F.
fn slopeOfMap(first: u32, lane: u32) -> f32 {
  let pixels = p.F / p.C;
  var own = 0f;
  for (var k = lane; k < p.G * pixels; k += LANES) {
    own += dy[atWithMap(first, k / pixels, k % pixels * p.C + p.C - 1) + 1];
  }
  return sumOfLanes(lane, own) / f32(p.G * p.F);
}

// result = [x, S]
@compute @workgroup_size(LANES)
fn forward(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = id.y * count.x + id.x;
  if (group >= p.groups) { return; }
  let first = firstOf(group);
  var own = 0f;
  for (var f = lane; f < p.F; f += LANES) {
    own += feature(first, f).s;
    for (var i = 0u; i < p.G; i++) { result[atWithMap(first, i, f)] = x[at(first, i, f)]; }
  }
  fillMap(first, lane, sumOfLanes(lane, own) / f32(p.F));
}

// Its slope along u: result = [u, mean of (sum u d) / (G s)]
@compute @workgroup_size(LANES)
fn along(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = id.y * count.x + id.x;
  if (group >= p.groups) { return; }
  let first = firstOf(group);
  var own = 0f;
  for (var f = lane; f < p.F; f += LANES) {
    let stat = feature(first, f);
    var products = 0f;
    for (var i = 0u; i < p.G; i++) {
      let step = u[at(first, i, f)];
      products += step * (x[at(first, i, f)] - stat.mean);
      result[atWithMap(first, i, f)] = step;
    }
    own += products / stat.s;
  }
  fillMap(first, lane, sumOfLanes(lane, own) / f32(p.G * p.F));
}

// Its gradient: result = dy + k d / s, with k the map's
@compute @workgroup_size(LANES)
fn gradient(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = id.y * count.x + id.x;
  if (group >= p.groups) { return; }
  let first = firstOf(group);
  let k = slopeOfMap(first, lane);
  for (var f = lane; f < p.F; f += LANES) {
    let stat = feature(first, f);
    for (var i = 0u; i < p.G; i++) {
      let d = x[at(first, i, f)] - stat.mean;
      result[at(first, i, f)] = dy[atWithMap(first, i, f)] + k * d / stat.s;
    }
  }
}

// The gradient, by x, of the sum of u k d / s: result = k ((u - mean u) / s - sum(u d) d / (G s^3))
@compute @workgroup_size(LANES)
fn curvature(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = id.y * count.x + id.x;
  if (group >= p.groups) { return; }
  let first = firstOf(group);
  let k = slopeOfMap(first, lane);
  for (var f = lane; f < p.F; f += LANES) {
    let stat = feature(first, f);
    var total = 0f;
    var products = 0f;
    for (var i = 0u; i < p.G; i++) {
      let step = u[at(first, i, f)];
      total += step;
      products += step * (x[at(first, i, f)] - stat.mean);
    }
    let share = products / (f32(p.G) * stat.s * stat.s);
    for (var i = 0u; i < p.G; i++) {
      let d = x[at(first, i, f)] - stat.mean;
      result[at(first, i, f)] = k * (u[at(first, i, f)] - total / f32(p.G) - share * d) / stat.s;
    }
  }
}
