#!/usr/bin/env bash
# Deno: while the program awaits the GPU, nothing else runs.
#
# `await queue.onSubmittedWorkDone()` and `await buffer.mapAsync(...)` are promises, in whose time timers,
# signals, files and messages of workers should go on, as in browsers. In Deno the event loop stands still
# until the device has finished: of a timer of 5 ms that should have fired some hundred times, next to
# nothing is seen. createComputePipelineAsync likewise returns only when the pipeline is made. So whoever
# wants to do something meanwhile must wait in a worker, or not wait.
#
# Seen with Deno 2.9.6 on lavapipe (Mesa 22.3.6), November 2026.
set -eu
dpkg -s mesa-vulkan-drivers >/dev/null 2>&1 || apt-get install -y -qq mesa-vulkan-drivers >/dev/null
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix "$dir" deno@2.9.6
chmod +x node_modules/@deno/*/deno 2>/dev/null || true
deno=$(ls "$dir"/node_modules/@deno/*/deno | head -n 1)
cat >wait.ts <<'TS'
const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
const y = device.createBuffer({ size: 1 << 18, usage: STORAGE | COPY_SRC });
const staging = device.createBuffer({ size: 16, usage: MAP_READ | COPY_DST });
const code = `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(16) fn main(@builtin(global_invocation_id) id: vec3u) {
  var s = f32(id.x);
  for (var k = 0u; k < 20000u; k++) { s = s * 1.0001 + sin(s); }
  y[id.x] = s;
}`;
const module = device.createShaderModule({ code });
const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
const layout = pipeline.getBindGroupLayout(0);
const group = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: y } }] });
let blocked = true;
for (const how of ["onSubmittedWorkDone", "mapAsync"]) {
  const encoder = device.createCommandEncoder(), pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1000);
  pass.end();
  encoder.copyBufferToBuffer(y, 0, staging, 0, 16);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5), begin = performance.now();
  device.queue.submit([encoder.finish()]);
  const submitted = performance.now() - begin;
  if (how === "mapAsync") {
    await staging.mapAsync(GPUMapMode.READ);
    staging.unmap();
  } else await device.queue.onSubmittedWorkDone();
  const ms = performance.now() - begin;
  clearInterval(timer);
  console.log(`${how}: submitted after ${submitted.toFixed()} ms, done after ${ms.toFixed()}, ${ticks} ticks`);
  blocked &&= ms > 200 && submitted < ms / 4 && ticks < ms / 5 / 10;
}
Deno.exit(blocked ? 0 : 1);
TS
"$deno" --version | head -n 1
XDG_RUNTIME_DIR=$dir DENO_WEBGPU_BACKEND=vulkan "$deno" run --no-check -A wait.ts || {
  echo "it does not behave as described" >&2
  exit 1
}
