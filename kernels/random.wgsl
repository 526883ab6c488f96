// Random numbers by Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3",
// https://doi.org/10.1145/2063384.2063405): a keyed mixing of a counter, so each invocation knows its
// numbers without the others. Chosen over PCG4D, which is cheaper but mixes key and counter in one
// 128-bit state in a single round: Philox has 192 bits, passes BigCrush, and is PyTorch's on GPUs.
#include exact
// n4 blocks of four numbers, in draws of draw4 blocks; each draw's counter is one more
struct Params {
  n4: u32,
  draw4: u32,
  seed_low: u32, seed_high: u32,
  stream: u32,
  counter_low: u32, counter_high: u32,
}
@group(0) @binding(0) var<storage, read_write> numbers: array<vec4f>;
@group(0) @binding(1) var<uniform> p: Params;

// The high half of a 64-bit product, from 16-bit parts
fn high(a: u32, b: u32) -> u32 {
  let a0 = a & 0xffffu;
  let a1 = a >> 16;
  let b0 = b & 0xffffu;
  let b1 = b >> 16;
  let middle = a1 * b0 + ((a0 * b0) >> 16); // at most 0xfffeffff
  let cross = a0 * b1 + (middle & 0xffffu);
  return a1 * b1 + (middle >> 16) + (cross >> 16);
}

// Block i. The generator's counter is (block of the draw, counter, seed_high), its key (seed_low, stream).
fn philox(i: u32) -> vec4u {
  let draw = i / p.draw4;
  let low = p.counter_low + draw;
  let carried = select(0u, 1u, low < draw);
  var c = vec4u(i % p.draw4, low, p.counter_high + carried, p.seed_high);
  var k = vec2u(p.seed_low, p.stream);
  for (var round = 0; round < 10; round++) {
    c = vec4u(
      high(0xcd9e8d57u, c.z) ^ c.y ^ k.x,
      0xcd9e8d57u * c.z,
      high(0xd2511f53u, c.x) ^ c.w ^ k.y,
      0xd2511f53u * c.x,
    );
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

// In [0, 1), multiples of 2^-24: float32 holds each
fn unit(bits: vec4u) -> vec4f { return vec4f(bits >> vec4u(8)) * 0x1p-24f; }

@compute @workgroup_size(64)
fn uniform_(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.n4) { return; }
  numbers[i] = unit(philox(i));
}

// Box and Muller: sqrt(-2 log(1 - u)) times the cosine and sine of 2 pi v. 1 - u is never 0. Neither
// log near 1 nor the sine is exact enough on all devices, so both are our own.
@compute @workgroup_size(64)
fn normal(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.n4) { return; }
  let bits = philox(i);
  let u = unit(bits).xy;
  let radius = sqrt(-2 * exact_log(1 - u));
  // A quadrant and an angle t in [-pi / 4, pi / 4) within it
  let quadrant = bits.zw >> vec2u(30);
  let t = (vec2f((bits.zw >> vec2u(6)) & vec2u(0xffffffu)) * 0x1p-24f - 0.5) * 1.57079632679f;
  let t2 = t * t;
  let sine = t * (1 - t2 * (1 / 6f - t2 * (1 / 120f - t2 * (1 / 5040f - t2 * (1 / 362880f)))));
  let cosine = 1 - t2 * (0.5 - t2 * (1 / 24f - t2 * (1 / 720f - t2 * (1 / 40320f))));
  let odd = (quadrant & vec2u(1)) == vec2u(1);
  let sign = select(vec2f(1), vec2f(-1), quadrant > vec2u(1));
  let x = sign * radius * select(cosine, -sine, odd);
  let y = sign * radius * select(sine, cosine, odd);
  numbers[i] = vec4f(x.x, y.x, x.y, y.y);
}
