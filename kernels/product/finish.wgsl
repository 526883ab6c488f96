// Finishes sums of four columns: y = lrelu(scale sum + bias).
#part declare
@group(0) @binding(2) var<storage, read_write> y: array<$Y>; // [..., OC]
#if BIAS
@group(0) @binding(4) var<storage, read> bias: array<vec4f>; // [OC]
#end

#if RELU
// As in element.wgsl: NaN is kept, and with slope 0 nothing is multiplied.
fn leaky_relu(sum: vec4f) -> vec4f {
  return select(sum, select(p.slope * sum, vec4f(), p.slope == 0), sum < vec4f());
}
#end

// Where in y column 4 col of row `at` lies
fn place_of(at: u32, col: u32) -> u32 { return at * ($PITCH) + $PARTS * col; }

// Stores those of the columns from 4 col on that exist, from y[place] on.
fn store(place: u32, col: u32, sum: vec4f) {
#if VEC4
  if (4 * col < p.OC) { y[place] = sum; }
#else
#for q in 4
  if (4 * col + $q < p.OC) { y[place + $q] = sum[$q]; }
#end
#end
}

#part bias
#for v in BIAS ? NV : 0
  let d$v = bias[bias0 + col + ${v * WX}];
#end

#part row
// Of y, from `place` on
#for v in NV
#if BIAS
      c${r}_$v = p.scale * c${r}_$v + d$v;
#else
      c${r}_$v = p.scale * c${r}_$v;
#end
#if RELU
      c${r}_$v = leaky_relu(c${r}_$v);
#end
      store(place + ${v * WX * PARTS}, col + ${v * WX}, c${r}_$v);
#end

#part move
// The sums of the next rows, in the place of those that are stored.
#for r in MR - TURN
#for v in NV
      c${r}_$v = c${r + TURN}_$v;
#end
#end
