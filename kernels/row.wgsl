// Who computes a row. With GROUP a workgroup: LANES invocations beside one another, whose loads are
// coalesced, for GPUs. Else one invocation, without barriers, for the software device.
#if GROUP
#include across
const STEP = ${LANES}u;
fn row_of(id: vec3u, group: vec3u, groups: vec3u) -> u32 { return group.y * groups.x + group.x; }
fn lane_of(local: u32) -> u32 { return local; }
fn sum_row(lane: u32, own: f32) -> f32 { return sum_across(lane, own); }
fn max_row(lane: u32, own: f32) -> f32 { return max_across(lane, own); }
#else
const STEP = 1u;
fn row_of(id: vec3u, group: vec3u, groups: vec3u) -> u32 { return id.y * groups.x * 64u + id.x; }
fn lane_of(local: u32) -> u32 { return 0u; }
fn sum_row(lane: u32, own: f32) -> f32 { return own; }
fn max_row(lane: u32, own: f32) -> f32 { return own; }
#end
