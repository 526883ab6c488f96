// Where texel i of a texture lies that gpu/run.ts has copied a buffer to: row by row, layer by layer
fn place_of(i: u32) -> vec3u { return vec3u(i % $ROW, i / $ROW % $ROWS, i / ${ROW * ROWS}); }
