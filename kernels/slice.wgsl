// Parts of tensors along an axis, and other orders of axes.
// Sizes, starts and strides count Vs.
#include element
override AXES: u32 = 1u;
struct Params {
  n: u32, // elements to do
  whole: u32, part: u32, start: u32, // row lengths, and where the part begins in a row of the whole
  d0: u32, d1: u32, d2: u32, d3: u32, // sizes of the result's axes, the last axis first
  s0: u32, s1: u32, s2: u32, s3: u32, s4: u32, // how far apart their elements are in the source
}
@group(0) @binding(0) var<storage, read> source: array<V>;
@group(0) @binding(1) var<storage, read_write> result: array<V>;
@group(0) @binding(2) var<uniform> p: Params;

fn index(id: vec3u, groups: vec3u) -> u32 { return id.y * groups.x * 64u + id.x; }

// result[row, e] = source[row, start + e]: rows of `whole` to rows of `part`
@compute @workgroup_size(64)
fn slice(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.n) { return; }
  let row = i / p.part;
  result[i] = source[row * p.whole + p.start + i - row * p.part];
}

// result[row, start + e] = source[row, e]: rows of `part` into rows of `whole`; the rest stays
@compute @workgroup_size(64)
fn place(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.n) { return; }
  let row = i / p.part;
  result[row * p.whole + p.start + i - row * p.part] = source[i];
}

// The same, and 0 elsewhere
@compute @workgroup_size(64)
fn pad(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.n) { return; }
  let row = i / p.whole;
  let e = i - row * p.whole;
  var value = V();
  if (e >= p.start && e < p.start + p.part) { value = source[row * p.part + e - p.start]; }
  result[i] = value;
}

// result[.., i1, i0] = source[.. + s1 i1 + s0 i0], with AXES indices
@compute @workgroup_size(64)
fn permute(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = index(id, groups);
  if (i >= p.n) { return; }
  // Divisions are slow on the software device: one an axis.
  var rest = i;
  var at = 0u;
  if (AXES > 1) { let q = rest / p.d0; at += (rest - q * p.d0) * p.s0; rest = q; }
  if (AXES > 2) { let q = rest / p.d1; at += (rest - q * p.d1) * p.s1; rest = q; }
  if (AXES > 3) { let q = rest / p.d2; at += (rest - q * p.d2) * p.s2; rest = q; }
  if (AXES > 4) { let q = rest / p.d3; at += (rest - q * p.d3) * p.s3; rest = q; }
  switch (AXES) {
    case 1u: { at += rest * p.s0; }
    case 2u: { at += rest * p.s1; }
    case 3u: { at += rest * p.s2; }
    case 4u: { at += rest * p.s3; }
    default: { at += rest * p.s4; }
  }
  result[i] = source[at];
}
