#!/usr/bin/env bash
# Mesa 22.3.6's software Vulkan device compiles shaders for vectors of 128, 256 or 512 bits, as the variable
# LP_NATIVE_VECTOR_WIDTH says, and keeps the machine code on disk. The key of that cache does not hold the width: a
# process with 256 bits takes code that another one compiled for 128, and the other way round. The results stay right
# as far as the shader asks, but whoever compares widths by time measures whichever came first, and a shader that knows
# how many lanes share a vector (by subgroup operations, or by the driver's budget of loop turns) meets another number.
# A test of widths must give each an empty MESA_SHADER_CACHE_DIR, or set MESA_SHADER_CACHE_DISABLE.
# The probe: lane 7 makes 60,000 turns, then lane 0 wants 20,000. Where both lie in one vector, as with 256 bits, they
# share a budget of 65,535; with 128 bits they do not.
# Versions: Debian 12, mesa-vulkan-drivers 22.3.6, Deno 2.9.6 (npm). Seen 2026-11-30.
set -euo pipefail
dpkg -s mesa-vulkan-drivers >/dev/null 2>&1 || apt-get install -y -qq mesa-vulkan-drivers >/dev/null
dpkg-query -W -f '${Version}' mesa-vulkan-drivers | grep -q '^22\.3\.6' || { echo "this is not Mesa 22.3.6"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export XDG_RUNTIME_DIR=$dir DENO_WEBGPU_BACKEND=vulkan
npm install --silent --no-audit --no-fund --prefix "$dir" deno@2.9.6 >/dev/null
deno=$(ls "$dir"/node_modules/@deno/*/deno | head -n 1)
chmod +x "$deno"
cat > probe.mjs <<'JS'
const device = await (await navigator.gpu.requestAdapter({ forceFallbackAdapter: true })).requestDevice();
const code = `
  @group(0) @binding(0) var<storage, read_write> made: array<u32>;
  @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) lane: u32) {
    let first = select(0u, 60000u, lane == 7u);
    let second = select(0u, 20000u, lane == 0u);
    for (var i = 0u; i < first; i++) { made[lane]++; }
    for (var i = 0u; i < second; i++) { made[lane]++; }
  }`;
const size = 32, { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
const made = device.createBuffer({ size, usage: STORAGE | COPY_SRC });
const out = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
const pipeline = device.createComputePipeline({
  layout: "auto",
  compute: { module: device.createShaderModule({ code }) },
});
const encoder = device.createCommandEncoder(), pass = encoder.beginComputePass();
pass.setPipeline(pipeline);
pass.setBindGroup(0, device.createBindGroup({
  layout: pipeline.getBindGroupLayout(0),
  entries: [{ binding: 0, resource: { buffer: made } }],
}));
pass.dispatchWorkgroups(1);
pass.end();
encoder.copyBufferToBuffer(made, 0, out, 0, size);
device.queue.submit([encoder.finish()]);
await out.mapAsync(GPUMapMode.READ);
console.log(`${Deno.args[0]}: lane 0 made ${new Uint32Array(out.getMappedRange())[0]} turns`);
await new Promise((resolve) => setTimeout(resolve, 500)); // a thread of the driver writes the cache
Deno.exit();
JS
probe() { # bits, folder of the cache, what it is
  LP_NATIVE_VECTOR_WIDTH=$1 MESA_SHADER_CACHE_DIR=$dir/$2 "$deno" run -A probe.mjs "$3"
}
{
  probe 128 narrow "128 bits, empty cache"
  probe 256 wide "256 bits, empty cache"
  probe 256 narrow "256 bits, cache of 128"
  probe 128 wide "128 bits, cache of 256"
} | tee seen
cat > expected <<'TXT'
128 bits, empty cache: lane 0 made 20000 turns
256 bits, empty cache: lane 0 made 5534 turns
256 bits, cache of 128: lane 0 made 20000 turns
128 bits, cache of 256: lane 0 made 5534 turns
TXT
diff expected seen || { echo "the cache does not do what was seen in November 2026"; exit 1; }
