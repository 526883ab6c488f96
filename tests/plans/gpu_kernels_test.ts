/** Every kernel's tests by what is chosen for a GPU: tiles, sums by workgroups, many tensors a dispatch. */
import { AS_GPU, describeAs, openGpu } from "../../gpu/device.ts";

await openGpu();
describeAs(AS_GPU);
const folder = new URL("../../kernels/", import.meta.url);
const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
for (const name of names.filter((name) => name.endsWith("_test.ts")).sort()) {
  await import(new URL(name, folder).href);
}
