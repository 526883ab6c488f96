/** The kernels that can read textures by way of them, as for large tensors on a device of slow buffers. */
import { assert } from "@std/assert";
import { counters } from "../../gpu/memory.ts";
import { forceTextures, readsRightly } from "../../gpu/run.ts";

forceTextures(0);
await import("../../kernels/adam_test.ts");
await import("../../kernels/batch_norm_test.ts");
await import("../../kernels/pixel_norm_test.ts");
await import("../../nn/power_iteration_test.ts");
Deno.test("it did", () => assert(counters.textures > 0 || !readsRightly()));
