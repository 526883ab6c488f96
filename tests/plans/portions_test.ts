/** Whole nets with so little bound at once that their maps go by portions of a batch. */
import { assert } from "@std/assert";
import { openGpu } from "../../gpu/engines/deno.ts";
import { gpu } from "../../gpu/gpu.ts";

await openGpu();
gpu().bindable = 1 << 15;
for (const net of ["dcgan", "sagan", "pggan", "r3gan"]) {
  let before = 0;
  Deno.test(`${net}: what follows goes by portions`, () => void (before = gpu().counters.portions));
  await import(`../${net}_test.ts`);
  Deno.test(`${net}: it did`, () => assert(gpu().counters.portions > before));
}
