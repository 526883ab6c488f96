import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { assertSame, inFolder } from "../tests/support.ts";
import { replaceFile } from "./replace_file.ts";
import { writeAtomically } from "./write_atomically.ts";

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("files of any size are replaced, in a folder that is made", () =>
  inFolder(async (folder) => {
    const path = join(folder, "in", "a");
    for (const size of [0, 5, 1 << 16, (1 << 16) + 1, 300_000]) {
      const bytes = Uint8Array.from({ length: size }, (_, i) => i % 251);
      await replaceFile(path, bytes);
      assertSame(await Deno.readFile(path), bytes, `${size} bytes`);
    }
    assertEquals(names(join(folder, "in")), ["a"]);
  }));

for (const [name, write] of Object.entries({ replaceFile, writeAtomically })) {
  Deno.test({
    name: `${name}() writes to no file that is there already, were its name guessed`,
    ignore: Deno.build.os === "windows",
    fn: () =>
      inFolder(async (folder) => {
        const [path, other] = ["a", "other"].map((name) => join(folder, name));
        const { randomUUID } = crypto, guessed = "00000000-0000-4000-8000-000000000000";
        await Deno.writeTextFile(other, "theirs");
        for (const id of [guessed, guessed.slice(0, 8)]) {
          await Deno.symlink(other, `${path}.${id}.part`);
        }
        crypto.randomUUID = () => guessed;
        try {
          for (const size of [4, 100_000]) {
            await assertRejects(() => write(path, new Uint8Array(size)), Deno.errors.AlreadyExists);
            for (const id of [guessed, guessed.slice(0, 8)]) {
              await Deno.symlink(other, `${path}.${id}.part`).catch(() => {});
            }
          }
        } finally {
          crypto.randomUUID = randomUUID;
        }
        assertEquals(await Deno.readTextFile(other), "theirs");
      }),
  });
}
