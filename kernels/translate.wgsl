// Translates images by whole pixels and sets a square to 0, by uniform numbers.
override BACK = 0u; // 1: the backward pass
struct Params { H: u32, W: u32, C: u32, most: u32, side: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>; // [N, H, W, C], rows by vec4
@group(0) @binding(1) var<storage, read> u: array<vec4f>; // [N] in [0, 1): the move, then the square
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

// Whole numbers of 0 to count - 1
fn whole(u: vec2f, count: vec2u) -> vec2i { return vec2i(min(vec2u(u * vec2f(count)), count - 1)); }

// y[h, w] = x[h + a, w + b] with a and b of -most to most, 0 from outside; and 0 where h and w are in a
// square of `side` pixels about a pixel that lies anywhere. Back: dx[h + a, w + b] = dy[h, w], but there.
@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let length = i32(p.W * p.C);
  if (4 * i32(id.x) >= length) { return; }
  let r = u[id.z];
  let odd = p.side % 2;
  let move_ = whole(r.xy, vec2u(2 * p.most + 1)) - i32(p.most);
  let corner = whole(r.zw, vec2u(p.H, p.W) + 1 - odd) - i32(p.side / 2);
  let by = select(move_, -move_, BACK == 1);
  // Along a row numbers are counted, not pixels.
  let row = i32(id.y);
  let from_row = row + by.x;
  let at = 4 * i32(id.x) + vec4i(0, 1, 2, 3);
  let from_at = at + by.y * i32(p.C);
  let dark_row = select(row, from_row, BACK == 1) - corner.x;
  let dark_at = select(at, from_at, vec4<bool>(BACK == 1)) - corner.y * i32(p.C);
  let dark = (dark_at >= vec4i()) & (dark_at < vec4i(i32(p.side * p.C))) &
    vec4<bool>(dark_row >= 0 && dark_row < i32(p.side));
  let inside = (from_at >= vec4i()) & (from_at < vec4i(length)) &
    vec4<bool>(from_row >= 0 && from_row < i32(p.H));
  // Four numbers that may begin anywhere lie in two texels; what is not inside may be anything.
  let first = (i32(id.z * p.H) + from_row) * length + from_at.x;
  let last = i32(arrayLength(&y)) - 1;
  let a = x[u32(clamp(first >> 2, 0, last))];
  let b = x[u32(clamp((first >> 2) + 1, 0, last))];
  var value = a;
  switch (first & 3) {
    case 1: { value = vec4f(a.yzw, b.x); }
    case 2: { value = vec4f(a.zw, b.xy); }
    case 3: { value = vec4f(a.w, b.xyz); }
    default: {}
  }
  y[(id.z * p.H + id.y) * (p.W * p.C / 4) + id.x] = select(vec4f(), value, inside & !dark);
}
