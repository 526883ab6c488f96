// One power iteration for many matrices at once: v = W^T u / |W^T u|, then u = W v / |W v|.
// A weight is [A, R, B] with the outputs along R, a matrix of R rows and A B columns. Workgroup row y
// serves matrix y of the table.
struct Matrix {
  w: u32, u: u32, v: u32, // where each begins, in elements
  A: u32, R: u32, B: u32,
  chunks: u32, partial: u32, // parts of the sum over the longer of A and B; where they are kept
}
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> u: array<f32>;
@group(0) @binding(3) var<storage, read_write> v: array<f32>;
@group(0) @binding(4) var<storage, read_write> partial: array<f32>; // [chunks, R] a matrix
var<workgroup> sums: array<f32, 64>;

// v = W^T u, not yet of length 1
@compute @workgroup_size(64)
fn columns(@builtin(global_invocation_id) id: vec3u) {
  let m = table[id.y];
  if (id.x >= m.A * m.B) { return; }
  let a = id.x / m.B;
  var i = m.w + a * m.R * m.B + id.x - a * m.B;
  var sum = 0f;
  for (var r = 0u; r < m.R; r++) {
    sum += w[i] * u[m.u + r];
    i += m.B;
  }
  v[m.v + id.x] = sum;
}

// W v in parts
@compute @workgroup_size(64)
fn rows(@builtin(global_invocation_id) id: vec3u) {
  let m = table[id.y];
  if (id.x >= m.chunks * m.R) { return; }
  let chunk = id.x / m.R;
  let r = id.x - chunk * m.R;
  var first = vec2u();
  var last = vec2u(m.A, m.B);
  if (m.A > m.B) {
    first.x = m.A * chunk / m.chunks;
    last.x = m.A * (chunk + 1) / m.chunks;
  } else {
    first.y = m.B * chunk / m.chunks;
    last.y = m.B * (chunk + 1) / m.chunks;
  }
  var sum = 0f;
  for (var a = first.x; a < last.x; a++) {
    for (var b = first.y; b < last.y; b++) {
      sum += w[m.w + (a * m.R + r) * m.B + b] * v[m.v + a * m.B + b];
    }
  }
  partial[m.partial + id.x] = sum;
}

// The sum over the workgroup
fn across(lane: u32, own: f32) -> f32 {
  workgroupBarrier();
  sums[lane] = own;
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { sums[lane] += sums[lane + half]; }
  }
  workgroupBarrier();
  return sums[0];
}

// Both to length 1; a workgroup a matrix
@compute @workgroup_size(64)
fn normalise(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let m = table[group.y];
  let n = m.A * m.B;
  var squares = 0f;
  for (var i = id.x; i < n; i += 64) { squares += v[m.v + i] * v[m.v + i]; }
  let kv = 1 / max(sqrt(across(id.x, squares)), 1e-12);
  for (var i = id.x; i < n; i += 64) { v[m.v + i] *= kv; }
  squares = 0f;
  for (var r = id.x; r < m.R; r += 64) {
    var sum = 0f;
    for (var chunk = 0u; chunk < m.chunks; chunk++) { sum += partial[m.partial + chunk * m.R + r]; }
    sum *= kv;
    u[m.u + r] = sum;
    squares += sum * sum;
  }
  let ku = 1 / max(sqrt(across(id.x, squares)), 1e-12);
  for (var r = id.x; r < m.R; r += 64) { u[m.u + r] *= ku; }
}
