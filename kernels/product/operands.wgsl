// Operands A and B by where they come from; four numbers side by side are a texel.
#part stored
#if HALF
enable f16;
alias Stored = vec4<f16>;
#else
alias Stored = vec4f;
#end

#part texture
#include operands.stored
@group(0) @binding(0) var A: texture_storage_2d_array<$FORMAT, read>;
@group(0) @binding(1) var B: texture_storage_2d_array<$FORMAT, read>;

fn a_at(layer: u32, row: u32, col: u32) -> vec4f { return textureLoad(A, vec2u(col, row), layer); }
fn b_at(layer: u32, row: u32, col: u32) -> vec4f { return textureLoad(B, vec2u(col, row), layer); }
// Zeros behind the last column.
fn a_within(layer: u32, row: u32, col: u32) -> vec4f { return a_at(layer, row, col); }

#part buffer
#include operands.tile

fn a_at(layer: u32, row: u32, col: u32) -> vec4f {
  return vec4f(A[(layer * p.A_rows + row) * p.A_width + col]);
}
// Zeros behind the last column, where memory may hold NaN.
fn a_within(layer: u32, row: u32, col: u32) -> vec4f {
  return select(vec4f(), a_at(layer, row, col), col < p.A_width);
}
fn b_at(layer: u32, row: u32, col: u32) -> vec4f {
  return vec4f(B[(layer * p.B_rows + row) * p.B_width + col]);
}

#part tile
#include operands.stored
@group(0) @binding(0) var<storage, read> A: array<Stored>;
@group(0) @binding(1) var<storage, read> B: array<Stored>;
