import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { EMOJI, fetchEmoji } from "./emoji.ts";
import { DataError } from "./errors.ts";

const PATH = "emoji-datasource-twitter/16.0.0/img/twitter/64";

Deno.test("emoji: through deno, wherever the registry's folder is", async () => {
  const root = await Deno.makeTempDir();
  for (const registry of ["registry", "registry/path"]) {
    const folder = `${root}/${registry}/${PATH}`;
    await Deno.mkdir(folder, { recursive: true });
    const calls: string[][] = [];
    const found = await fetchEmoji(root, undefined, (program, args) => {
      assertEquals(program, Deno.execPath());
      calls.push(args);
      return Promise.resolve(JSON.stringify({ npmCache: root }));
    });
    assertEquals(found, folder);
    assertEquals(calls[0].at(-1), `npm:${EMOJI}`);
    await Deno.remove(`${root}/registry`, { recursive: true });
  }
  await Deno.remove(root, { recursive: true });
});

Deno.test("emoji: through npm if deno fails, and once only", async () => {
  const root = await Deno.makeTempDir();
  const folder = `${root}/packages/node_modules/emoji-datasource-twitter/img/twitter/64`;
  const programs: string[] = [];
  for (let time = 0; time < 2; time++) {
    const found = await fetchEmoji(root, undefined, async (program) => {
      if (program === Deno.execPath()) throw new Error("no deno");
      programs.push(program);
      await Deno.mkdir(folder, { recursive: true });
      return "";
    });
    assertEquals(found, folder);
  }
  assertEquals(programs.length, 1);
  await Deno.remove(root, { recursive: true });
});

Deno.test("emoji: if neither works, the error says why and what to do", async () => {
  const root = await Deno.makeTempDir();
  const run = (program: string) => Promise.reject(new Error(`no ${program.slice(-3)} today`));
  const error = await assertRejects(() => fetchEmoji(root, undefined, run), DataError, "go online");
  assertStringIncludes(error.message, "no npm today");
  await Deno.remove(root, { recursive: true });
});
