// One power iteration for many matrices at once: v = W^T u / |W^T u|, then u = W v / |W v|.
// A weight is [A, R, B] with the outputs along R, a matrix of R rows and A B columns. Workgroup row y
// is for matrix y of the table. Each kernel comes for two kinds: rows last (B is 1) and columns last.
// Sizes and places along the last axis count Vs.
#include element
#include across
struct Matrix {
  w: u32, u: u32, v: u32, // where each begins
  A: u32, R: u32, B: u32,
  chunks: u32, partial: u32, // parts of the sum over columns; where they are kept
}
struct Range { matrix: u32, begin: u32, end: u32 }
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
#if TEXTURES
#include texels
@group(0) @binding(1) var w: texture_storage_2d_array<rgba32float, read>;
fn w_at(i: u32) -> V { let t = place_of(i); return textureLoad(w, t.xy, t.z); }
#else
@group(0) @binding(1) var<storage, read> w: array<V>;
fn w_at(i: u32) -> V { return w[i]; }
#end
@group(0) @binding(2) var<storage, read> u: array<f32>; // all u and v lie in one buffer
@group(0) @binding(3) var<storage, read> uV: array<V>;
@group(0) @binding(4) var<storage, read_write> vectors: array<f32>; // the same
@group(0) @binding(5) var<storage, read_write> made: array<f32>; // W^T u, laid out as they are
@group(0) @binding(12) var<storage, read_write> madeV: array<V>;
@group(0) @binding(6) var<storage, read_write> partial: array<f32>; // [chunks, R] a matrix
@group(0) @binding(7) var<storage, read_write> partialV: array<V>;
@group(0) @binding(8) var<storage, read_write> sigma: array<f32>; // one in 64
@group(0) @binding(9) var<storage, read_write> quotient: array<V>; // as w
@group(0) @binding(10) var<storage, read> ranges: array<Range>; // one a workgroup
@group(0) @binding(11) var<storage, read> product: array<f32>; // W^T u, laid out as u and v are
@group(0) @binding(13) var<storage, read> productV: array<V>;

// v = W^T u, not yet of length 1
@compute @workgroup_size(64)
fn columnsOfRowsLast(@builtin(global_invocation_id) id: vec3u) {
  let m = table[id.y];
  if (id.x >= m.A) { return; }
  let start = m.w + id.x * m.R;
  var sum = 0f;
  for (var r = 0u; r < m.R; r++) { sum += dot_of(w_at(start + r), uV[m.u + r]); }
  made[m.v + id.x] = sum;
}

@compute @workgroup_size(64)
fn columnsOfColumnsLast(@builtin(global_invocation_id) id: vec3u) {
  let m = table[id.y];
  if (id.x >= m.A * m.B) { return; }
  let a = id.x / m.B;
  var i = m.w + a * m.R * m.B + id.x - a * m.B;
  var sum = V();
  for (var r = 0u; r < m.R; r++) {
    sum += w_at(i) * u[m.u + r];
    i += m.B;
  }
  madeV[m.v + id.x] = sum;
}

// W v in parts
@compute @workgroup_size(64)
fn rowsOfRowsLast(@builtin(global_invocation_id) id: vec3u) {
  let m = table[id.y];
  if (id.x >= m.chunks * m.R) { return; }
  let chunk = id.x / m.R;
  let r = id.x - chunk * m.R;
  var sum = V();
  for (var a = m.A * chunk / m.chunks; a < m.A * (chunk + 1) / m.chunks; a++) {
    sum += w_at(m.w + a * m.R + r) * product[m.v + a];
  }
  partialV[m.partial + id.x] = sum;
}

@compute @workgroup_size(64)
fn rowsOfColumnsLast(@builtin(global_invocation_id) id: vec3u) {
  let m = table[id.y];
  if (id.x >= m.chunks * m.R) { return; }
  let chunk = id.x / m.R;
  let r = id.x - chunk * m.R;
  let first = m.B * chunk / m.chunks;
  let last = m.B * (chunk + 1) / m.chunks;
  var sum = 0f;
  for (var a = 0u; a < m.A; a++) {
    for (var b = first; b < last; b++) {
      sum += dot_of(w_at(m.w + (a * m.R + r) * m.B + b), productV[m.v + a * m.B + b]);
    }
  }
  partial[m.partial + id.x] = sum;
}

// 1 / length, also of zero vectors; unlike max, select keeps NaN
fn inverse(length: f32) -> f32 { return 1 / select(length, 1e-12, length < 1e-12); }

// Both to length 1, and sigma = |W v|; a workgroup a matrix, whose table counts numbers, not vec4s
@compute @workgroup_size(64)
fn normalise(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let m = table[group.y];
  let n = m.A * m.B;
  var squares = 0f;
  for (var i = id.x; i < n; i += 64) { squares += product[m.v + i] * product[m.v + i]; }
  let kv = inverse(sqrt(sum_across(id.x, squares)));
  for (var i = id.x; i < n; i += 64) { vectors[m.v + i] = kv * product[m.v + i]; }
  squares = 0f;
  for (var r = id.x; r < m.R; r += 64) {
    var sum = 0f;
    for (var chunk = 0u; chunk < m.chunks; chunk++) { sum += partial[m.partial + chunk * m.R + r]; }
    sum *= kv;
    vectors[m.u + r] = sum;
    squares += sum * sum;
  }
  let length = sqrt(sum_across(id.x, squares));
  let ku = inverse(length);
  for (var r = id.x; r < m.R; r += 64) { vectors[m.u + r] *= ku; }
  if (id.x == 0) { sigma[64 * group.y] = length; }
}

// sigma = u^T W v: `product` is W^T u
@compute @workgroup_size(64)
fn measure(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let m = table[group.y];
  var own = 0f;
  for (var i = id.x; i < m.A * m.B; i += 64) { own += vectors[m.v + i] * product[m.v + i]; }
  let all = sum_across(id.x, own);
  if (id.x == 0) { sigma[64 * group.y] = all; }
}

// W / sigma. A loop over a range would take four times as long on the software device.
@compute @workgroup_size(64)
fn divide(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u,
          @builtin(num_workgroups) groups: vec3u) {
  let range = ranges[group.y * groups.x + group.x];
  let i = range.begin + id.x;
  if (i < range.end) { quotient[i] = w_at(i) / sigma[64 * range.matrix]; }
}
