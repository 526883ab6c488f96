import { assertEquals } from "@std/assert";
import { chooseVectors, VARIABLE, widthFor } from "./vectors.ts";
import { openGpu } from "./deno.ts";
import { deviceInfo } from "../device.ts";
import { gpu } from "../gpu.ts";
import { runsLongLoops } from "../long_loop.ts";
import { passes } from "../self_check.ts";

const folder = await Deno.makeTempDir();
const script = async (name: string, text: string) => {
  await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return `${folder}/${name}`;
};
const rests = { ignore: Deno.build.os !== "linux" };

Deno.test(
  "vectors of 512 bits are used where a process with them says that they pay",
  rests,
  async () => {
    const right = await script("right", `[ "$${VARIABLE}" = 512 ] && echo pays`);
    assertEquals(await widthFor({ file: undefined, deno: right }), "512");
  },
);

Deno.test("they are not where it ends, says no or cannot be started", rests, async () => {
  for (const text of ["kill -ABRT $$", "echo no", "exit 1", "echo pays; kill -SEGV $$"]) {
    assertEquals(await widthFor({ file: undefined, deno: await script("bad", text) }), "256", text);
  }
  assertEquals(await widthFor({ file: undefined, deno: `${folder}/none` }), "256");
});

Deno.test("what was found is kept until another driver is there", rests, async () => {
  const file = `${folder}/kept/vectors.json`;
  const right = await script("counts", `echo x >> ${folder}/calls; echo pays`);
  const calls = async () => (await Deno.readTextFile(`${folder}/calls`)).length / 2;
  for (let i = 0; i < 2; i++) assertEquals(await widthFor({ file, deno: right }), "512");
  assertEquals(await calls(), 1);
  const found = JSON.parse(await Deno.readTextFile(file));
  await Deno.writeTextFile(file, JSON.stringify({ ...found, driver: "another", width: "256" }));
  assertEquals([await widthFor({ file, deno: right }), await calls()], ["512", 2]);
  await Deno.writeTextFile(file, "{ cut");
  assertEquals([await widthFor({ file, deno: right }), await calls()], ["512", 3]);
});

Deno.test("the text of the trial runs in a process, and finds what holds on the device here", async () => {
  await openGpu();
  const { lanes, fastTextures } = deviceInfo();
  const width = await widthFor({ file: undefined, deno: Deno.execPath() });
  if (lanes !== 16) return; // a processor without AVX-512: all that counts is that it returned
  const pays = fastTextures && !await passes(gpu().device, runsLongLoops());
  assertEquals(width, pays ? "512" : "256");
});

Deno.test("what was found is kept in the user's cache, unless the user chose", rests, async () => {
  const before = [VARIABLE, "XDG_CACHE_HOME"].map((name) => [name, Deno.env.get(name)] as const);
  const file = `${folder}/webgan/vectors.json`;
  try {
    Deno.env.set("XDG_CACHE_HOME", folder);
    Deno.env.set(VARIABLE, "128");
    await chooseVectors();
    assertEquals([Deno.env.get(VARIABLE), await exists(file)], ["128", false]);
    Deno.env.delete(VARIABLE);
    await chooseVectors();
    assertEquals(JSON.parse(await Deno.readTextFile(file)).width, Deno.env.get(VARIABLE));
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
});

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
