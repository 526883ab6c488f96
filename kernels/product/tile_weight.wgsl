// Loads the operands of a weight gradient (kernels/software/weight.wgsl says of what) by tiles. Rows are
// the channels of all taps, one tap after the other; terms are pixels, line after line.
#part declare
struct Params {
  pixels: u32, perPart: u32, parts: u32, OY: u32, OX: u32, S: u32, kh: u32, kw: u32, pad_y: u32, pad_x: u32,
  IC: u32, OC: u32, groups: u32, I4: u32, O4: u32, rowGroups: u32, colGroups: u32, A_rows: u32, A_columns: u32,
  scale: f32,
}

// Integer division is slow: in floats it is off by one at most.
fn over(a: u32, b: u32) -> u32 {
  let q = u32(f32(a) / f32(b)); let rest = i32(a - q * b);
  return q + select(0u, 1u, rest >= i32(b)) - select(0u, 1u, rest < 0);
}

#part place
  let every = g / (p.colGroups * p.rowGroups);
#if GROUPED
  let group = every / p.parts; let part = every % p.parts;
  if (group >= p.groups) { return; }
  let pitch = p.groups * p.I4;
#else
  let group = 0u; let part = every;
  if (part >= p.parts) { return; }
  let pitch = p.I4;
#end
  let taps = p.kh * p.kw;

#part begin
  let texel = min(firstRow / 4 + l.x % $ROWS4, taps * p.I4 - 1); let ca = texel % p.I4;
  let dy = texel / p.I4 / p.kw - p.pad_y; let dx = texel / p.I4 % p.kw - p.pad_x;
  let cb = group * (p.OC / 4) + min(firstCol + l.x % $COLS4, (p.OC + 3) / 4 - 1);
  let end = min((part + 1) * p.perPart, p.pixels); var k = part * p.perPart;
  let first = 0u; let last = (end - min(end, k) + ${KU - 1}) / $KU;

#part fetch
      if ($A_ALL || l.x < $A_BUSY) {
#for i in A_COUNT
        {
          let pixel = k + l.x / $ROWS4 + ${i * A_STEP};
          let line = over(pixel, p.OX); let n = over(line, p.OY);
          let iy = (line - n * p.OY) * p.S + dy; let ix = (pixel - line * p.OX) * p.S + dx;
          a$i = Stored();
          if (pixel < end && iy < p.A_rows && ix < p.A_columns) {
            a$i = A[((n * p.A_rows + iy) * p.A_columns + ix) * pitch + group * p.I4 + ca];
          }
        }
#end
      }
      if ($B_ALL || l.x < $B_BUSY) {
#for i in B_COUNT
        {
          let pixel = k + l.x / $COLS4 + ${i * B_STEP};
          b$i = Stored();
          if (pixel < end) { b$i = B[pixel * p.O4 + cb]; }
        }
#end
      }

#part keep
    if ($A_ALL || l.x < $A_BUSY) {
#for i in A_COUNT
      keep_rows(l.x % $ROWS4, l.x / $ROWS4 + ${i * A_STEP}, vec4f(a$i));
#end
    }
    if ($B_ALL || l.x < $B_BUSY) {
#for i in B_COUNT
      keep_columns(l.x % $COLS4, l.x / $COLS4 + ${i * B_STEP}, vec4f(b$i));
#end
    }

#part advance
    k += $KU;

#part result
    // Row m of the product is row `at` of y, if it exists.
    let c = m / 4 % p.I4 * 4 + ${r % 4};
    let exists = m / 4 < taps * p.I4 && c < p.IC;
#if GROUPED
    let at = ((part * taps + m / 4 / p.I4) * p.IC + c) * p.groups + group;
#else
    let at = (part * taps + m / 4 / p.I4) * p.IC + c;
#end
