// A product for GPUs: a workgroup loads tiles of both operands into its shared memory, each number once,
// and computes ROWS rows by COLS4 vec4 columns from there. While one pair of tiles is multiplied, the next
// is loaded into registers. Operands are read from tensors as stored, without frames of zeros; pixels
// outside an image are not read.
//
// Parts: `load` fetches a step's texels into registers, keeps them in the tiles and advances to the next
// step; `multiply` has the tiles and adds their product to the sums; `finish` stores these.
#include operands
#include load.declare
#include finish.declare
#include multiply.declare
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size($THREADS)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_id) l: vec3u) {
  let g = w.x + w.y * groups.x;
#include load.place
  let firstCol = g % p.colGroups * $COLS4;
  let firstRow = g / p.colGroups % p.rowGroups * $ROWS;
#include multiply.begin
#include load.begin
#for i in A_COUNT
  var a$i = Stored();
#end
#for i in B_COUNT
  var b$i = Stored();
#end
  if (first < last) {
#include load.fetch
  }
  for (var step = first; step < last; step++) {
    workgroupBarrier();
#include load.keep
    workgroupBarrier();
#include load.advance
    if (step + 1 < last) {
#include load.fetch
    }
#include multiply.step
  }
#include multiply.end
}
