// Reductions over a workgroup of $LANES invocations, whose result all of them get.
var<workgroup> across: array<f32, $LANES>;

fn sum_across(lane: u32, own: f32) -> f32 {
  workgroupBarrier(); // what was here before is read
  across[lane] = own;
  for (var half = ${LANES / 2}u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { across[lane] += across[lane + half]; }
  }
  workgroupBarrier();
  return across[0];
}

fn max_across(lane: u32, own: f32) -> f32 {
  workgroupBarrier();
  across[lane] = own;
  for (var half = ${LANES / 2}u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { across[lane] = max(across[lane], across[lane + half]); }
  }
  workgroupBarrier();
  return across[0];
}
