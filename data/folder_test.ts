import { assertEquals, assertRejects } from "@std/assert";
import { dirname } from "@std/path";
import { DataError } from "./errors.ts";
import { openFolder } from "./folder.ts";

/** A folder of empty files; `name -> target` is a link. */
async function withFiles(
  lines: string[],
  body: (root: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    for (const line of lines) {
      const [name, target] = line.split(" -> ");
      await Deno.mkdir(dirname(`${root}/${name}`), { recursive: true });
      if (target) await Deno.symlink(target, `${root}/${name}`);
      else await Deno.writeTextFile(`${root}/${name}`, "");
    }
    await body(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function listed(path: string, leaveOut?: string) {
  const { names, notes } = await openFolder(path, undefined, leaveOut);
  return { names: [...names], notes: [...notes ?? []] };
}

const links = { ignore: Deno.build.os === "windows" };

Deno.test("links to folders are followed", links, async () => {
  await withFiles(["in/a/0.png", "else/1.png", "else/b/2.png", "in/z -> ../else"], async (root) => {
    const names = ["a/0.png", "z/1.png", "z/b/2.png"];
    assertEquals(await listed(`${root}/in`), { names, notes: [] });
  });
});

Deno.test("a folder that holds only a link to one of images has those", links, async () => {
  await withFiles(["in/l -> ../else", "else/1.png"], async (root) => {
    assertEquals((await listed(`${root}/in`)).names, ["l/1.png"]);
  });
});

Deno.test("each real folder is read once, and loops are told", links, async () => {
  const lines = ["in/a/0.png", "in/a/loop -> ..", "in/self -> .", "in/again -> a", "else/1.png"];
  lines.push("in/x -> ../else", "in/y -> ../else", "else/back -> ../in", "in/up -> ..");
  await withFiles(lines, async (root) => {
    assertEquals(await listed(`${root}/in`), {
      names: ["a/0.png", "x/1.png"],
      notes: [
        "6 links lead to folders that are read anyway and were not followed: a/loop, again, self " +
        "and 3 more",
      ],
    });
  });
});

Deno.test(
  "a link to a file is an image, one to nothing or itself fails when read",
  links,
  async () => {
    const lines = ["0.png", "1.png -> 0.png", "2.png -> nothing", "3.png -> 3.png", "4 -> nothing"];
    await withFiles(lines, async (root) => {
      const source = await openFolder(root);
      assertEquals(source.names, ["0.png", "1.png", "2.png", "3.png"]);
      assertEquals(source.notes, ["1 other file was passed over: 1 without an ending"]);
      assertEquals((await source.read(1)).length, 0);
      await assertRejects(() => source.read(2), Deno.errors.NotFound);
      await assertRejects(() => source.read(3));
    });
  },
);

Deno.test("a folder within a linked one that a link leads to is read once", links, async () => {
  const lines = ["else/1.png", "else/sub/2.png", "in/c -> ../else/sub", "in/d -> ../else"];
  await withFiles(lines, async (root) => {
    assertEquals(await listed(`${root}/in`), { names: ["c/2.png", "d/1.png"], notes: [] });
  });
});

Deno.test("files that are no images are counted by kind", async () => {
  const lines = [
    "a.png",
    "b.webp",
    "c.JFIF",
    "d.jpe",
    "c.gif",
    "d.bmp",
    "e.TIF",
    "f/g.gif",
    "Thumbs.db",
    "._a.png",
  ];
  lines.push(".git/h.png", "__MACOSX/i.png", "j.heic", "k");
  await withFiles(lines, async (root) => {
    assertEquals(await listed(root), {
      names: ["a.png", "b.webp", "c.JFIF", "d.jpe"],
      notes: [
        "10 other files were passed over: 2 gif, 1 Thumbs.db, 1 bmp, 1 folder __MACOSX, 1 heic, " +
        "1 hidden, 1 hidden folder, 1 tif, 1 others",
      ],
    });
  });
});

Deno.test("folders of runs and the folder of all runs are left out, and that is told", async () => {
  const run = ["options.json", "reals.png", "fakes000001.png", "stats.jsonl"];
  const lines = ["0.png", "other/options.json", "other/1.png"];
  for (const file of run) lines.push(`old/00003-dcgan/${file}`, `runs/00001-dcgan/${file}`);
  lines.push("bare/options.json", "bare/checkpoint-000001.safetensors", "bare/fakes000001.png");
  lines.push("runs/made/2.png");
  await withFiles(lines, async (root) => {
    const names = ["0.png", "other/1.png"], json = "1 other file was passed over: 1 json";
    assertEquals(await listed(root, `${root}/runs`), {
      names,
      notes: [
        json,
        "3 folders of runs are left out: bare/, old/00003-dcgan/, runs/",
      ],
    });
    // Without being told which it is, runs are known by what they hold.
    assertEquals((await listed(root)).names, [...names, "runs/made/2.png"]);
    // What is asked for by name is read.
    assertEquals((await listed(`${root}/runs/made`, `${root}/runs`)).names, ["2.png"]);
    assertEquals((await listed(`${root}/other`, root)).names, ["1.png"]);
    await assertRejects(() => listed(`${root}/bare`), DataError, "is the folder of a run");
  });
});
