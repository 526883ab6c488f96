import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { chosenEmoji, openEmoji } from "./emoji_classes.ts";
import { checkEmoji, EMOJI, fetchEmoji } from "./emoji.ts";
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

Deno.test("emoji: classes follow Unicode's categories, with skin tones, and can be chosen", async () => {
  const root = await Deno.makeTempDir(), folder = `${root}/img/twitter/64`;
  await Deno.mkdir(folder, { recursive: true });
  const emoji = [
    { image: "1.png", category: "Smileys & Emotion", subcategory: "face-smiling" },
    { image: "2.png", category: "Smileys & Emotion", subcategory: "heart" },
    { image: "3.png", category: "Smileys & Emotion", subcategory: "cat-face" },
    {
      ...{ image: "4.png", category: "People & Body", subcategory: "hands" },
      skin_variations: { "1F3FB": { image: "5.png" } },
    },
  ];
  await Deno.writeTextFile(`${root}/emoji.json`, JSON.stringify(emoji));
  for (let i = 1; i <= 5; i++) await Deno.writeTextFile(`${folder}/${i}.png`, "");
  const classesOf = async (classes: string) => {
    const source = await openEmoji(folder, classes);
    await source.list?.();
    const { names, labels } = source;
    return names.map((name, i) => `${name} ${labels!.classes[labels!.of[i]]}`);
  };
  assertEquals(await classesOf(""), [
    ...["1.png faces", "2.png symbols", "3.png faces", "4.png people", "5.png people"],
  ]);
  assertEquals(await classesOf("people,faces"), [
    ...["1.png faces", "3.png faces", "4.png people", "5.png people"],
  ]);
  await Deno.writeTextFile(`${folder}/6.png`, "");
  await assertRejects(() => openEmoji(folder, ""), DataError, "lacks the emoji 6.png");
  assertEquals(chosenEmoji("people,faces"), ["faces", "people"]);
  assertThrows(() => chosenEmoji("smileys"), DataError, 'emoji has no class "smileys"');
  await Deno.remove(root, { recursive: true });
});

Deno.test("emoji: others than the built-in ones are refused", async () => {
  const root = await Deno.makeTempDir(), folder = `${root}/img/twitter/64`;
  await Deno.mkdir(folder, { recursive: true });
  for (const name of ["b.png", "a.png"]) {
    await Deno.writeTextFile(`${folder}/${name}`, `of ${name}`);
  }
  await Deno.writeTextFile(`${root}/emoji.json`, "[]");
  // printf '[]a.pngof a.pngb.pngof b.png' | sha256sum
  checkEmoji(folder, "089d701c7a59f7fcb43c906dcb88e13147e1fca210e69e5c298246ac2e9b1776");
  assertThrows(() => checkEmoji(folder), DataError, "expected 61979c71");
  await Deno.writeTextFile(`${folder}/a.png`, "of b.png");
  assertThrows(
    () => checkEmoji(folder, "089d701c7a59f7fcb43c906dcb88e13147e1fca210e69e5c298246ac2e9b1776"),
    DataError,
    "remove that folder",
  );
  await Deno.remove(root, { recursive: true });
});
