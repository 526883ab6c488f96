/** The kernels that can read textures by way of them, as for large tensors on a device of slow buffers. */
import { assert } from "@std/assert";
import { openGpu } from "../../gpu/engines/deno.ts";
import { gpu } from "../../gpu/gpu.ts";
import { readsRightly } from "../../gpu/run.ts";

await openGpu();
gpu().texturesFrom = 0;
await import("../../kernels/adam_test.ts");
await import("../../kernels/batch_norm_test.ts");
await import("../../kernels/pixel_norm_test.ts");
await import("../../nn/power_iteration_test.ts");
Deno.test("it did", () => assert(gpu().counters.textures > 0 || !readsRightly()));
