// A gather for CPU devices: y[n, oy, ox, o] = sum over taps and channels of A[n, iy, ix, c] B[tap, c, o].
//
// Forward (a convolution, or with one tap a matrix product): iy = oy S + ty - pad.
// Transposed: outputs fall into S x S classes by their place modulo S; within a class it is a
// convolution of stride 1 with every S-th tap.
//
// Rows of the product are output pixels (n, oy, ox), flattened; columns are output channels. An
// invocation loads its own operands, or shares the loads with the other lanes of its subgroup. Its
// sums are named variables: in an indexed array they are five times slower. Shapes are uniforms, so a
// plan is compiled once.
#include operands
#include window.params
#include finish.declare
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size($LANES)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_id) l: vec3u) {
  let g = w.x + w.y * groups.x;
#include window.class
#include lanes
#if SHARE_A
#for r in LOADED
  let m$r = min(row + ${r * LANES} + l.x, p.rows - 1);
#include window.row
#end
#else
  var m = min(row, p.rows - 1);
  // Counted from row to row: the software device divides integers lane by lane.
#include window.place
#for r in LOADED
  let ix$r = mx * p.S + x0; let iy$r = my * p.S + y0; let n$r = mn + layer;
#if r + 1 < LOADED
  m++;
  if (m < p.rows) {
#include window.next
  }
#end
#end
#end
#for r in LOADED
  let it$r = ix$r * pitch + a_col0; // in texels
#end
#for r in MR
#for v in NV
#if FLIPPED
#for q in 4
  var s${r}_${4 * v + q} = 0f;
#end
#else
  var c${r}_$v = vec4f();
#end
#end
#end
  for (var ty = 0u; ty < tapsY; ty++) { for (var tx = 0u; tx < tapsX; tx++) {
#include window.tap
#for r in LOADED
    let ax$r = it$r + tx * pitch; let ay$r = iy$r + ty;
#end
    // No loop where one step is all there is, as each level of loops costs the software device masks for
    // every accumulator.
#if SINGLE
    { let k = 0u;
#else
    for (var k = 0u; k < p.I4; k += ${KU / 4}) {
#end
      let kb = b_row0 + 4 * k;
#if FLIPPED
#for u in KU / 4
#for v in NV
#for q in 4
      let b${u}_${4 * v + q} = b_at(tap, 4 * (col + ${v * WX}) + $q, bk0 + k + $u);
#end
#end
#end
#else
#for k in KU
#for v in NV
      let b${k}_$v = b_at(tap, kb + $k, b_col0 + col + ${v * WX});
#end
#end
#end
#for r in LOADED
#for u in KU / 4
      let $MINE${r}_$u = a_at(n$r, ay$r, ax$r + k + $u);
#end
#end
#for r in MR
#for u in SHARE_A ? KU / 4 : 0
      let a${r}_$u = subgroupBroadcast(mine${r / LANES}_$u, ${r % LANES}u);
#end
#for v in NV
#if FLIPPED
#for q in 4
      s${r}_${4 * v + q} = s${r}_${4 * v + q} // one number each: a vec4f of four takes a third longer
#for u in KU / 4
        + a${r}_$u.x * b${u}_${4 * v + q}.x + a${r}_$u.y * b${u}_${4 * v + q}.y
        + a${r}_$u.z * b${u}_${4 * v + q}.z + a${r}_$u.w * b${u}_${4 * v + q}.w
#end
        ;
#end
#else
      c${r}_$v = c${r}_$v // one long sum, which compiles best
#for u in KU / 4
        + a${r}_$u.x * b${4 * u}_$v + a${r}_$u.y * b${4 * u + 1}_$v
        + a${r}_$u.z * b${4 * u + 2}_$v + a${r}_$u.w * b${4 * u + 3}_$v
#end
        ;
#end
#end
#end
    }
  } }
#if FLIPPED
#for r in MR
#for v in NV
  var c${r}_$v = vec4f(s${r}_${4 * v}, s${r}_${4 * v + 1}, s${r}_${4 * v + 2}, s${r}_${4 * v + 3});
#end
#end
#end
#include finish.bias
  {
    var m = row;
#include window.place
#include window.result
    // Where a row lies is added up, not computed in place: a lane's store takes a third longer then.
    var place = place_of(at, col);
#if GROUPED
    let step = p.images * ($PITCH);
#else
    let step = $PITCH;
#end
    // Some rows a turn, as the code of a store takes long to compile.
    for (var turn = 0u; turn < ${MR / TURN}; turn++) {
#for r in TURN
#if TRANSPOSED
      if (m < p.rows && my * p.E + cy < p.H && mx * p.E + cx < p.W) {
#include finish.row
      }
      mx++; place += p.E * step;
      if (mx == p.TX) { mx = 0; my++; place += p.E * (p.W - p.TX) * step; }
      if (my == p.TY) { my = 0; place += p.W * (p.H - p.E * p.TY) * step; }
#else
      if (m < p.rows) {
#include finish.row
      }
      place += step;
#end
      m++;
#end
#include finish.move
    }
  }
}
