// Loads the operands of a gather (kernels/software/gather.wgsl says of what) by tiles: steps go over KU
// channels of a tap, then over the taps.
#part declare
#include window.params

#part place
#include window.class

#part begin
  let ka = l.x % $K4;
#for r in A_COUNT
  let m$r = min(firstRow + l.x / $K4 + ${r * A_STEP}, p.rows - 1);
#include window.row
  let pa$r = ((n$r * p.A_rows + iy$r) * p.A_columns + ix$r) * pitch + a_col0 + ka;
#end
#if FLIPPED
#for i in B_COUNT
  let pb$i = min(4 * firstCol + l.x / $K4 + ${i * B_STEP}, p.B_rows - 1) * p.B_width;
#end
#else
  let cb = min(b_col0 + firstCol + l.x % $COLS4, p.B_width - 1);
#end
  let perTap = (p.I4 + ${K4 - 1}) / $K4;
  let first = part * p.perPart;
  let last = min(first + p.perPart, tapsY * tapsX * perTap);
  var k = first % perTap * $K4;
  var tx = first / perTap % max(tapsX, 1); var ty = first / perTap / max(tapsX, 1);

#part fetch
      let at = (ty * p.A_columns + tx) * pitch + k; let some = k + ka < p.I4;
#for i in A_COUNT
      a$i = Stored();
      if (some && iy$i + ty < p.A_rows && ix$i + tx < p.A_columns) { a$i = A[pa$i + at]; }
#end
#include window.tap
      // Behind the last channel A is 0, and B is anything that exists.
#if FLIPPED
      let bt = tap * p.B_rows * p.B_width + bk0 + min(k + ka, p.I4 - 1);
#else
      let bt = tap * p.B_rows; let kb = b_row0 + 4 * k + l.x / $COLS4;
#end
      if ($B_ALL || l.x < $B_BUSY) {
#for i in B_COUNT
#if FLIPPED
        b$i = B[pb$i + bt];
#else
        b$i = B[(bt + min(kb + ${i * B_STEP}, p.B_rows - 1)) * p.B_width + cb];
#end
#end
      }

#part keep
    if ($A_ALL || l.x < $A_BUSY) {
#for i in A_COUNT
      keep_row(l.x / $K4 + ${i * A_STEP}, 4 * ka, vec4f(a$i));
#end
    }
    if ($B_ALL || l.x < $B_BUSY) {
#for i in B_COUNT
#if FLIPPED
      keep_column(l.x / $K4 + ${i * B_STEP}, 4 * ka, vec4f(b$i));
#else
      keep_columns(l.x % $COLS4, l.x / $COLS4 + ${i * B_STEP}, vec4f(b$i));
#end
#end
    }

#part advance
    k += $K4;
    if (k >= p.I4) { k = 0; tx++; if (tx == tapsX) { tx = 0; ty++; } }

#part result
#include window.place
#include window.result
