// A weight gradient for CPU devices: y[part, tap, c, o] = sum over pixels of A[n, iy, ix, c] B[n, oy, ox, o].
//
// Rows are input channels, columns output channels; the lines of pixels (n, oy) are dealt out to `parts`,
// whose sums are added afterwards (split-K).
#include operands
struct Params {
  lines: u32, perPart: u32, parts: u32, OY: u32, OX: u32, S: u32, kh: u32, kw: u32, top: u32,
  left: u32, B_top: u32, B_left: u32, IC: u32, OC: u32, groups: u32, I4: u32, O4: u32, rowGroups: u32,
  colGroups: u32, A_rows: u32, A_width: u32, B_rows: u32, B_width: u32, scale: f32,
}
#include finish.declare
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(${LANES * WZ})
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_id) l: vec3u) {
  let g = w.x + w.y * groups.x;
#if WZ == 1
  let every = g / (p.colGroups * p.rowGroups);
#else
  let every = g / (p.colGroups * p.rowGroups) * $WZ + l.x / $LANES;
#end
  // Which tap and part that is
  let taps = p.kh * p.kw;
#if GROUPED
  let group = every / (taps * p.parts); let z = every % (taps * p.parts);
  if (group >= p.groups) { return; }
  let pitch = p.groups * p.I4;
#else
  let group = 0u; let z = every;
  if (z >= taps * p.parts) { return; }
  let pitch = p.I4;
#end
  let a_col0 = group * p.I4; let b_col0 = group * (p.OC / 4);
  let tap = z % taps; let part = z / taps;
  let ky = tap / p.kw + p.top; let kx = tap % p.kw + p.left;
#include lanes
#for r in MR
#for v in NV
  var c${r}_$v = vec4f();
#end
#end
  let first = part * p.perPart; let last = min(first + p.perPart, p.lines);
  // Counted, not divided: integer divisions are slow on the software device.
  var n = first / p.OY; var oy = first % p.OY;
  for (var line = first; line < last; line++) {
    let iy = oy * p.S + ky; let by = oy + p.B_top;
#if SINGLE
    { let ox = 0u; // no loop, as in the gather
#else
    for (var ox = 0u; ox < p.OX; ox += $KU) {
#end
      let ix = (ox * p.S + kx) * pitch + a_col0 + row / 4; let bx = (ox + p.B_left) * p.O4 + b_col0 + col;
#for k in KU
#for v in NV
      let b${k}_$v = b_at(n, by, bx + $k * p.O4 + ${v * WX});
#end
#end
#for i in LOADED
#if SHARE_A
      let mine$i = a_within(n, iy, ix + (l.x + ${i * LANES}) / $R4 * p.S * pitch + (l.x + ${i * LANES}) % $R4);
#else
      let mine$i = a_within(n, iy, ix + ${i / R4} * p.S * pitch + ${i % R4});
#end
#end
#for r in R4
#for k in KU
#if SHARE_A
      let a${k}_$r = subgroupBroadcast(mine${(k * R4 + r) / LANES}, ${(k * R4 + r) % LANES}u);
#else
      let a${k}_$r = mine${k * R4 + r};
#end
#end
#for q in 4
#for v in NV
      c${4 * r + q}_$v = c${4 * r + q}_$v // one long sum, which compiles best
#for k in KU
        + a${k}_$r[$q] * b${k}_$v
#end
        ;
#end
#end
#end
    }
    oy++;
    if (oy == p.OY) { oy = 0; n++; }
  }
  var m = row;
#if GROUPED
  var place = place_of((z * p.IC + m) * p.groups + group, col); let step = p.groups * ($PITCH);
#else
  var place = place_of(z * p.IC + m, col); let step = $PITCH;
#end
  for (var turn = 0u; turn < ${MR / TURN}; turn++) { // as in the gather
#for r in TURN
    if (m < p.IC) {
#include finish.row
    }
    m++; place += step;
#end
#include finish.move
  }
}
