// Adds up what each pixel of y contributes to the pixels of x under its window:
// x[n, h, w, c] = sum over taps (i, j) of columns[n, (h + p - i) / s, (w + p - j) / s, i, j, c].
struct Params { N: u32, H: u32, W: u32, C: u32, kh: u32, kw: u32, Y: u32, X: u32, s: u32, p: u32 }
@group(0) @binding(0) var<storage, read> columns: array<f32>;
@group(0) @binding(1) var<storage, read_write> picture: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let e = id.y * groups.x * 64u + id.x;
  if (e >= p.N * p.H * p.W * p.C) { return; }
  let c = e % p.C;
  let w = e / p.C % p.W;
  let h = e / (p.C * p.W) % p.H;
  let n = e / (p.C * p.W * p.H);
  var total = 0f;
  for (var i = (h + p.p) % p.s; i < p.kh; i += p.s) {
    let y = (h + p.p - i) / p.s; // above the picture it wraps to a huge number
    if (h + p.p < i || y >= p.Y) { continue; }
    for (var j = (w + p.p) % p.s; j < p.kw; j += p.s) {
      let x = (w + p.p - j) / p.s;
      if (w + p.p < j || x >= p.X) { continue; }
      total += columns[((((n * p.Y + y) * p.X + x) * p.kh + i) * p.kw + j) * p.C + c];
    }
  }
  picture[e] = total;
}
