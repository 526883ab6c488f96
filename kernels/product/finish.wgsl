// Finishes a sum: y = lrelu(scale sum + bias).
#part declare
alias Sum = $SUM; // of four columns, or with SINGLES of one
@group(0) @binding(2) var<storage, read_write> y: array<$Y>; // [..., OC]
#if BIAS
@group(0) @binding(4) var<storage, read> bias: array<Sum>; // [OC]
#end

#if RELU
// As in element.wgsl: NaN is kept, and with slope 0 nothing is multiplied.
fn leaky_relu(sum: Sum) -> Sum {
  return select(sum, select(p.slope * sum, Sum(), p.slope == 0), sum < Sum());
}
#end

// Stores the columns of a sum that exist; `col` counts Sums.
fn store(row: u32, col: u32, sum: Sum) {
#if SINGLES
  if (col < p.OC) { y[row * p.OC + col] = sum; }
#else
#for q in VEC4 ? 0 : 4
  if (4 * col + $q < p.OC) { y[row * p.OC + 4 * col + $q] = sum[$q]; }
#end
#if VEC4
  if (4 * col < p.OC) { y[row * (p.OC / 4) + col] = sum; }
#end
#end
}

#part bias
#for v in BIAS ? COLUMNS : 0
  let d$v = bias[bias0 + col + ${v * WX}];
#end

#part row
#for v in COLUMNS
#if BIAS
      c${r}_$v = p.scale * c${r}_$v + d$v;
#else
      c${r}_$v = p.scale * c${r}_$v;
#end
#if RELU
      c${r}_$v = leaky_relu(c${r}_$v);
#end
      store(at, col + ${v * WX}, c${r}_$v);
#end

#part move
// The sums of the next rows, in the place of those that are stored.
#for r in MR - TURN
#for v in COLUMNS
      c${r}_$v = c${r + TURN}_$v;
#end
#end
