// @ts-self-types="./jpeg_wasm.d.ts"
// In JavaScript with its types beside, because `deno check` reads what a TypeScript file imports from
// an npm package as text, and stops at a binary.
import * as linked from "imagescript/wasm/any/jpeg.wasm";

export const codec = linked;
