/** All products and convolutions with lanes along rows, which share columns: as for few of these. */
import { deviceInfo } from "../../gpu/device.ts";
import { checkWith } from "./checks.ts";
import { openGpu } from "../../gpu/engines/deno.ts";

await openGpu();
// On a GPU nothing is shared, and this is one more way to read buffers.
await checkWith({ share: "B", MR: 4, NV: 2, wx: 1, wy: deviceInfo().lanes || 16, wz: 1 });
