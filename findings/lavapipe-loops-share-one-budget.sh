#!/usr/bin/env bash
# On Mesa 22.3.6's software Vulkan device all loops of a shader invocation share a budget of 65,535 turns, and so do
# the lanes of its vector. A loop that sums 100,000 numbers stops at the 65,535th without an error. What is less
# expected: a second loop of the same invocation, or of a neighbour in the same vector of 8 lanes, has only what the
# first one left, and once the budget is gone every later loop makes exactly one turn. So a kernel of two passes over
# 40,000 elements (a mean, then a variance) is right in its first pass and wrong in its second, although each loop is
# short; and a lane with little to do is wrong because its neighbour had much. Mesa 25.0.7 has no such limit.
# Versions: Debian 12, mesa-vulkan-drivers 22.3.6, Deno 2.9.6 (npm). Seen 2026-11-30.
set -euo pipefail
dpkg -s mesa-vulkan-drivers >/dev/null 2>&1 || apt-get install -y -qq mesa-vulkan-drivers >/dev/null
dpkg-query -W -f '${Version}' mesa-vulkan-drivers | grep -q '^22\.3\.6' || { echo "this is not Mesa 22.3.6"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export XDG_RUNTIME_DIR=$dir DENO_WEBGPU_BACKEND=vulkan LP_NATIVE_VECTOR_WIDTH=256
npm install --silent --no-audit --no-fund --prefix "$dir" deno@2.9.6 >/dev/null
deno=$(ls "$dir"/node_modules/@deno/*/deno | head -n 1)
chmod +x "$deno"
cat > turns.mjs <<'JS'
const device = await (await navigator.gpu.requestAdapter({ forceFallbackAdapter: true })).requestDevice();
const code = `
  @group(0) @binding(0) var<storage, read> wanted: array<u32>;  // turns of both loops of a lane
  @group(0) @binding(1) var<storage, read_write> made: array<u32>;
  @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) lane: u32) {
    for (var i = 0u; i < wanted[2 * lane]; i++) { made[2 * lane]++; }
    for (var i = 0u; i < wanted[2 * lane + 1]; i++) { made[2 * lane + 1]++; }
  }`;
const pipeline = device.createComputePipeline({
  layout: "auto",
  compute: { module: device.createShaderModule({ code }) },
});
async function turns(wanted) {
  const size = 64, { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const given = device.createBuffer({ size, usage: STORAGE | COPY_DST });
  const made = device.createBuffer({ size, usage: STORAGE | COPY_SRC });
  const out = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
  device.queue.writeBuffer(given, 0, Uint32Array.from(wanted));
  const encoder = device.createCommandEncoder(), pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: given } }, { binding: 1, resource: { buffer: made } }],
  }));
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(made, 0, out, 0, size);
  device.queue.submit([encoder.finish()]);
  await out.mapAsync(GPUMapMode.READ);
  return [...new Uint32Array(out.getMappedRange())];
}
const one = (first, second) => [first, second, ...Array(14).fill(0)];
const show = (what, made) => console.log(`${what}: ${made.join(" ")}`);
show("one loop of 100000", (await turns(one(100_000, 0))).slice(0, 1));
show("two loops of 40000", (await turns(one(40_000, 40_000))).slice(0, 2));
show("two loops of 100000", (await turns(one(100_000, 100_000))).slice(0, 2));
// Lane 0 makes 60000 turns in its first loop; lane 1 makes none there and wants 20000 in its second.
const shared = await turns([60_000, 0, 0, 20_000, ...Array(12).fill(0)]);
show("60000 by a neighbour, then 20000", [shared[0], shared[3]]);
Deno.exit();
JS
"$deno" run -A turns.mjs | tee seen
cat > expected <<'TXT'
one loop of 100000: 65535
two loops of 40000: 40000 25534
two loops of 100000: 65535 1
60000 by a neighbour, then 20000: 60000 5534
TXT
diff expected seen || { echo "the loops do not end as seen in November 2026"; exit 1; }
