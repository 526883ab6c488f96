#!/usr/bin/env bash
# On SwiftShader, the Vulkan device that Chromium brings for machines without a GPU, WGSL's log() never gives NaN or
# infinity: log(NaN) is about 89, log(-2) is log(2), log(0) is about -88, and exp(NaN) is infinity. A cross entropy on
# it stays a plain number when the network has broken, so a check for NaN in the loss finds nothing. tanh(100) errs the
# other way: it is NaN for a healthy activation, from about 89 on. The same shader on Mesa's lavapipe gives what IEEE
# arithmetic does. A kernel has to look at the bits of its input before log, and to use another form of tanh.
# Versions: npm webgpu 0.6.2 (Dawn) on SwiftShader of Debian 12's chromium; npm deno 2.9.6 on Mesa 22.3.6.
# Seen 2026-11-30.
set -euo pipefail
for package in chromium mesa-vulkan-drivers; do
  dpkg -s $package >/dev/null 2>&1 || apt-get install -y -qq $package >/dev/null
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export XDG_RUNTIME_DIR=$dir
npm install --silent --no-audit --no-fund --prefix "$dir" deno@2.9.6 webgpu@0.6.2 >/dev/null
deno=$(ls "$dir"/node_modules/@deno/*/deno | head -n 1)
chmod +x "$deno"
cat > values.mjs <<'JS'
if (!globalThis.Deno) {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  globalThis.gpu = create(["backend=vulkan"]);
}
const gpu = globalThis.gpu ?? navigator.gpu, adapter = await gpu.requestAdapter();
const device = await adapter.requestDevice();
const given = [NaN, -2, 0, NaN, 100], forms = ["log", "log", "log", "exp", "tanh"];
const code = `
  @group(0) @binding(0) var<storage, read> x: array<f32>;
  @group(0) @binding(1) var<storage, read_write> y: array<f32>;
  @compute @workgroup_size(1) fn main() { ${forms.map((f, i) => `y[${i}] = ${f}(x[${i}]);`).join(" ")} }`;
const pipeline = device.createComputePipeline({
  layout: "auto",
  compute: { module: device.createShaderModule({ code }) },
});
const size = 4 * given.length, { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
const x = device.createBuffer({ size, usage: STORAGE | COPY_DST });
const y = device.createBuffer({ size, usage: STORAGE | COPY_SRC });
const out = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
device.queue.writeBuffer(x, 0, Float32Array.from(given));
const encoder = device.createCommandEncoder(), pass = encoder.beginComputePass();
pass.setPipeline(pipeline);
pass.setBindGroup(0, device.createBindGroup({
  layout: pipeline.getBindGroupLayout(0),
  entries: [x, y].map((buffer, binding) => ({ binding, resource: { buffer } })),
}));
pass.dispatchWorkgroups(1);
pass.end();
encoder.copyBufferToBuffer(y, 0, out, 0, size);
device.queue.submit([encoder.finish()]);
await out.mapAsync(GPUMapMode.READ);
const values = new Float32Array(out.getMappedRange());
const name = /llvmpipe/.test(adapter.info.description) ? "lavapipe" : adapter.info.architecture;
console.log(`${name}: ${forms.map((f, i) => `${f}(${given[i]}) ${+values[i].toPrecision(2)}`).join(", ")}`);
(globalThis.Deno ?? process).exit();
JS
{
  VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json node values.mjs
  DENO_WEBGPU_BACKEND=vulkan "$deno" run -A values.mjs
} 2>/dev/null | tee seen
cat > expected <<'TXT'
swiftshader: log(NaN) 89, log(-2) 0.69, log(0) -88, exp(NaN) Infinity, tanh(100) NaN
lavapipe: log(NaN) NaN, log(-2) NaN, log(0) -Infinity, exp(NaN) NaN, tanh(100) 1
TXT
diff expected seen || { echo "these functions do not give what was seen in November 2026"; exit 1; }
