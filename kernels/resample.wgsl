// Changes of image size. Rows of all images are counted through: r = n H + h.
// B and C count Vs.
#include element
struct Params { A: u32, R: u32, S: u32, B: u32, f: u32, k: f32 }
@group(0) @binding(0) var<storage, read> x: array<V>;
@group(0) @binding(1) var<storage, read_write> y: array<V>;
@group(0) @binding(2) var<uniform> p: Params;

fn index(id: vec3u, groups: vec3u) -> u32 { return id.y * groups.x * 64u + id.x; }

// [A, R, B] -> [f A, f R, B]: y[f r + j, f w + l] = k x[r, w]. An invocation writes all the copies
// of one value: divisions are slow on the software device.
@compute @workgroup_size(64)
fn up(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.A * p.R * p.B) { return; }
  var start = corner(i);
  let value = p.k * x[i];
  for (var j = 0u; j < p.f; j++) {
    var at = start;
    for (var l = 0u; l < p.f; l++) { y[at] = value; at += p.B; }
    start += p.f * p.R * p.B;
  }
}

// [f A, f R, B] -> [A, R, B]: y[r, w] = k sum of the f times f pixels x[f r + j, f w + l]
@compute @workgroup_size(64)
fn down(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.A * p.R * p.B) { return; }
  var start = corner(i);
  var total = V();
  for (var j = 0u; j < p.f; j++) {
    var at = start;
    for (var l = 0u; l < p.f; l++) { total += x[at]; at += p.B; }
    start += p.f * p.R * p.B;
  }
  y[i] = p.k * total;
}

// Where the square of the large image begins that belongs to element i of the small one
fn corner(i: u32) -> u32 {
  let pixel = i / p.B;
  let row = pixel / p.R;
  return (row * p.f * p.f * p.R + (pixel - row * p.R) * p.f) * p.B + i - pixel * p.B;
}

// By 2 with the filter [1, 2, 1] on copies or before means: of two neighbours along an axis the nearer
// counts 3/4 k and the farther 1/4 k; images are S rows of R small pixels, with zeros around them.

struct Pair { a: V, b: V } // of two large pixels side by side

fn between(near: V, far: V) -> V { return p.k * (0.75 * near + 0.25 * far); }

// What becomes of the small pixel at i of a row, in column w
fn spread(i: u32, w: u32, inside: bool) -> Pair {
  if (!inside) { return Pair(); }
  var before = V();
  if (w > 0) { before = x[i - p.B]; }
  var after = V();
  if (w + 1 < p.R) { after = x[i + p.B]; }
  return Pair(between(x[i], before), between(x[i], after));
}

// [A, R, B] -> [2 A, 2 R, B]
@compute @workgroup_size(64)
fn up_smooth(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.A * p.R * p.B) { return; }
  let row = i / (p.R * p.B);
  let w = i / p.B - row * p.R;
  let h = row % p.S;
  let above = spread(i - p.R * p.B, w, h > 0);
  let here = spread(i, w, true);
  let below = spread(i + p.R * p.B, w, h + 1 < p.S);
  let first = corner(i);
  let second = first + p.f * p.R * p.B;
  y[first] = between(here.a, above.a);
  y[first + p.B] = between(here.b, above.b);
  y[second] = between(here.a, below.a);
  y[second + p.B] = between(here.b, below.b);
}

// What four large pixels of a row add to the small one in column w; the second is at i
fn gathered(i: u32, w: u32, inside: bool) -> V {
  if (!inside) { return V(); }
  var before = V();
  if (w > 0) { before = x[i - p.B]; }
  var after = V();
  if (w + 1 < p.R) { after = x[i + 2 * p.B]; }
  return between(x[i], before) + between(x[i + p.B], after);
}

// Its adjoint, [2 A, 2 R, B] -> [A, R, B]
@compute @workgroup_size(64)
fn down_smooth(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.A * p.R * p.B) { return; }
  let row = i / (p.R * p.B);
  let w = i / p.B - row * p.R;
  let h = row % p.S;
  let first = corner(i);
  let step = p.f * p.R * p.B; // of large rows
  let upper = between(gathered(first, w, true), gathered(first - step, w, h > 0));
  let lower = between(gathered(first + step, w, true), gathered(first + 2 * step, w, h + 1 < p.S));
  y[i] = upper + lower;
}

// Twice S times the place of output s among R inputs, s in 0..S-1: half-pixel centres, held at the
// edges. In integers, so that both ways agree on it to the last bit.
fn place(s: i32, R: i32, S: i32) -> i32 { return clamp((2 * s + 1) * R - S, 0, 2 * S * (R - 1)); }

// [A, R, B] -> [A, S, B]: linear interpolation along the middle axis
@compute @workgroup_size(64)
fn interpolate(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.A * p.S * p.B) { return; }
  let row = i / p.B;
  let b = i - row * p.B;
  let a = row / p.S;
  let at = u32(place(i32(row - a * p.S), i32(p.R), i32(p.S)));
  let low = at / (2 * p.S);
  let t = f32(at - low * 2 * p.S) / f32(2 * p.S);
  let start = a * p.R;
  let near = x[(start + low) * p.B + b];
  let far = x[(start + min(low + 1, p.R - 1)) * p.B + b];
  // Where t is 0, an infinity beyond would become NaN. So would infinity - infinity in near + t (far - near).
  y[i] = select((1 - t) * near + t * far, near, t == 0);
}

// Its adjoint, [A, S, B] -> [A, R, B]: an input gathers from the outputs less than 1 away from it
@compute @workgroup_size(64)
fn gather(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.A * p.R * p.B) { return; }
  let b = i % p.B;
  let row = i / p.B;
  let R = i32(p.R);
  let S = i32(p.S);
  let r = i32(row % p.R);
  // place(s) > 2 S (r - 1) and < 2 S (r + 1), solved for s and widened by rounding
  let first = select(max((S * (2 * r - 1) - R) / (2 * R), 0), 0, r == 0);
  let last = select(min((S * (2 * r + 3) - R) / (2 * R) + 1, S - 1), S - 1, r == R - 1);
  let start = row / p.R * p.S;
  var total = V();
  for (var s = first; s <= last; s++) {
    let weight = 1 - f32(abs(place(s, R, S) - 2 * S * r)) / f32(2 * S);
    total += select(V(), weight * x[(start + u32(s)) * p.B + b], weight > 0);
  }
  y[i] = total;
}
