import { assertRejects } from "@std/assert";
import { deviceInfo } from "../gpu/device.ts";
import { GpuError } from "../gpu/errors.ts";
import { gpu } from "../gpu/gpu.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { assertHalves } from "./half_check.ts";
import { matmul } from "./matmul.ts";
import { openGpu } from "../gpu/engines/deno.ts";

await openGpu();

Deno.test("this device stores the nearest halves, in textures and in buffers", async () => {
  await assertHalves();
  gpu().describeAs({ fastTextures: false });
  await assertHalves();
  gpu().describeAs(undefined);
});

Deno.test("a store that truncates or never overflows is noticed", async () => {
  const { name } = deviceInfo();
  const says = (product: (a: Tensor, b: Tensor) => Tensor, message: string) =>
    assertRejects(() => assertHalves(product), GpuError, `${name} stores ${message}`);
  const right = [2048, 2052, -4100, 65504, Infinity, -Infinity, 2 ** -24, 0];
  // What a plain store to rgba16float gives on Mesa 25.0.7
  await says(() => tensor(right.with(1, 2050), [8, 1]), "2051 in a ");
  await says(() => tensor(right.with(4, 65504), [8, 1]), "65520 in a ");
  // Not rounded at all
  await says((a, b) => matmul(a, b, { precision: "f32" }), "2049 in a ");
});
