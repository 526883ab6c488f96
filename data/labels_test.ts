import { assertEquals } from "@std/assert";
import { filesIn, put, withFolder, zip } from "../tests/image_files.ts";
import { datasetLabels, folderLabels, labelsOf, numbered } from "./labels.ts";
import { openPath } from "./open.ts";

Deno.test("class folders are numbered as by torchvision's ImageFolder", () => {
  // `sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())`, by code point.
  const paths = ["2/a.png", "10/a.png", "a/x/y.png", "Z/b.png", "\u{1f600}/a.png", "\uff5e/a.png"];
  assertEquals(folderLabels(paths), {
    classes: ["10", "2", "Z", "a", "\uff5e", "\u{1f600}"],
    of: Uint16Array.from([1, 0, 3, 2, 5, 4]),
  });
  // The one folder that a zip was made of is no class.
  assertEquals(folderLabels(["pets/cat/1.png", "pets/dog/1.png"])?.classes, ["cat", "dog"]);
  assertEquals(folderLabels(["faces/1.png", "faces/2.png"]), undefined);
  assertEquals(folderLabels(["cat/1.png", "2.png"]), undefined);
  assertEquals(folderLabels(["cat/1.png", "cats/1.png"])?.classes, ["cat", "cats"]);
  assertEquals(folderLabels([]), undefined);
});

Deno.test("classes by name, and by number", () => {
  assertEquals(labelsOf(["10", "9", "10"])?.classes, ["9", "10"]);
  assertEquals(labelsOf(["b", undefined]), undefined);
  assertEquals(numbered([2, 0], ["a"]), { classes: ["a", "1", "2"], of: Uint16Array.of(2, 0) });
  assertEquals(numbered([0, -1]), undefined);
  assertEquals(numbered([0.5]), undefined);
  assertEquals(numbered(Array.from({ length: 2 ** 16 + 1 }, (_, i) => i)), undefined);
});

Deno.test("dataset.json", () => {
  const text = '{"labels": [["00000/b.png", 1], ["00000/a.png", 4]]}';
  assertEquals(datasetLabels(text, ["00000/a.png", "00000/b.png"]), {
    classes: ["0", "1", "2", "3", "4"],
    of: Uint16Array.of(4, 1),
  });
  assertEquals(datasetLabels(text, ["c.png"]), undefined);
  for (const other of ['{"labels": null}', "null", "{", "[1]", '{"labels": [1, "a"]}']) {
    assertEquals(datasetLabels(other, ["a.png"]), undefined);
  }
});

Deno.test("a folder and its zip have the same classes, hidden folders are none", async () => {
  await withFolder(async (root) => {
    for (const path of ["dog/1", "cat/1", ".git/1", "__MACOSX/cat/2"]) {
      await put(`${root}/in/${path}.png`, 1);
    }
    const classesOf = async (path: string) => {
      const source = await openPath(path);
      await source.close();
      return [...source.labels?.classes ?? [], ...source.labels?.of ?? []];
    };
    await zip(`${root}/a.zip`, filesIn(`${root}/in`), 0);
    assertEquals(await classesOf(`${root}/in`), ["cat", "dog", 0, 1]);
    assertEquals(await classesOf(`${root}/a.zip`), ["cat", "dog", 0, 1]);
    const labels = { labels: [["dog/1.png", 0], ["cat/1.png", 2]] };
    await Deno.writeTextFile(`${root}/in/dataset.json`, JSON.stringify(labels));
    await zip(`${root}/b.zip`, filesIn(`${root}/in`), 0);
    assertEquals(await classesOf(`${root}/in`), ["0", "1", "2", 2, 0]);
    assertEquals(await classesOf(`${root}/b.zip`), ["0", "1", "2", 2, 0]);
  });
});
