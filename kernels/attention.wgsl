// Attention by rows that pass those that are held (kernels/attention.ts), for four entry points:
//
//          | held held_wide | passing passing_wide | result | QUERIES  BACK   SLICED
// forward  | q              | k       v            | y      | true     false  true
// queries  | q    dy        | k       v            | dq     | true     true   false
// keys     | k    v         | q       dy           | dk     | false    true   false
// values   | k              | q       dy           | dv     | false    true   true
//
// An invocation holds HELD rows; a turn of the loop takes TURN passing rows, BLOCK of them at a time. Sums
// are named variables: the software device is five times slower with an indexed array, and GPUs spill it.
//
// `h` and `hw` are what is held, `r` and `rw` what passes, `a` sums, `s` scores q . k, `t` products dy . v,
// `w` the weights with which passing rows are summed; the number of the held row comes first, then that
// of the passing one or of the vec4. Rows of queries and keys are D vec4, those of values and their
// gradients E, which sums are too wide for: SLICED ones take PER at a time.
//
// `p.rows` are held, `p.others` pass: in the backward pass `p.perPart` of them in each of `p.parts`, whose sums
// are added afterwards.
struct Params { rows: u32, others: u32, images: u32, parts: u32, perPart: u32 }
#if TEXTURES
@group(0) @binding(0) var held: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(1) var held_wide: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(2) var passing: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(3) var passing_wide: texture_storage_2d_array<rgba32float, read>;
#else
@group(0) @binding(0) var<storage, read> held: array<vec4f>;
@group(0) @binding(1) var<storage, read> held_wide: array<vec4f>;
@group(0) @binding(2) var<storage, read> passing: array<vec4f>;
@group(0) @binding(3) var<storage, read> passing_wide: array<vec4f>;
#end
@group(0) @binding(4) var<storage, read_write> sums: array<f32>; // of queries: log of the sum of e^(q . k)
@group(0) @binding(5) var<storage, read> delta: array<f32>; // of queries: dy . y
#if WIDTH % 4 == 0
@group(0) @binding(6) var<storage, read_write> result: array<vec4f>;
#else
@group(0) @binding(6) var<storage, read_write> result: array<f32>;
#end
@group(0) @binding(7) var<uniform> p: Params;

// Channels 4 c to 4 c + 3 of a row of an image
#if TEXTURES
fn held_at(image: u32, row: u32, c: u32) -> vec4f {
  return textureLoad(held, vec2u(c, row), image);
}
fn held_wide_at(image: u32, row: u32, c: u32) -> vec4f {
  return textureLoad(held_wide, vec2u(c, row), image);
}
fn passing_at(image: u32, row: u32, c: u32) -> vec4f {
  return textureLoad(passing, vec2u(c, row), image);
}
fn passing_wide_at(image: u32, row: u32, c: u32) -> vec4f {
  return textureLoad(passing_wide, vec2u(c, row), image);
}
#else
fn held_at(image: u32, row: u32, c: u32) -> vec4f {
  return held[(image * p.rows + row) * $D + c];
}
fn held_wide_at(image: u32, row: u32, c: u32) -> vec4f {
  return held_wide[(image * p.rows + row) * $E + c];
}
fn passing_at(image: u32, row: u32, c: u32) -> vec4f {
  return passing[(image * p.others + row) * $D + c];
}
fn passing_wide_at(image: u32, row: u32, c: u32) -> vec4f {
  return passing_wide[(image * p.others + row) * $E + c];
}
#end

// Stores channels 4 c to 4 c + 3 of a row.
fn store(row: u32, c: u32, x: vec4f) {
#if WIDTH % 4 == 0
  result[row * ${WIDTH / 4} + c] = x;
#else
#for i in 4
  if (4 * c + $i < $WIDTH) { result[row * $WIDTH + 4 * c + $i] = x[$i]; }
#end
#end
}

@compute @workgroup_size($LANES)
fn $ENTRY(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  let image = group.y;
#if BACK
  let part = group.z % p.parts;
  let slice = group.z / p.parts;
#else
  let part = 0u;
  let slice = group.z;
#end
  let end = min((part + 1) * p.perPart, p.others);
#for c in PASSING_WIDE
#if SLICED
  let c$c = min(slice * $PER + $c, ${E - 1}); // those beyond the last are the last again, and not stored
#else
  let c$c = ${c}u;
#end
#end

#for m in HELD
  let row$m = (group.x * $HELD + $m) * $LANES + lane.x;
  let near$m = min(row$m, p.rows - 1);
#for c in D
  let h${m}_$c = held_at(image, near$m, $c);
#end
#if !SLICED
#for c in E
  let hw${m}_$c = held_wide_at(image, near$m, $c);
#end
#end
#for c in SUMS
  var a${m}_$c = vec4f();
#end
#if !BACK
  var most$m = -3e38f;
  var total$m = 0f;
#else
#if QUERIES
  let sum$m = sums[image * p.rows + near$m];
  let mean$m = delta[image * p.rows + near$m];
#end
#end
#end

  for (var turn = part * p.perPart; turn < end; turn += $TURN) {
#if SHARE
    // A workgroup is one subgroup: each lane loads a row for all of them.
    let mine = min(turn + lane.x, p.others - 1);
#for c in D
    let own_r_$c = passing_at(image, mine, $c);
#end
#for c in PASSING_WIDE
    let own_rw_$c = passing_wide_at(image, mine, c$c);
#end
#if !QUERIES
    let own_sum = sums[image * p.others + mine];
#if !SLICED
    let own_mean = delta[image * p.others + mine];
#end
#end
#end
#for nth in TURN / BLOCK
    {
      let j = turn + ${nth * BLOCK};
#for b in BLOCK
#if SHARE || b > 0
      let inside$b = j + $b < end;
#else
      let inside$b = true;
#end
#if SHARE
#for c in D
      let r${b}_$c = subgroupBroadcast(own_r_$c, ${nth * BLOCK + b}u);
#end
#if !QUERIES
      let sum$b = subgroupBroadcast(own_sum, ${nth * BLOCK + b}u);
#if !SLICED
      let mean$b = subgroupBroadcast(own_mean, ${nth * BLOCK + b}u);
#end
#end
#else
      let j$b = min(j + $b, p.others - 1);
#for c in D
      let r${b}_$c = passing_at(image, j$b, $c);
#end
#if !QUERIES
      let sum$b = sums[image * p.others + j$b];
#if !SLICED
      let mean$b = delta[image * p.others + j$b];
#end
#end
#end
#end
#for m in HELD
#for b in BLOCK
      let s${m}_$b = dot(h${m}_0, r${b}_0)
#for c in D - 1
        + dot(h${m}_${c + 1}, r${b}_${c + 1})
#end
        ;
#end
#if !BACK
      var top$m = most$m;
#for b in BLOCK
      let live${m}_$b = select(-3e38f, s${m}_$b, inside$b);
      top$m = max(top$m, live${m}_$b);
#end
      let shrink$m = exp(most$m - top$m);
      most$m = top$m;
      total$m *= shrink$m;
#for c in PER
      a${m}_$c *= shrink$m;
#end
#for b in BLOCK
      let w${m}_$b = exp(live${m}_$b - top$m);
      total$m += w${m}_$b;
#end
#else
#if SLICED
#for b in BLOCK
      let w${m}_$b = select(0, exp(s${m}_$b - sum$b), inside$b);
#end
#end
#end
#end
#for b in BLOCK
#for c in PASSING_WIDE
#if SHARE
      let rw${b}_$c = subgroupBroadcast(own_rw_$c, ${nth * BLOCK + b}u);
#else
      let rw${b}_$c = passing_wide_at(image, j$b, c$c);
#end
#end
#end
#for m in HELD
#if !SLICED
#for b in BLOCK
      let t${m}_$b = dot(hw${m}_0, rw${b}_0)
#for c in E - 1
        + dot(hw${m}_${c + 1}, rw${b}_${c + 1})
#end
        ;
      let w${m}_$b = select(0, exp(s${m}_$b - sum${QUERIES ? m : b}) * (t${m}_$b - mean${QUERIES ? m : b}), inside$b);
#end
#end
#for c in SUMS
#for b in BLOCK
#if SLICED
      a${m}_$c += w${m}_$b * rw${b}_$c;
#else
      a${m}_$c += w${m}_$b * r${b}_$c;
#end
#end
#end
#end
    }
#end
  }

#for m in HELD
#if !BACK
  if (row$m < p.rows && slice == 0) { sums[image * p.rows + row$m] = most$m + log(total$m); }
#for c in SUMS
  a${m}_$c = a${m}_$c / total$m;
#end
#end
  if (row$m < p.rows) {
    let to = (part * p.images + image) * p.rows + row$m;
#for c in SUMS
#if SLICED
    if (slice * $PER + $c < $E) { store(to, c$c, a${m}_$c); }
#else
    store(to, ${c}u, a${m}_$c);
#end
#end
  }
#end
}
