import { assertEquals } from "@std/assert";

/** Prints whose device it is, what became of two shaders, and what a second kind is told. */
const PROGRAM = `
import { dawn } from "./gpu/engines/dawn.ts";
import { openGpu } from "./gpu/engines/deno.ts";
import { kernel } from "./gpu/kernel.ts";
import { storage } from "./gpu/memory.ts";
import { idle } from "./gpu/record.ts";
import { run } from "./gpu/run.ts";

const { info, engine } = await openGpu({ engine: dawn(["backend=null"]) });
const ran = (name, value) => {
  const shader = \`@group(0) @binding(0) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(64) fn main() { y[0] = \${value}; }\`;
  run(kernel(name, shader), { y: storage(256) }, {}, [1, 1, 1]);
  return idle().then(() => "fine", told);
};
const told = (error) => error.message.split(":")[0];
const found = [engine.name, info.name, await ran("right", "1"), await ran("wrong", "1u")];
console.log(JSON.stringify([...found, await openGpu().catch(told)]));
Deno.exit();
`;

Deno.test("Dawn is an engine: it compiles, tells what it refuses, and allows no other beside it", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=js", "--config=tests/dawn/deno.json", PROGRAM],
    cwd: new URL("../..", import.meta.url),
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)), [
    "Dawn",
    "null-backend",
    "fine",
    "The shader wrong/main cannot be had",
    "Deno's WebGPU cannot be used beside Dawn in one process",
  ]);
});
