// A product of matrices in the manner of kernels/software: y [8, 256] = A [8, 64] B [64, 256], read from
// storage textures of four numbers a texel.
@group(0) @binding(0) var A: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(1) var B: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(16)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(local_invocation_id) l: vec3u) {
  let col = w.x * 32 + l.x;
  let row = w.y * 2;
  var c0_0 = vec4f(); var c0_1 = vec4f();
  var c1_0 = vec4f(); var c1_1 = vec4f();
  for (var k = 0u; k < 16; k++) {
    let b0_0 = textureLoad(B, vec2u(col, 4 * k), 0);
    let b0_1 = textureLoad(B, vec2u(col + 16, 4 * k), 0);
    let b1_0 = textureLoad(B, vec2u(col, 4 * k + 1), 0);
    let b1_1 = textureLoad(B, vec2u(col + 16, 4 * k + 1), 0);
    let b2_0 = textureLoad(B, vec2u(col, 4 * k + 2), 0);
    let b2_1 = textureLoad(B, vec2u(col + 16, 4 * k + 2), 0);
    let b3_0 = textureLoad(B, vec2u(col, 4 * k + 3), 0);
    let b3_1 = textureLoad(B, vec2u(col + 16, 4 * k + 3), 0);
    let a0 = textureLoad(A, vec2u(k, row), 0);
    c0_0 = c0_0 + a0.x * b0_0 + a0.y * b1_0 + a0.z * b2_0 + a0.w * b3_0;
    c0_1 = c0_1 + a0.x * b0_1 + a0.y * b1_1 + a0.z * b2_1 + a0.w * b3_1;
    let a1 = textureLoad(A, vec2u(k, row + 1), 0);
    c1_0 = c1_0 + a1.x * b0_0 + a1.y * b1_0 + a1.z * b2_0 + a1.w * b3_0;
    c1_1 = c1_1 + a1.x * b0_1 + a1.y * b1_1 + a1.z * b2_1 + a1.w * b3_1;
  }
  y[row * 64 + col] = c0_0;
  y[row * 64 + col + 16] = c0_1;
  y[(row + 1) * 64 + col] = c1_0;
  y[(row + 1) * 64 + col + 16] = c1_1;
}
