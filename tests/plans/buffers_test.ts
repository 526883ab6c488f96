/** All products and convolutions straight from buffers, unrolled as on a GPU. */
import { checkPreset, QUICK } from "../presets.ts";
import { checkWith } from "./checks.ts";

await checkWith({ load: "buffer", MR: 8, NV: 1, wx: 8, wy: 8, wz: 1 });
for (const each of QUICK) checkPreset(each);
