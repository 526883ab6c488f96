/** All that is read in fours by way of textures, as for large tensors on a device of slow buffers. */
import { assert } from "@std/assert";
import { counters } from "../../gpu/memory.ts";
import { forceTextures, readsRightly } from "../../gpu/run.ts";

forceTextures(0);
await import("../../kernels/adam_test.ts");
await import("../../kernels/batch_norm_test.ts");
await import("../../kernels/elementwise_test.ts");
await import("../../kernels/pixel_norm_test.ts");
await import("../../kernels/pool_test.ts");
await import("../../kernels/gate_sum_test.ts");
await import("../../kernels/reduce_test.ts");
await import("../../kernels/resample_test.ts");
await import("../../kernels/slice_test.ts");
await import("../../kernels/softmax_test.ts");
await import("../../kernels/spectral_norm_test.ts");
await import("../../kernels/totals_test.ts");
// Before the first convolution, whose operands lie in textures anyway.
Deno.test("it did", () => assert(counters.textures > 0 || !readsRightly()));
await import("../../nn/power_iteration_test.ts");
