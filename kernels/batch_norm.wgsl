// Batch normalisation of rows of C channels, fused with a (leaky) ReLU of slope k (1: none).
// Ioffe & Szegedy 2015, algorithm 1; variance biased to normalise, unbiased in the running average.
//
// An invocation serves the channels of one V in rows chunk, chunk + chunks, ...: its neighbours read
// neighbouring addresses, and what belongs to a channel is read once.
alias V = vec4f; // f32 where C is no multiple of 4; batch_norm.ts puts it in
// `rows` of `total` in all, whose sums are `chunks` behind the first `begin`; C counts V
struct Params {
  rows: u32, total: u32, C: u32, chunks: u32, begin: u32, eps: f32, momentum: f32, k: f32,
}
@group(0) @binding(0) var<storage, read> x: array<V>; // [rows, C]
@group(0) @binding(1) var<storage, read> origin: array<V>; // the first of all rows
@group(0) @binding(2) var<storage, read> dy: array<V>;
@group(0) @binding(3) var<storage, read_write> partial: array<V>; // [chunks, 2, C]
@group(0) @binding(4) var<storage, read_write> stats: array<V>; // [2, C]: mean, 1 / deviation
@group(0) @binding(5) var<storage, read_write> running_mean: array<V>;
@group(0) @binding(6) var<storage, read_write> running_var: array<V>;
@group(0) @binding(7) var<storage, read> gamma: array<V>;
@group(0) @binding(8) var<storage, read> beta: array<V>;
@group(0) @binding(9) var<storage, read_write> dgamma: array<V>;
@group(0) @binding(10) var<storage, read_write> dbeta: array<V>;
@group(0) @binding(11) var<storage, read_write> result: array<V>;
@group(0) @binding(12) var<uniform> p: Params;

fn at(id: vec3u, groups: vec3u) -> u32 { return id.y * groups.x * 64u + id.x; }

// Sums of (x - x0) and its square; x0, the first row, keeps squares small where the mean is large.
@compute @workgroup_size(64)
fn moments(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = at(id, groups);
  if (i >= p.chunks * p.C) { return; }
  let c = i % p.C;
  let chunk = i / p.C;
  let x0 = origin[c];
  var sum = V();
  var squares = V();
  for (var r = chunk; r < p.rows; r += p.chunks) {
    let d = x[r * p.C + c] - x0;
    sum += d;
    squares += d * d;
  }
  partial[2 * (p.begin + chunk) * p.C + c] = sum;
  partial[(2 * (p.begin + chunk) + 1) * p.C + c] = squares;
}

// Both sums over chunks first, first + step, ... of channels c
struct Sums { one: V, two: V }
fn added(c: u32, first: u32, step: u32) -> Sums {
  var sums = Sums(V(), V());
  for (var i = first; i < p.chunks; i += step) {
    sums.one += partial[2 * i * p.C + c];
    sums.two += partial[(2 * i + 1) * p.C + c];
  }
  return sums;
}

// The same over all chunks, by the lanes of a workgroup together; right in the first of them
var<workgroup> ones: array<V, 64>;
var<workgroup> twos: array<V, 64>;
fn addedByGroup(c: u32, l: u32) -> Sums {
  let own = added(c, l, 64);
  ones[l] = own.one;
  twos[l] = own.two;
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (l < half) {
      ones[l] += ones[l + half];
      twos[l] += twos[l + half];
    }
  }
  return Sums(ones[l], twos[l]);
}

@compute @workgroup_size(64)
fn finish(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < p.C) { moved(id.x, added(id.x, 0, 1)); }
}

// A workgroup for each channel (four, if V has)
@compute @workgroup_size(64)
fn finishGroup(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) place: vec3u) {
  let sums = addedByGroup(place.x, l);
  if (l == 0) { moved(place.x, sums); }
}

// Statistics of channels c from the sums of moments, and the running ones on their way to them
fn moved(c: u32, sums: Sums) {
  let sum = sums.one;
  let squares = sums.two;
  let n = f32(p.total);
  let shift = sum / n;
  let variance = max(squares / n - shift * shift, V());
  let mean = origin[c] + shift;
  stats[c] = mean;
  stats[p.C + c] = 1 / sqrt(variance + p.eps);
  let unbiased = variance * (n / max(n - 1, 1f));
  running_mean[c] += p.momentum * (mean - running_mean[c]);
  running_var[c] += p.momentum * (unbiased - running_var[c]);
}

@compute @workgroup_size(64)
fn from_running(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c >= p.C) { return; }
  stats[c] = running_mean[c];
  stats[p.C + c] = 1 / sqrt(running_var[c] + p.eps);
}

@compute @workgroup_size(64)
fn normalise(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = at(id, groups);
  if (i >= p.chunks * p.C) { return; }
  let c = i % p.C;
  let mean = stats[c];
  let scale = stats[p.C + c] * gamma[c];
  let shift = beta[c];
  for (var r = i / p.C; r < p.rows; r += p.chunks) {
    let v = (x[r * p.C + c] - mean) * scale + shift;
    result[r * p.C + c] = select(p.k * v, v, v > V());
  }
}

// dy through the ReLU: its sign is worked out again, which is less than to read it.
fn through(d: V, centred: V, scale: V, shift: V) -> V {
  return select(p.k * d, d, centred * scale + shift > V());
}

// dbeta = sum g, dgamma = sum g x^, with g = dy through the ReLU and x^ the normalised x
@compute @workgroup_size(64)
fn gradient_sums(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = at(id, groups);
  if (i >= p.chunks * p.C) { return; }
  let c = i % p.C;
  let chunk = i / p.C;
  let mean = stats[c];
  let scale = stats[p.C + c] * gamma[c];
  let shift = beta[c];
  var sum = V();
  var products = V();
  for (var r = chunk; r < p.rows; r += p.chunks) {
    let e = r * p.C + c;
    let centred = x[e] - mean;
    let g = through(dy[e], centred, scale, shift);
    sum += g;
    products += g * centred;
  }
  partial[2 * (p.begin + chunk) * p.C + c] = sum;
  partial[(2 * (p.begin + chunk) + 1) * p.C + c] = products * stats[p.C + c];
}

@compute @workgroup_size(64)
fn gradient_finish(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < p.C) { kept(id.x, added(id.x, 0, 1)); }
}

@compute @workgroup_size(64)
fn gradient_finishGroup(@builtin(local_invocation_index) l: u32,
                        @builtin(workgroup_id) place: vec3u) {
  let sums = addedByGroup(place.x, l);
  if (l == 0) { kept(place.x, sums); }
}

fn kept(c: u32, sums: Sums) {
  dbeta[c] = sums.one;
  dgamma[c] = sums.two;
}

// dx = gamma / deviation (g - mean g - x^ mean(g x^))
@compute @workgroup_size(64)
fn gradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = at(id, groups);
  if (i >= p.chunks * p.C) { return; }
  let c = i % p.C;
  let mean = stats[c];
  let inverse = stats[p.C + c];
  let scale = inverse * gamma[c];
  let shift = beta[c];
  let n = f32(p.total);
  let k1 = dbeta[c] / n;
  let k2 = inverse * dgamma[c] / n;
  for (var r = i / p.C; r < p.rows; r += p.chunks) {
    let e = r * p.C + c;
    let centred = x[e] - mean;
    let g = through(dy[e], centred, scale, shift);
    result[e] = scale * (g - k1 - centred * k2);
  }
}
