#!/usr/bin/env bash
# A buffer that is being mapped when its device is lost: WebGPU says that mapAsync rejects. In Deno 2.9.6 it resolves,
# the buffer says "mapped", and its range can be read (zeros or what was there, never the result that was waited for).
# Dawn (npm webgpu 0.6.2) rejects with AbortError. So a program on Deno that reads a loss or an image takes stale bytes
# for a result unless it looks at device.lost after each awaited map; device.lost does resolve, on both.
# Versions: npm deno 2.9.6 on Mesa 22.3.6's software device; npm webgpu 0.6.2 on SwiftShader of Debian 12's chromium.
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
cat > lose.mjs <<'JS'
if (!globalThis.Deno) {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  globalThis.gpu = create(["backend=vulkan"]);
}
const adapter = await (globalThis.gpu ?? navigator.gpu).requestAdapter(), device = await adapter.requestDevice();
const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
const mapping = buffer.mapAsync(GPUMapMode.READ).then(
  () => `resolves, mapState ${buffer.mapState}, ${buffer.getMappedRange().byteLength} bytes can be read`,
  (error) => `rejects with ${error.name}`,
);
device.destroy();
console.log(`${globalThis.Deno ? "Deno" : "Dawn"}: mapAsync ${await mapping}; device.lost: ${(await device.lost).reason}`);
(globalThis.Deno ?? process).exit();
JS
{
  DENO_WEBGPU_BACKEND=vulkan "$deno" run -A lose.mjs
  VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json node lose.mjs
} 2>/dev/null | tee seen
cat > expected <<'TXT'
Deno: mapAsync resolves, mapState mapped, 16 bytes can be read; device.lost: destroyed
Dawn: mapAsync rejects with AbortError; device.lost: destroyed
TXT
diff expected seen || { echo "a map on a lost device does not end as seen in November 2026"; exit 1; }
