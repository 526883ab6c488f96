// Numbers of one lane handed to all lanes, in a loop, in a workgroup as wide as the device's vectors.
override LANES: u32 = 16;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(local_invocation_id) l: vec3u) {
  var sum = 0.0;
  for (var i = 0u; i < 9 + w.x; i++) {
    let own = vec2f(f32((l.x * 5 + i * 3 + w.x) % 17), f32((l.x * 7 + i) % 13));
    sum += own.x * subgroupBroadcast(own.y, 0u) + subgroupBroadcast(own.x, 7u);
  }
  y[w.x * LANES + l.x] = sum;
}
