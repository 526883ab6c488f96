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
#for r in LOADED
#if SHARE_A
  let m$r = min(row + ${r * LANES} + l.x, p.rows - 1);
#else
  let m$r = min(row + $r, p.rows - 1);
#end
#include window.row
  let it$r = ix$r * pitch + a_col0; // in texels
#end
#for r in MR
#for v in COLUMNS
  var c${r}_$v = Sum();
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
#for v in COLUMNS
      let b${u}_$v = b_at(tap, col + ${v * WX}, bk0 + k + $u);
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
#for v in COLUMNS
      c${r}_$v = c${r}_$v // one long sum, which compiles best
#for k in KU
#if FLIPPED
        + a${r}_${k / 4}[${k % 4}] * b${k / 4}_$v[${k % 4}]
#else
        + a${r}_${k / 4}[${k % 4}] * b${k}_$v
#end
#end
        ;
#end
#end
    }
  } }
#include finish.bias
#for r in MR
  {
    let m = row + $r;
#include window.result
    if (exists) {
#include finish.row
    }
  }
#end
}
