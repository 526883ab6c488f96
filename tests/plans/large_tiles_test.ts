/** All products and convolutions by the tiles that large ones use. */
import { checkWith } from "./checks.ts";

await checkWith({ load: "tile", MR: 8, NV: 2, KU: 8, wx: 16, wy: 16, wz: 1 });
