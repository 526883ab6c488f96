// How much the images of a group differ, feature by feature; a workgroup a group of up to four, one a
// component. Images j, j + M, j + 2M, ... of a batch are group j. With d = x - mean x and
// s = sqrt(mean d^2 + eps), the means over the group, the map is S = mean s over the F features.
#include across
const LANES = ${LANES}u;
struct Params {
  groups: u32, M: u32, G: u32, // groups in all and of a batch, images of one
  C: u32, F: u32, // channels, features of an image
  eps: f32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>; // [N, H, W, C]
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [N, H, W, C + 1]
@group(0) @binding(2) var<storage, read> u: array<f32>; // [N, H, W, C]
@group(0) @binding(3) var<storage, read_write> result: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;

// The first image of a group; the others follow M apart. What is not there is the last one again.
fn firstOf(group: u32) -> u32 { return group / p.M * p.M * p.G + group % p.M; }
fn images(first: u32) -> vec4u { return first + p.M * min(vec4u(0, 1, 2, 3), vec4u(p.G - 1)); }

// Where feature f is, and where with the map's channel behind each pixel's.
fn at(first: u32, f: u32) -> vec4u { return images(first) * p.F + f; }
fn atWithMap(first: u32, f: u32) -> vec4u {
  return images(first) * (p.F + p.F / p.C) + f + f / p.C;
}

fn total(v: vec4f) -> f32 {
  let own = select(vec4f(), v, vec4u(0, 1, 2, 3) < vec4u(p.G));
  return own.x + own.y + own.z + own.w;
}

fn put(at: vec4u, v: vec4f) {
  result[at.x] = v.x;
  if (p.G > 1) { result[at.y] = v.y; }
  if (p.G > 2) { result[at.z] = v.z; }
  if (p.G > 3) { result[at.w] = v.w; }
}

struct Feature { d: vec4f, s: f32 }
fn feature(x: vec4f) -> Feature {
  let d = x - total(x) / f32(p.G);
  return Feature(d, sqrt(total(d * d) / f32(p.G) + p.eps));
}
fn xs(at: vec4u) -> vec4f { return vec4f(x[at.x], x[at.y], x[at.z], x[at.w]); }
fn us(at: vec4u) -> vec4f { return vec4f(u[at.x], u[at.y], u[at.z], u[at.w]); }
fn dys(at: vec4u) -> vec4f { return vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]); }

// The map's channel of all images of a group.
fn fillMap(first: u32, lane: u32, value: f32) {
  for (var f = (lane + 1) * p.C - 1; f < p.F; f += LANES * p.C) {
    put(atWithMap(first, f) + 1, vec4f(value));
  }
}

// The gradient of a feature's s, but for its share: the sum of the map's gradients over G F.
fn slopeOfMap(first: u32, lane: u32) -> f32 {
  var own = 0f;
  for (var f = (lane + 1) * p.C - 1; f < p.F; f += LANES * p.C) {
    own += total(dys(atWithMap(first, f) + 1));
  }
  return sum_across(lane, own) / f32(p.G * p.F);
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
    let v = xs(at(first, f));
    own += feature(v).s;
    put(atWithMap(first, f), v);
  }
  fillMap(first, lane, sum_across(lane, own) / f32(p.F));
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
    let here = feature(xs(at(first, f)));
    let step = us(at(first, f));
    own += total(step * here.d) / here.s;
    put(atWithMap(first, f), step);
  }
  fillMap(first, lane, sum_across(lane, own) / f32(p.G * p.F));
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
    let here = feature(xs(at(first, f)));
    put(at(first, f), dys(atWithMap(first, f)) + k / here.s * here.d);
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
  let n = f32(p.G);
  for (var f = lane; f < p.F; f += LANES) {
    let here = feature(xs(at(first, f)));
    let step = us(at(first, f));
    let share = total(step * here.d) / (n * here.s * here.s);
    put(at(first, f), k / here.s * (step - total(step) / n - share * here.d));
  }
}
