/** Every kernel's tests by what is chosen for a GPU: tiles, sums by workgroups, many tensors a dispatch. */
import { AS_GPU } from "../../gpu/device.ts";
import { gpu } from "../../gpu/gpu.ts";
import { openGpu } from "../../gpu/engines/deno.ts";

await openGpu();
gpu().describeAs(AS_GPU);
const folder = new URL("../../kernels/", import.meta.url);
const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
for (const name of names.filter((name) => name.endsWith("_test.ts")).sort()) {
  await import(new URL(name, folder).href);
}
