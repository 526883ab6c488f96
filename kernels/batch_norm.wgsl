// Batch normalisation of rows of C channels, fused with a (leaky) ReLU of slope k (1: none).
// Ioffe & Szegedy 2015, algorithm 1; variance biased to normalise, unbiased in the running average.
//
// Two dispatches in each pass: sums of chunks of rows, then the result from all chunks' sums. A chunk is
// an invocation's or, with GROUP, a workgroup's; an invocation computes the channels of one V. The rows may
// be those of several batches, one after the other, each with statistics of its own; z of the grid is
// the batch.
#include element
// `rows` a batch, in `chunks` chunks. C counts V.
struct Params {
  batches: u32, rows: u32, C: u32, chunks: u32, eps: f32, momentum: f32, k: f32,
}
@group(0) @binding(1) var<storage, read> first: array<V>; // the same, or the first of its rows
@group(0) @binding(3) var<storage, read_write> sums: array<V>; // [batches, chunks, 2, C]
@group(0) @binding(5) var<storage, read_write> stats: array<V>; // [batches, 5, C], as in Stats
@group(0) @binding(6) var<storage, read_write> running_mean: array<V>;
@group(0) @binding(7) var<storage, read_write> running_var: array<V>;
@group(0) @binding(8) var<storage, read> gamma: array<V>;
@group(0) @binding(9) var<storage, read> beta: array<V>;
@group(0) @binding(10) var<storage, read_write> dbeta: array<V>;
@group(0) @binding(11) var<storage, read_write> dgamma: array<V>;
@group(0) @binding(12) var<storage, read_write> result: array<V>;
@group(0) @binding(13) var<uniform> p: Params;
// x [batches, rows, C], dy the same, partial as sums
#if TEXTURES
#include texels
@group(0) @binding(0) var x: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(2) var dy: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(4) var partial: texture_storage_2d_array<rgba32float, read>;
fn x_at(i: u32) -> V { let t = place_of(i); return textureLoad(x, t.xy, t.z); }
fn dy_at(i: u32) -> V { let t = place_of(i); return textureLoad(dy, t.xy, t.z); }
fn partial_at(i: u32) -> V { let t = place_of(i); return textureLoad(partial, t.xy, t.z); }
#else
@group(0) @binding(0) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read> dy: array<V>;
@group(0) @binding(4) var<storage, read> partial: array<V>;
fn x_at(i: u32) -> V { return x[i]; }
fn dy_at(i: u32) -> V { return dy[i]; }
fn partial_at(i: u32) -> V { return partial[i]; }
#end

// Statistics of a batch's channels, normalised as (x - mean) scale + shift with scale = inverse gamma and
// the inverse of the deviation; moments are about x0
struct Stats { x0: V, mean: V, inverse: V, scale: V, shift: V }

struct Sums { one: V, two: V }

// Of a chunk of rows
fn kept_sums(batch: u32, own: Place, chunk: Sums) {
  if (!own.writes) { return; }
  let at = 2 * (batch * p.chunks + own.chunk) * p.C + own.c;
  sums[at] = chunk.one;
  sums[at + p.C] = chunk.two;
}

// Of all chunks of a batch
fn added(batch: u32, own: Place) -> Sums {
  var sum = V();
  var other = V();
  for (var i = own.lane; i < p.chunks; i += LANES) {
    let at = 2 * (batch * p.chunks + i) * p.C + own.c;
    sum += partial_at(at);
    other += partial_at(at + p.C);
  }
  return whole(Sums(sum, other), own);
}

// True for the one invocation a column that stores results of all rows of all batches
fn keeps(own: Place, id: vec3u) -> bool { return id.z == 0 && is_first(own, id); }

// Sums of (x - x0) and its square; x0, the first row, keeps squares small where the mean is large.
@compute @workgroup_size(SIZE)
fn moments(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) l: u32) {
  let own = place(id, groups, l);
  let x0 = first[id.z * p.rows * p.C + own.c];
  var sum = V();
  var squares = V();
  for (var r = own.row; r < p.rows; r += p.chunks * LANES) {
    let d = x_at((id.z * p.rows + r) * p.C + own.c) - x0;
    sum += d;
    squares += d * d;
  }
  kept_sums(id.z, own, whole(Sums(sum, squares), own));
  if (own.writes && own.chunk == 0) { stats[5 * id.z * p.C + own.c] = x0; }
}

struct Moments { mean: V, variance: V } // the variance is biased
fn moments_of(batch: u32, own: Place) -> Moments {
  let n = f32(p.rows);
  let all = added(batch, own);
  let shift = all.one / n;
  let x0 = stats[5 * batch * p.C + own.c];
  let variance = all.two / n - shift * shift;
  return Moments(x0 + shift, select(variance, V(), variance < V())); // unlike max, this keeps NaN
}

@compute @workgroup_size(SIZE)
fn normalise(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) groups: vec3u,
             @builtin(local_invocation_index) l: u32) {
  let own = place(id, groups, l);
  let batch = moments_of(id.z, own);
  let inverse = 1 / sqrt(batch.variance + p.eps);
  let scale = inverse * gamma[own.c];
  let shift = beta[own.c];
  if (own.writes && own.chunk == 0) {
    let at = 5 * id.z * p.C + own.c;
    stats[at + p.C] = batch.mean;
    stats[at + 2 * p.C] = inverse;
    stats[at + 3 * p.C] = scale;
    stats[at + 4 * p.C] = shift;
  }
  if (keeps(own, id)) {
    let n = f32(p.rows);
    for (var b = 0u; b < p.batches; b++) {
      let next = moments_of(b, own);
      if (own.writes) { // not `continue`: barriers follow in the next iteration
        let unbiased = next.variance * (n / max(n - 1, 1f));
        running_mean[own.c] += p.momentum * (next.mean - running_mean[own.c]);
        running_var[own.c] += p.momentum * (unbiased - running_var[own.c]);
      }
    }
  }
  normalised(id.z, own, batch.mean, scale, shift);
}

@compute @workgroup_size(SIZE)
fn normalise_by_running(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) groups: vec3u,
                        @builtin(local_invocation_index) l: u32) {
  let own = place(id, groups, l);
  let scale = gamma[own.c] / sqrt(running_var[own.c] + p.eps);
  normalised(id.z, own, running_mean[own.c], scale, beta[own.c]);
}

fn normalised(batch: u32, own: Place, mean: V, scale: V, shift: V) {
  if (!own.live) { return; }
  for (var r = own.row; r < p.rows; r += p.chunks * LANES) {
    let e = (batch * p.rows + r) * p.C + own.c;
    let v = (x_at(e) - mean) * scale + shift;
    result[e] = leaky_relu(v, p.k);
  }
}

fn stats_of(batch: u32, c: u32) -> Stats {
  let at = 5 * batch * p.C + c;
  return Stats(stats[at], stats[at + p.C], stats[at + 2 * p.C], stats[at + 3 * p.C],
               stats[at + 4 * p.C]);
}

// dy through the ReLU: its sign is recomputed, which costs less than reading it.
fn through(d: V, centred: V, by: Stats) -> V {
  return leaky_gate(d, centred * by.scale + by.shift, p.k);
}

// dbeta = sum g, dgamma = sum g x^, with g = dy through the ReLU and x^ the normalised x
@compute @workgroup_size(SIZE)
fn gradient_sums(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(local_invocation_index) l: u32) {
  let own = place(id, groups, l);
  let by = stats_of(id.z, own.c);
  var sum = V();
  var products = V();
  for (var r = own.row; r < p.rows; r += p.chunks * LANES) {
    let e = (id.z * p.rows + r) * p.C + own.c;
    let centred = x_at(e) - by.mean;
    let g = through(dy_at(e), centred, by);
    sum += g;
    products += g * centred;
  }
  kept_sums(id.z, own, whole(Sums(sum, products * by.inverse), own));
}

// dx = gamma / deviation (g - mean g - x^ mean(g x^))
@compute @workgroup_size(SIZE)
fn gradient(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) groups: vec3u,
            @builtin(local_invocation_index) l: u32) {
  let own = place(id, groups, l);
  let by = stats_of(id.z, own.c);
  let batch = added(id.z, own);
  if (keeps(own, id)) {
    var all = batch;
    for (var b = 1u; b < p.batches; b++) {
      let next = added(b, own);
      all = Sums(all.one + next.one, all.two + next.two);
    }
    if (own.writes) {
      dbeta[own.c] = all.one;
      dgamma[own.c] = all.two;
    }
  }
  if (!own.live) { return; }
  let n = f32(p.rows);
  let k1 = batch.one / n;
  let k2 = by.inverse * batch.two / n;
  for (var r = own.row; r < p.rows; r += p.chunks * LANES) {
    let e = (id.z * p.rows + r) * p.C + own.c;
    let centred = x_at(e) - by.mean;
    let g = through(dy_at(e), centred, by);
    result[e] = by.scale * (g - k1 - centred * k2);
  }
}

#if GROUP
// Each chunk of rows is a workgroup's: $LANES lanes for each of $COLUMNS columns, which add up together.
const SIZE = ${COLUMNS * LANES};
const LANES = ${LANES}u; // of a chunk
struct Place { l: u32, c: u32, chunk: u32, lane: u32, row: u32, live: bool, writes: bool }
var<workgroup> ones: array<V, SIZE>;
var<workgroup> twos: array<V, SIZE>;

fn place(id: vec3u, groups: vec3u, l: u32) -> Place {
  let c = id.x * $COLUMNS + l % $COLUMNS;
  let lane = l / $COLUMNS;
  let live = c < p.C;
  return Place(l, min(c, p.C - 1), id.y, lane, id.y * LANES + lane, live, live && lane == 0);
}

fn whole(own: Sums, at: Place) -> Sums {
  let l = at.l;
  workgroupBarrier(); // what was here before is read
  ones[l] = own.one;
  twos[l] = own.two;
  for (var half = LANES / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (at.lane < half) {
      ones[l] += ones[l + $COLUMNS * half];
      twos[l] += twos[l + $COLUMNS * half];
    }
  }
  workgroupBarrier();
  return Sums(ones[l % $COLUMNS], twos[l % $COLUMNS]);
}

fn is_first(own: Place, id: vec3u) -> bool { return id.y == 0; } // uniform: barriers follow
#else
// Each chunk of rows is one invocation's; neighbours read neighbouring addresses. No barriers.
const SIZE = 64;
const LANES = 1u; // of a chunk
struct Place { c: u32, chunk: u32, lane: u32, row: u32, live: bool, writes: bool }

fn place(id: vec3u, groups: vec3u, l: u32) -> Place {
  let i = (id.y * groups.x + id.x) * 64u + l;
  let chunk = i / p.C;
  let live = chunk < p.chunks;
  return Place(i % p.C, chunk, 0, select(p.rows, chunk, live), live, live);
}

fn whole(own: Sums, at: Place) -> Sums { return own; }

fn is_first(own: Place, id: vec3u) -> bool { return own.chunk == 0; }
#end
