// Batch normalisation of rows of C channels, fused with a (leaky) ReLU of slope k (1: none).
// Ioffe & Szegedy 2015, algorithm 1; variance biased to normalise, unbiased in the running average.
struct Params { rows: u32, C: u32, chunks: u32, eps: f32, momentum: f32, k: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> partial: array<vec2f>; // [chunks, C]
@group(0) @binding(4) var<storage, read_write> stats: array<vec2f>; // [C]: mean, 1 / deviation
@group(0) @binding(5) var<storage, read_write> running_mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> running_var: array<f32>;
@group(0) @binding(7) var<storage, read> gamma: array<f32>;
@group(0) @binding(8) var<storage, read> beta: array<f32>;
@group(0) @binding(9) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(10) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(11) var<storage, read_write> result: array<f32>;
@group(0) @binding(12) var<uniform> p: Params;

fn at(id: vec3u, groups: vec3u) -> u32 { return id.y * groups.x * 64u + id.x; }

// Sums of (x - x0) and its square over rows chunk, chunk + chunks, ...; neighbours are channels.
// x0, the first row, keeps the squares small where the mean is large.
@compute @workgroup_size(64)
fn moments(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = at(id, groups);
  if (i >= p.chunks * p.C) { return; }
  let c = i % p.C;
  let x0 = x[c];
  var sum = 0f;
  var squares = 0f;
  for (var r = i / p.C; r < p.rows; r += p.chunks) {
    let d = x[r * p.C + c] - x0;
    sum += d;
    squares += d * d;
  }
  partial[i] = vec2f(sum, squares);
}

@compute @workgroup_size(64)
fn finish(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c >= p.C) { return; }
  var total = vec2f();
  for (var i = 0u; i < p.chunks; i++) { total += partial[i * p.C + c]; }
  let n = f32(p.rows);
  let shift = total.x / n;
  let variance = max(total.y / n - shift * shift, 0f);
  let mean = x[c] + shift;
  stats[c] = vec2f(mean, 1 / sqrt(variance + p.eps));
  let unbiased = variance * n / max(n - 1, 1f);
  running_mean[c] += p.momentum * (mean - running_mean[c]);
  running_var[c] += p.momentum * (unbiased - running_var[c]);
}

@compute @workgroup_size(64)
fn from_running(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c < p.C) { stats[c] = vec2f(running_mean[c], 1 / sqrt(running_var[c] + p.eps)); }
}

@compute @workgroup_size(64)
fn normalise(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = at(id, groups);
  if (i >= p.rows * p.C) { return; }
  let c = i % p.C;
  let v = (x[i] - stats[c].x) * (stats[c].y * gamma[c]) + beta[c];
  result[i] = select(p.k * v, v, v > 0);
}

// dbeta = sum g, dgamma = sum g x^, with g = dy through the ReLU and x^ the normalised x
@compute @workgroup_size(64)
fn gradient_sums(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = at(id, groups);
  if (i >= p.chunks * p.C) { return; }
  let c = i % p.C;
  let s = stats[c];
  var sum = vec2f();
  for (var r = i / p.C; r < p.rows; r += p.chunks) {
    let e = r * p.C + c;
    let g = dy[e] * select(p.k, 1f, y[e] > 0);
    sum += vec2f(g, g * (x[e] - s.x) * s.y);
  }
  partial[i] = sum;
}

@compute @workgroup_size(64)
fn gradient_finish(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c >= p.C) { return; }
  var total = vec2f();
  for (var i = 0u; i < p.chunks; i++) { total += partial[i * p.C + c]; }
  dbeta[c] = total.x;
  dgamma[c] = total.y;
}

// dx = gamma / deviation (g - mean g - x^ mean(g x^))
@compute @workgroup_size(64)
fn gradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = at(id, groups);
  if (i >= p.rows * p.C) { return; }
  let c = i % p.C;
  let s = stats[c];
  let g = dy[i] * select(p.k, 1f, y[i] > 0);
  let n = f32(p.rows);
  result[i] = gamma[c] * s.y * (g - dbeta[c] / n - (x[i] - s.x) * s.y * dgamma[c] / n);
}
