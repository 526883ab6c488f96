import { assert, assertEquals } from "@std/assert";
import { doctor } from "./doctor.ts";

Deno.test("a device that fits nothing is a sentence and exit code 1", async () => {
  const lines: string[] = [];
  const code = await doctor({ device: "no such", json: false, print: (line) => lines.push(line) });
  assertEquals(code, 1);
  assert(lines[0].startsWith(`Deno ${Deno.version.deno} on `), lines[0]);
  assert(lines.at(-1)!.startsWith("No device fits --device no such"), lines.at(-1));
  assert(!lines.some((line) => line.includes("in use")), lines.join("\n"));
});

Deno.test("the device computes rightly, and the report says so", async () => {
  const lines: string[] = [];
  assertEquals(await doctor({ json: false, print: (line) => lines.push(line) }), 0);
  const text = lines.join("\n");
  for (const part of ["in use", "timestamp-query", "shader-f16", "subgroups", "MiB"]) {
    assert(text.includes(part), `${part} is not in\n${text}`);
  }
  assertEquals(lines.filter((line) => /: right, [\d.]+ GFLOP\/s/.test(line)).length, 2);
});

Deno.test("JSON is one object", async () => {
  const lines: string[] = [];
  assertEquals(await doctor({ json: true, print: (line) => lines.push(line) }), 0);
  assertEquals(lines.length, 1);
  const { ok, checks, device, devices } = JSON.parse(lines[0]);
  assertEquals(ok, true);
  for (const { error, gflops } of checks) assert(error <= 1 && gflops > 0, lines[0]);
  assert(devices.some(({ name }: { name: string }) => name === device.name), lines[0]);
});
