// Windows of K by K pixels, every S-th, over [N, H, W, C] with a border of `pad`: maxima, means and
// their adjoints. There are P by Q windows. An adjoint gathers: a pixel asks the windows it is in.
override COUNT_PADDING: bool = true;
// C counts Vs.
#include element
#if VEC4
alias Bits = vec4u;
alias Choice = vec4<bool>;
#else
alias Bits = u32;
alias Choice = bool;
#end
struct Params { N: u32, H: u32, W: u32, C: u32, P: u32, Q: u32, K: u32, S: u32, pad: u32 }
@group(0) @binding(0) var<storage, read> u: array<V>;
@group(0) @binding(1) var<storage, read> v: array<V>;
@group(0) @binding(2) var<storage, read_write> result: array<V>;
@group(0) @binding(3) var<uniform> p: Params;

fn index(id: vec3u, groups: vec3u) -> u32 { return id.y * groups.x * 64u + id.x; }

struct At { n: u32, row: u32, col: u32, c: u32 }
// Element i of images of `height` rows of `width` pixels
fn at(i: u32, height: u32, width: u32) -> At {
  let pixel = i / p.C;
  let row = pixel / width;
  let n = row / height;
  return At(n, row - n * height, pixel - row * width, i - pixel * p.C);
}
// The first pixel of a window and the one behind its last, without the border
fn pixels(window: u32, size: u32) -> vec2u {
  let first = window * p.S;
  return vec2u(max(first, p.pad) - p.pad, min(first + p.K - p.pad, size));
}
// The first window that a pixel is in and the one behind the last
fn windows(pixel: u32, count: u32) -> vec2u {
  let bordered = pixel + p.pad;
  let before = max(bordered + p.S, p.K) - p.K;
  return vec2u(before / p.S, min(bordered / p.S + 1, count));
}
// The first maximum wins; a NaN wins over all
fn wins(x: V, most: V) -> Choice {
  let nan = (bitcast<Bits>(x) & Bits(0x7fffffffu)) > Bits(0x7f800000u);
  return (x > most) | nan;
}

// result[window] = maximum of u, [N, H, W, C] -> [N, P, Q, C]
@compute @workgroup_size(64)
fn maximum(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.N * p.P * p.Q * p.C) { return; }
  let t = at(i, p.P, p.Q);
  let h = pixels(t.row, p.H);
  let w = pixels(t.col, p.W);
  var most = u[((t.n * p.H + h.x) * p.W + w.x) * p.C + t.c];
  for (var row = h.x; row < h.y; row++) {
    var e = ((t.n * p.H + row) * p.W + w.x) * p.C + t.c;
    for (var col = w.x; col < w.y; col++) {
      let x = u[e];
      most = select(most, x, wins(x, most));
      e += p.C;
    }
  }
  result[i] = most;
}

// result[window] = v where u has its maximum, [N, H, W, C] -> [N, P, Q, C]
@compute @workgroup_size(64)
fn pick(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.N * p.P * p.Q * p.C) { return; }
  let t = at(i, p.P, p.Q);
  let h = pixels(t.row, p.H);
  let w = pixels(t.col, p.W);
  let start = ((t.n * p.H + h.x) * p.W + w.x) * p.C + t.c;
  var most = u[start];
  var picked = v[start];
  for (var row = h.x; row < h.y; row++) {
    var e = ((t.n * p.H + row) * p.W + w.x) * p.C + t.c;
    for (var col = w.x; col < w.y; col++) {
      let x = u[e];
      let better = wins(x, most);
      most = select(most, x, better);
      picked = select(picked, v[e], better);
      e += p.C;
    }
  }
  result[i] = picked;
}

// result[pixel] = sum of v over the windows of u whose maximum it is, [N, P, Q, C] -> [N, H, W, C]
@compute @workgroup_size(64)
fn spread(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.N * p.H * p.W * p.C) { return; }
  let t = at(i, p.H, p.W);
  let P = windows(t.row, p.P);
  let Q = windows(t.col, p.Q);
  var total = V();
  for (var a = P.x; a < P.y; a++) {
    let h = pixels(a, p.H);
    for (var b = Q.x; b < Q.y; b++) {
      let w = pixels(b, p.W);
      var most = u[((t.n * p.H + h.x) * p.W + w.x) * p.C + t.c];
      // Whether this pixel is the best so far, as 0 or 1
      var mine = select(V(), V(1), t.row == h.x && t.col == w.x);
      for (var row = h.x; row < h.y; row++) {
        var e = ((t.n * p.H + row) * p.W + w.x) * p.C + t.c;
        for (var col = w.x; col < w.y; col++) {
          let x = u[e];
          let better = wins(x, most);
          most = select(most, x, better);
          mine = select(mine, select(V(), V(1), row == t.row && col == t.col), better);
          e += p.C;
        }
      }
      let dy = v[((t.n * p.P + a) * p.Q + b) * p.C + t.c];
      total += select(V(), dy, mine > V());
    }
  }
  result[i] = total;
}

// One over the number of pixels of a window
fn share(h: vec2u, w: vec2u) -> f32 {
  return 1 / f32(select((h.y - h.x) * (w.y - w.x), p.K * p.K, COUNT_PADDING));
}

// result[window] = mean of u, [N, H, W, C] -> [N, P, Q, C]
@compute @workgroup_size(64)
fn average(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.N * p.P * p.Q * p.C) { return; }
  let t = at(i, p.P, p.Q);
  let h = pixels(t.row, p.H);
  let w = pixels(t.col, p.W);
  var total = V();
  for (var row = h.x; row < h.y; row++) {
    var e = ((t.n * p.H + row) * p.W + w.x) * p.C + t.c;
    for (var col = w.x; col < w.y; col++) { total += u[e]; e += p.C; }
  }
  result[i] = share(h, w) * total;
}

// result[pixel] = sum of the shares that it has in its windows' u, [N, P, Q, C] -> [N, H, W, C]
@compute @workgroup_size(64)
fn averageGrad(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.N * p.H * p.W * p.C) { return; }
  let t = at(i, p.H, p.W);
  let P = windows(t.row, p.P);
  let Q = windows(t.col, p.Q);
  var total = V();
  for (var a = P.x; a < P.y; a++) {
    let h = pixels(a, p.H);
    for (var b = Q.x; b < Q.y; b++) {
      total += share(h, pixels(b, p.W)) * u[((t.n * p.P + a) * p.Q + b) * p.C + t.c];
    }
  }
  result[i] = total;
}
