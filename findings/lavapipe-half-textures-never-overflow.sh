#!/usr/bin/env bash
# Mesa 22.3.6's software device truncates what a shader stores in an rgba16float texture: 2051 becomes 2050, where the
# nearest half-precision number is 2052, and 65520 and 1e6 become 65504, the largest one, never infinity. A training
# step that keeps gradients in such textures and waits for infinity to lower its loss scale never sees an overflow; it
# goes on with clipped gradients. A store of f16(value) in a storage buffer of f16 rounds to nearest and overflows.
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
cat > halves.mjs <<'JS'
const adapter = await navigator.gpu.requestAdapter({ forceFallbackAdapter: true });
const device = await adapter.requestDevice({ requiredFeatures: ["shader-f16"] });
const given = [2049, 2051, 65520, 1e6], { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
const compute = (code) =>
  device.createComputePipeline({ layout: "auto", compute: { module: device.createShaderModule({ code }) } });
const x = device.createBuffer({ size: 16, usage: STORAGE | COPY_DST });
const y = device.createBuffer({ size: 16, usage: STORAGE | COPY_SRC });
const out = device.createBuffer({ size: 256, usage: MAP_READ | COPY_DST });
const texture = device.createTexture({
  size: [1, 1],
  format: "rgba16float",
  usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_SRC,
});
device.queue.writeBuffer(x, 0, Float32Array.from(given));
async function halves(pipeline, resource, copy) {
  const encoder = device.createCommandEncoder(), pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: x } }, { binding: 1, resource }],
  }));
  pass.dispatchWorkgroups(1);
  pass.end();
  copy(encoder);
  device.queue.submit([encoder.finish()]);
  await out.mapAsync(GPUMapMode.READ);
  const values = [...new Float16Array(out.getMappedRange(0, 8))];
  out.unmap();
  return values.join(" ");
}
const stored = await halves(
  compute(`@group(0) @binding(0) var<storage, read> x: vec4f;
    @group(0) @binding(1) var y: texture_storage_2d<rgba16float, write>;
    @compute @workgroup_size(1) fn main() { textureStore(y, vec2u(), x); }`),
  texture.createView(),
  (encoder) => encoder.copyTextureToBuffer({ texture }, { buffer: out, bytesPerRow: 256 }, [1, 1]),
);
const rounded = await halves(
  compute(`enable f16;
    @group(0) @binding(0) var<storage, read> x: vec4f;
    @group(0) @binding(1) var<storage, read_write> y: vec4<f16>;
    @compute @workgroup_size(1) fn main() { y = vec4<f16>(x); }`),
  { buffer: y },
  (encoder) => encoder.copyBufferToBuffer(y, 0, out, 0, 8),
);
console.log(`given: ${given.join(" ")}\nin a texture: ${stored}\nin a buffer: ${rounded}`);
Deno.exit();
JS
"$deno" run -A halves.mjs | tee seen
cat > expected <<'TXT'
given: 2049 2051 65520 1000000
in a texture: 2048 2050 65504 65504
in a buffer: 2048 2052 Infinity Infinity
TXT
diff expected seen || { echo "half-precision numbers are not stored as seen in November 2026"; exit 1; }
