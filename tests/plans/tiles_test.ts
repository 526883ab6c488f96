/** All products and convolutions by tiles in shared memory. */
import { checkWith } from "./checks.ts";

await checkWith({ load: "tile", MR: 4, NV: 1, KU: 16, wx: 16, wy: 16, wz: 1 });
