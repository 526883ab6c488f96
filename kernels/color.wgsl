// Brightness, saturation and contrast of images, changed by uniform numbers.
override C = 3u; // channels: 1 gray, 3 color, 4 with alpha, which stays
struct Params { blocks: u32, k: f32, shift: f32 } // four pixels (with alpha: one) each; 1 / (colors H W)
@group(0) @binding(0) var<storage, read> x: array<vec4f>; // [N, pixels, C]
@group(0) @binding(1) var<storage, read> sums: array<vec4f>; // [N]: four parts of an image's sum
@group(0) @binding(2) var<storage, read> u: array<vec4f>; // [N] in [0, 1)
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<uniform> p: Params;

// y = c (s (x - grey) + grey - mean) + mean + b, where grey is a pixel's mean and mean an image's
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= p.blocks) { return; }
  let change = u[id.y];
  let b = p.shift * (change.x - 0.5);
  let s = 2 * change.y;
  let c = change.z + 0.5;
  let mean = p.k * dot(sums[id.y], vec4f(1, 1, 1, select(1.0, 0.0, C == 4)));
  let rest = (1 - c) * mean + b;
  let block = id.y * p.blocks + id.x;
  if (C == 1) {
    y[block] = c * x[block] + rest;
    return;
  }
  if (C == 4) {
    let pixel = x[block];
    let grey = (c - c * s) / 3 * dot(pixel.xyz, vec3f(1)) + rest;
    y[block] = vec4f(c * s * pixel.xyz + grey, pixel.w);
    return;
  }
  let at = 3 * block;
  let x0 = x[at];
  let x1 = x[at + 1];
  let x2 = x[at + 2];
  let red = vec4f(x0.x, x0.w, x1.z, x2.y);
  let green = vec4f(x0.y, x1.x, x1.w, x2.z);
  let blue = vec4f(x0.z, x1.y, x2.x, x2.w);
  let grey = (c - c * s) / 3 * (red + green + blue) + rest;
  y[at] = c * s * x0 + vec4f(grey.xxx, grey.y);
  y[at + 1] = c * s * x1 + vec4f(grey.yy, grey.zz);
  y[at + 2] = c * s * x2 + vec4f(grey.z, grey.www);
}
