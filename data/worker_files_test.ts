import { assertEquals } from "@std/assert";
import config from "../deno.json" with { type: "json" };

Deno.test("a compiled program has all files that run in workers", async () => {
  const root = new URL("../", import.meta.url), found: string[] = [];
  for (const folder of ["data", "eval/files", "gpu/engines"]) {
    for await (const { name, isFile } of Deno.readDir(new URL(folder, root))) {
      if (!isFile || !name.endsWith(".ts") || name.endsWith("_test.ts")) continue;
      const text = await Deno.readTextFile(new URL(`${folder}/${name}`, root));
      for (const [, file] of text.matchAll(/new URL\("\.\/(\w+\.ts)", import\.meta\.url\)/g)) {
        found.push(`${folder}/${file}`);
      }
    }
  }
  const included = [...config.tasks.compile.matchAll(/--include (\S+)/g)].map(([, file]) => file);
  assertEquals([...new Set(found)].sort(), included.sort());
});
