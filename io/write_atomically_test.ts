import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { naming, removeLeft, writeAtomically } from "./write_atomically.ts";
import { inFolder } from "../tests/support.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("many writers of one file leave one of what they wrote, and nothing else", () =>
  inFolder(async (folder) => {
    const path = join(folder, "a"),
      texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(999));
    await Promise.all(texts.map((text) => writeAtomically(path, bytes(text))));
    assertEquals(texts.includes(await Deno.readTextFile(path)), true);
    assertEquals(names(folder), ["a"]);
  }));

Deno.test({
  name: "links in the way are not followed",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      const [path, other] = ["a", "other"].map((name) => join(folder, name));
      await Deno.writeTextFile(other, "theirs");
      for (const link of [path, `${path}.part`]) await Deno.symlink(other, link);
      await writeAtomically(path, bytes("ours"));
      assertEquals(await Deno.readTextFile(other), "theirs");
      assertEquals(await Deno.readTextFile(path), "ours");
      assertEquals((await Deno.lstat(path)).isSymlink, false);
      await removeLeft(folder, (name) => name === "a");
      assertEquals(names(folder), ["a", "other"]);
      assertEquals(await Deno.readTextFile(other), "theirs");
    }),
});

Deno.test("only leftovers of one's own files are removed", () =>
  inFolder(async (folder) => {
    const left = [`a.${crypto.randomUUID()}.part`, "a.part", "a.0a1b2c3d.part"];
    for (const name of [...left, "b.part", "a"]) await Deno.writeTextFile(join(folder, name), "");
    await Deno.utime(join(folder, left[0]), 0, 0);
    await removeLeft(folder, (name) => name === "a", 60_000);
    assertEquals(names(folder), ["a", ...left.slice(1), "b.part"].sort(), "others may be writing");
    await removeLeft(folder, (name) => name === "a");
    assertEquals(names(folder), ["a", "b.part"]);
    await Deno.mkdir(join(folder, "a.part"));
    await removeLeft(folder, (name) => name === "a");
    assertEquals(names(folder), ["a", "a.part", "b.part"], "no folder is removed");
  }));

Deno.test("what cannot be written is named", () =>
  inFolder(async (folder) => {
    const path = join(folder, "none", "a");
    await assertRejects(() => writeAtomically(path, bytes("")), Error, path);
  }));

Deno.test("errors of the system name a file, and only one", async () => {
  const error = (message: string) => Object.assign(new Error(message), { code: "EIO" });
  const told = async (message: string) =>
    (await assertRejects(() => naming("a/b", () => Promise.reject(error(message))), Error)).message;
  assertEquals(
    await told("Input/output error (os error 5)"),
    "a/b: Input/output error (os error 5)",
  );
  const other = "Input/output error (os error 5): open '/c/d'"; // as Deno says it
  assertEquals(await told(other), other);
  await assertRejects(
    () => naming("no/folder", () => Deno.open("/none/at/all")),
    Error,
    "open '/none",
  );
});
