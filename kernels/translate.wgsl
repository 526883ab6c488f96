// Pictures moved by whole pixels, and squares of them set to 0; where to, uniform numbers say.
override SIGN: i32 = 1; // -1: moved the other way
struct Params { n: u32, H: u32, W: u32, C: u32, most: u32 } // n elements; C counts a pixel's
@group(0) @binding(0) var<storage, read> x: array<f32>; // [N, H, W, C]
@group(0) @binding(1) var<storage, read> u: array<f32>; // [N, 2] in [0, 1): along H and W
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

struct Pixel { picture: u32, row: i32, column: i32, channel: u32 }

fn pixel(i: u32) -> Pixel {
  let at = i / p.C;
  let row = at / p.W;
  return Pixel(row / p.H, i32(row % p.H), i32(at % p.W), i % p.C);
}

// A whole number of 0 to count - 1
fn whole(picture: u32, axis: u32, count: u32) -> i32 {
  return i32(min(u32(u[2 * picture + axis] * f32(count)), count - 1));
}

// y[h, w] = x[h + a, w + b] with a and b of -most to most; 0 from outside
@compute @workgroup_size(64)
fn translate(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.n) { return; }
  let e = pixel(i);
  let row = e.row + SIGN * (whole(e.picture, 0, 2 * p.most + 1) - i32(p.most));
  let column = e.column + SIGN * (whole(e.picture, 1, 2 * p.most + 1) - i32(p.most));
  let inside = row >= 0 && row < i32(p.H) && column >= 0 && column < i32(p.W);
  let source = ((e.picture * p.H + u32(max(row, 0))) * p.W + u32(max(column, 0))) * p.C + e.channel;
  y[i] = select(0f, x[min(source, p.n - 1)], inside);
}

// 0 in a square of `most` pixels about a pixel that lies anywhere; it may reach over the edges
@compute @workgroup_size(64)
fn cutOut(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.n) { return; }
  let e = pixel(i);
  let odd = p.most % 2;
  let half = i32(p.most / 2);
  let row = e.row - whole(e.picture, 0, p.H + 1 - odd) + half;
  let column = e.column - whole(e.picture, 1, p.W + 1 - odd) + half;
  let side = i32(p.most);
  let inside = row >= 0 && row < side && column >= 0 && column < side;
  y[i] = select(x[i], 0f, inside);
}
