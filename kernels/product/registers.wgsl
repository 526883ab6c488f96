// Multiplies tiles in float32: an invocation has MR rows by NV vec4 columns of sums in named variables.
// The product is unrolled along its terms, so that every read of shared memory has a constant
// index and only a few indices, none of which change, are checked against the bounds.
#part declare
// ta[row / 4][k] holds four rows of A, tb[column / 4][k] four columns of B. The one more in each line
// keeps neighbours in different banks.
var<workgroup> ta: array<array<vec4f, ${KU + 1}>, $ROWS4>;
var<workgroup> tb: array<array<vec4f, ${KU + 1}>, $COLS4>;

// Keep four rows (columns) of term k, or four terms of a row (column).
fn keep_rows(row4: u32, k: u32, x: vec4f) { ta[row4][k] = x; }
fn keep_columns(col4: u32, k: u32, x: vec4f) { tb[col4][k] = x; }
fn keep_row(row: u32, k: u32, x: vec4f) {
#for q in 4
  ta[row / 4][k + $q][row % 4] = x[$q];
#end
}
fn keep_column(col: u32, k: u32, x: vec4f) {
#for q in 4
  tb[col / 4][k + $q][col % 4] = x[$q];
#end
}

#part begin
  let lx = l.x % $WX; let ly = l.x / $WX;
  let col = firstCol + lx; let row = firstRow + 4 * ly;
#for r in MR
#for v in NV
  var c${r}_$v = vec4f();
#end
#end

#part step
#for k in KU
    {
#for r in MR / 4
      let x$r = ta[ly + ${r * WY}][$k];
#end
#for v in NV
      let b$v = tb[lx + ${v * WX}][$k];
#end
#for r in MR
#for v in NV
      c${r}_$v += x${r / 4}[${r % 4}] * b$v;
#end
#end
    }
#end

#part end
#include finish.bias
#for r in MR
  {
    let m = row + ${4 * WY * (r / 4) + r % 4}; // four by four, with those of the others between
#include load.result
    if (exists) {
      let place = place_of(at, col);
#include finish.row
    }
  }
#end
