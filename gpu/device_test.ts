import { assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { checkGpu, creating, deviceInfo, gpu, openGpu } from "./device.ts";
import { GpuError } from "./errors.ts";
import { kernel } from "./kernel.ts";
import { limitBindings, release, storage } from "./memory.ts";
import { read } from "./read.ts";
import { run } from "./run.ts";

await openGpu();

Deno.test("memory that cannot be had is named with its size", async () => {
  const { maxBufferSize } = deviceInfo().limits;
  creating(
    "a buffer of much",
    () => gpu().createBuffer({ size: maxBufferSize + 1024, usage: 128 }),
  );
  await assertRejects(checkGpu, GpuError, "buffer of much");
  const error = assertThrows(() => storage(maxBufferSize + 16), GpuError);
  assertStringIncludes(error.message, `can hold (${(maxBufferSize / 2 ** 20).toFixed(1)} MiB)`);
});

Deno.test("what cannot be bound whole is named with its size", () => {
  const source = `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main() { y[0] = 1; }`;
  const y = storage(3 << 20);
  limitBindings(2 << 20);
  try {
    assertThrows(
      () => run(kernel("large", source), { y: { storage: y } }, {}, [1, 1, 1]),
      GpuError,
      "A tensor of 3.0 MiB is more than",
    );
  } finally {
    limitBindings(undefined);
    release(y);
  }
});

Deno.test("a shader that does not compile is named, with the place in its source", async () => {
  const source = `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main() { y[0] = 1u; }`;
  const y = storage(16);
  run(kernel("wrong", source), { y: { storage: y } }, {}, [1, 1, 1]);
  await assertRejects(checkGpu, GpuError, "The shader wrong/main cannot be had");
  release(y);
});

Deno.test("a device that goes away ends in a sentence that says how to go on", async () => {
  const y = storage(16);
  gpu().destroy(); // the last test here: this file has a device of its own
  await assertRejects(() => read(y, 16), GpuError, "The GPU was lost");
});
