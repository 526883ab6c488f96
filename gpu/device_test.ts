import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { describe, deviceInfo, newGpu } from "./device.ts";
import { dawn } from "./engines/dawn.ts";
import { deno, openGpu } from "./engines/deno.ts";
import { GpuError, TooLargeError } from "./errors.ts";
import { gpu } from "./gpu.ts";
import { kernel } from "./kernel.ts";
import { release, storage } from "./memory.ts";
import { read } from "./read.ts";
import { idle, submitted } from "./record.ts";
import { run } from "./run.ts";

await openGpu();

Deno.test("what is open is not opened again, unless another device is asked for", async () => {
  const first = gpu();
  assert(await openGpu() === first && await openGpu({ engine: deno }) === first);
  const [a, b] = await Promise.all([openGpu({ choice: "0" }), openGpu({ choice: "0" })]);
  assert(a === b && a !== first && a === gpu());
  await assertRejects(() => openGpu({ choice: "none" }), GpuError, "No device fits --device none");
  first.makeCurrent();
});

Deno.test("Dawn is refused beside Deno's own devices", async () => {
  await assertRejects(
    () => openGpu({ engine: dawn() }),
    GpuError,
    "Dawn cannot be used beside Deno's WebGPU in one process",
  );
});

/** As an engine tells of a device. */
function told(info: Partial<GPUAdapterInfo>) {
  const all = {
    vendor: "",
    architecture: "",
    description: "",
    device: "",
    isFallbackAdapter: false,
  };
  const adapter = { info: { ...all, ...info }, features: new Set<string>(), limits: {} };
  return describe(adapter as unknown as GPUAdapter);
}

// As adapter.info was in Chromium 156, npm webgpu 0.6.2 on SwiftShader 5.0.0, and Deno 2.9.6 on Mesa 22.3.6.
Deno.test("a software device is known as one on every engine", () => {
  const chromium = told({ vendor: "google", architecture: "swiftshader" });
  assertEquals([chromium.name, chromium.software], ["google swiftshader", true]);
  assertEquals(told({ description: "SwiftShader driver 5.0.0" }).software, true);
  const mesa = { vendor: "65541", description: "llvmpipe (LLVM 15.0.6, 512 bits)" };
  const wide = told({ ...mesa, subgroupMaxSize: 16 });
  assertEquals([wide.software, wide.lanes], [true, 16]);
  const fallback = told({ vendor: "maker", isFallbackAdapter: true });
  assertEquals([fallback.software, fallback.lanes > 0], [true, true]);
  const gpu = told({ vendor: "nvidia", architecture: "hopper", device: "0x2330" });
  assertEquals([gpu.name, gpu.software, gpu.lanes], ["0x2330", false, 0]);
  assertEquals(told({}).name, "unnamed device");
});

Deno.test("memory that cannot be had is named with its size", async () => {
  const { maxBufferSize } = deviceInfo().limits;
  gpu().creating(
    "a buffer of much",
    () => gpu().device.createBuffer({ size: maxBufferSize + 1024, usage: 128 }),
  );
  await assertRejects(() => gpu().check(), GpuError, "buffer of much");
  const error = assertThrows(() => storage(maxBufferSize + 16), GpuError);
  assertStringIncludes(error.message, `at most ${(maxBufferSize / 2 ** 20).toFixed(1)} MiB`);
});

Deno.test("a tensor that exceeds a binding is named with its shape and size, and what to do", () => {
  const source = `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main() { y[0] = 1; }`;
  const y = storage(3 << 20);
  gpu().bindable = 2 << 20;
  try {
    assertThrows(
      () => run(kernel("large", source), { y: { storage: y, shape: [768, 1024] } }, {}, [1, 1, 1]),
      TooLargeError,
      `large: y [768,1024] is too large for ${deviceInfo().name}: got 3.0 MiB, expected at most ` +
        "2.0 MiB: use a smaller batch, --accumulate in training, or a narrower network",
    );
  } finally {
    gpu().bindable = undefined;
    release(y);
  }
});

Deno.test("a shader that does not compile is named, with the place in its source", async () => {
  const source = `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main() { y[0] = 1u; }`;
  const y = storage(16);
  run(kernel("wrong", source), { y }, {}, [1, 1, 1]);
  await assertRejects(() => gpu().check(), GpuError, "The shader wrong/main cannot be had");
  release(y);
});

Deno.test("after a device is lost every pending and every later read says so", async () => {
  const lost = await newGpu({ engine: deno });
  const y = lost.use(() => storage(16)), z = lost.use(() => storage(1 << 20));
  const says = (waits: () => Promise<unknown>) => assertRejects(waits, GpuError, "Device lost (");
  const pending = [read(y, 16), read(z, 1 << 20), lost.use(submitted), lost.use(idle)];
  lost.device.destroy();
  for (const each of pending) await says(() => each);
  for (let i = 0; i < 2; i++) {
    await says(() => read(y, 16));
    await says(() => lost.check());
    assertThrows(() => lost.throwFailure(), GpuError, "Device lost (");
  }
  const before = gpu();
  lost.makeCurrent();
  const next = await openGpu();
  assert(lost.isLost && !next.isLost && next === gpu(), "another one is opened in its place");
  await read(storage(16), 16);
  before.makeCurrent();
});
