// Batch normalisation of rows of C channels, fused with a (leaky) ReLU of slope k (1: none).
// Ioffe & Szegedy 2015, algorithm 1; variance biased to normalise, unbiased in the running average.
//
// The rows may be those of several batches, one after the other, each with statistics of its own; where
// an invocation serves one batch, that is z of the grid. It serves the channels of one V in rows chunk,
// chunk + chunks, ...: its neighbours read neighbouring addresses, and what belongs to a channel is read
// once.
alias V = vec4f; // f32 where C is no multiple of 4; batch_norm.ts puts it in
// `rows` of `total` a batch, whose sums are those behind the first `begin` of `chunks`; an invocation's
// rows are `step` apart. C counts V.
struct Params {
  batches: u32, rows: u32, total: u32, C: u32, step: u32, chunks: u32, begin: u32,
  eps: f32, momentum: f32, k: f32,
}
@group(0) @binding(0) var<storage, read> x: array<V>; // [batches, rows, C]
@group(0) @binding(1) var<storage, read> origin: array<V>; // the same, or the first of its rows
@group(0) @binding(2) var<storage, read> dy: array<V>;
@group(0) @binding(3) var<storage, read_write> partial: array<V>; // [batches, chunks, 2, C]
@group(0) @binding(4) var<storage, read_write> stats: array<V>; // [batches, 2, C]: mean, 1 / deviation
@group(0) @binding(5) var<storage, read_write> running_mean: array<V>;
@group(0) @binding(6) var<storage, read_write> running_var: array<V>;
@group(0) @binding(7) var<storage, read> gamma: array<V>;
@group(0) @binding(8) var<storage, read> beta: array<V>;
@group(0) @binding(9) var<storage, read_write> dgamma: array<V>;
@group(0) @binding(10) var<storage, read_write> dbeta: array<V>;
@group(0) @binding(11) var<storage, read_write> gradients: array<V>; // [batches, 2, C]: dbeta, dgamma of each
@group(0) @binding(12) var<storage, read_write> result: array<V>;
@group(0) @binding(13) var<uniform> p: Params;

// What an invocation serves: channels c in rows first, first + p.step, ... up to `end`
struct Place { live: bool, c: u32, chunk: u32, first: u32, end: u32 }

fn place(id: vec3u, groups: vec3u) -> Place {
  let i = id.y * groups.x * 64u + id.x;
  let chunk = i / p.C;
  let begin = id.z * p.rows;
  return Place(chunk < p.step, i % p.C, chunk, begin + chunk, begin + p.rows);
}

fn kept_sums(batch: u32, chunk: u32, c: u32, sum: V, other: V) {
  let at = 2 * (batch * p.chunks + p.begin + chunk) * p.C + c;
  partial[at] = sum;
  partial[at + p.C] = other;
}

// Sums of (x - x0) and its square; x0, the first row, keeps squares small where the mean is large.
@compute @workgroup_size(64)
fn moments(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let own = place(id, groups);
  if (!own.live) { return; }
  let x0 = origin[id.z * p.rows * p.C + own.c];
  var sum = V();
  var squares = V();
  for (var r = own.first; r < own.end; r += p.step) {
    let d = x[r * p.C + own.c] - x0;
    sum += d;
    squares += d * d;
  }
  kept_sums(id.z, own.chunk, own.c, sum, squares);
}

// Both sums of a batch over chunks first, first + step, ... of channels c
struct Sums { one: V, two: V }
fn added(batch: u32, c: u32, first: u32, step: u32) -> Sums {
  var sums = Sums(V(), V());
  for (var i = first; i < p.chunks; i += step) {
    let at = 2 * (batch * p.chunks + i) * p.C + c;
    sums.one += partial[at];
    sums.two += partial[at + p.C];
  }
  return sums;
}

// Both over all chunks, by the lanes of a workgroup together; right in the first of them
var<workgroup> ones: array<V, 64>;
var<workgroup> twos: array<V, 64>;
fn addedByGroup(batch: u32, c: u32, l: u32) -> Sums {
  workgroupBarrier(); // of the batch before, all is read
  let own = added(batch, c, l, 64);
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
  if (id.x >= p.C) { return; }
  for (var batch = 0u; batch < p.batches; batch++) {
    moved(batch, id.x, added(batch, id.x, 0, 1));
  }
}

// A workgroup for each channel (four, if V has)
@compute @workgroup_size(64)
fn finishGroup(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) group: vec3u) {
  for (var batch = 0u; batch < p.batches; batch++) {
    let sums = addedByGroup(batch, group.x, l);
    if (l == 0) { moved(batch, group.x, sums); }
  }
}

// Statistics of channels c from the sums of moments, and the running ones on their way to them
fn moved(batch: u32, c: u32, sums: Sums) {
  let n = f32(p.total);
  let shift = sums.one / n;
  let variance = max(sums.two / n - shift * shift, V());
  let mean = origin[batch * p.rows * p.C + c] + shift;
  stats[2 * batch * p.C + c] = mean;
  stats[(2 * batch + 1) * p.C + c] = 1 / sqrt(variance + p.eps);
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

// What channels c of a batch are normalised by, and what they become
struct Norm { mean: V, inverse: V, scale: V, shift: V }
fn norm(batch: u32, c: u32) -> Norm {
  let inverse = stats[(2 * batch + 1) * p.C + c];
  return Norm(stats[2 * batch * p.C + c], inverse, inverse * gamma[c], beta[c]);
}

@compute @workgroup_size(64)
fn normalise(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let own = place(id, groups);
  if (!own.live) { return; }
  let by = norm(id.z, own.c);
  for (var r = own.first; r < own.end; r += p.step) {
    let e = r * p.C + own.c;
    let v = (x[e] - by.mean) * by.scale + by.shift;
    result[e] = select(p.k * v, v, v > V());
  }
}

// dy through the ReLU: its sign is worked out again, which is less than to read it.
fn through(d: V, centred: V, by: Norm) -> V {
  return select(p.k * d, d, centred * by.scale + by.shift > V());
}

// dbeta = sum g, dgamma = sum g x^, with g = dy through the ReLU and x^ the normalised x
@compute @workgroup_size(64)
fn gradient_sums(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let own = place(id, groups);
  if (!own.live) { return; }
  let by = norm(id.z, own.c);
  var sum = V();
  var products = V();
  for (var r = own.first; r < own.end; r += p.step) {
    let e = r * p.C + own.c;
    let centred = x[e] - by.mean;
    let g = through(dy[e], centred, by);
    sum += g;
    products += g * centred;
  }
  kept_sums(id.z, own.chunk, own.c, sum, products * by.inverse);
}

@compute @workgroup_size(64)
fn gradient_finish(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c >= p.C) { return; }
  var all = Sums(V(), V());
  for (var batch = 0u; batch < p.batches; batch++) {
    let own = added(batch, c, 0, 1);
    noted(batch, c, own);
    all = Sums(all.one + own.one, all.two + own.two);
  }
  dbeta[c] = all.one;
  dgamma[c] = all.two;
}

@compute @workgroup_size(64)
fn gradient_finishGroup(@builtin(local_invocation_index) l: u32,
                        @builtin(workgroup_id) group: vec3u) {
  let c = group.x;
  var all = Sums(V(), V());
  for (var batch = 0u; batch < p.batches; batch++) {
    let own = addedByGroup(batch, c, l);
    if (l == 0) { noted(batch, c, own); }
    all = Sums(all.one + own.one, all.two + own.two);
  }
  if (l == 0) {
    dbeta[c] = all.one;
    dgamma[c] = all.two;
  }
}

fn noted(batch: u32, c: u32, own: Sums) {
  gradients[2 * batch * p.C + c] = own.one;
  gradients[(2 * batch + 1) * p.C + c] = own.two;
}

// dx = gamma / deviation (g - mean g - x^ mean(g x^))
@compute @workgroup_size(64)
fn gradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let own = place(id, groups);
  if (!own.live) { return; }
  let by = norm(id.z, own.c);
  let n = f32(p.total);
  let k1 = gradients[2 * id.z * p.C + own.c] / n;
  let k2 = by.inverse * gradients[(2 * id.z + 1) * p.C + own.c] / n;
  for (var r = own.first; r < own.end; r += p.step) {
    let e = r * p.C + own.c;
    let centred = x[e] - by.mean;
    let g = through(dy[e], centred, by);
    result[e] = by.scale * (g - k1 - centred * k2);
  }
}
