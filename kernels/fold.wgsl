// Sums what each pixel of y contributes to the pixels of x under its window:
// x[n, h, w, c] = sum over taps (i, j) of columns[n, (h + py - i) / s, (w + px - j) / s, i, j, c].
struct Params { N: u32, H: u32, W: u32, C: u32, kh: u32, kw: u32, Y: u32, X: u32, s: u32, py: u32, px: u32 }
@group(0) @binding(0) var<storage, read> columns: array<f32>;
@group(0) @binding(1) var<storage, read_write> image: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;
@group(0) @binding(3) var<storage, read> columns4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> image4: array<vec4f>;

@compute @workgroup_size(64)
fn each(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let e = id.y * groups.x * 64u + id.x;
  if (e >= p.N * p.H * p.W * p.C) { return; }
  let c = e % p.C;
  let w = e / p.C % p.W;
  let h = e / (p.C * p.W) % p.H;
  let n = e / (p.C * p.W * p.H);
  var total = 0f;
  for (var i = (h + p.py) % p.s; i < p.kh; i += p.s) {
    let y = (h + p.py - i) / p.s; // above the image it wraps to a huge number
    if (h + p.py < i || y >= p.Y) { continue; }
    for (var j = (w + p.px) % p.s; j < p.kw; j += p.s) {
      let x = (w + p.px - j) / p.s;
      if (w + p.px < j || x >= p.X) { continue; }
      total += columns[((((n * p.Y + y) * p.X + x) * p.kh + i) * p.kw + j) * p.C + c];
    }
  }
  image[e] = total;
}

// The same by vec4, where rows of images and of windows are multiples of four numbers. A row of a
// window, `kw C` numbers, covers as many neighbours in a row of the image.
@compute @workgroup_size(32)
fn each_vec4(@builtin(global_invocation_id) id: vec3u) {
  let e = 4 * id.x;
  if (e >= p.W * p.C) { return; }
  let width = i32(p.kw * p.C / 4);
  let step = p.s * p.C;
  let from_edge = e + p.px * p.C;
  let last = (from_edge + 3) / step; // the last window that begins before the end of the four
  let count = (4 * u32(width) + 3 + step - 1) / step;
  var total = vec4f();
  for (var i = (id.y + p.py) % p.s; i < p.kh; i += p.s) {
    let y = (id.y + p.py - i) / p.s;
    if (id.y + p.py < i || y >= p.Y) { continue; }
    for (var t = 0u; t < count; t++) {
      let x = last - t;
      let at = i32(from_edge - x * step); // of the first of the four in the line
      let texel = i32((((id.z * p.Y + y) * p.X + min(x, p.X - 1)) * p.kh + i)) * width;
      let a = columns4[u32(texel + clamp(at >> 2, 0, width - 1))];
      let b = columns4[u32(texel + clamp((at >> 2) + 1, 0, width - 1))];
      let even = select(a, vec4f(a.zw, b.xy), (at & 2) != 0);
      let odd = select(vec4f(a.yzw, b.x), vec4f(a.w, b.xyz), (at & 2) != 0);
      let places = at + vec4i(0, 1, 2, 3);
      let under = (places >= vec4i()) & (places < vec4i(4 * width)) & vec4<bool>(x < p.X);
      total += select(vec4f(), select(even, odd, (at & 1) != 0), under);
    }
  }
  image4[(id.z * p.H + id.y) * (p.W * p.C / 4) + id.x] = total;
}
