import { listDevices } from "../gpu/engines/deno.ts";
import { VERSION } from "../train/version.ts";

/** What `gan --version` prints: the program, what it runs on, and the devices that there are. */
export async function versionLines(): Promise<string[]> {
  const devices = await listDevices().catch(() => []);
  return [
    `gan ${VERSION}`,
    `Deno ${Deno.version.deno} (V8 ${Deno.version.v8}), ${Deno.build.target}`,
    `WebGPU of Deno: ${devices.map(({ name }) => name).join("; ") || "no device"}`,
  ];
}
