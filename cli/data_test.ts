import { assert, assertEquals, assertRejects } from "@std/assert";
import { decode } from "../data/decode.ts";
import { DataError } from "../data/errors.ts";
import { openDataset } from "../data/dataset.ts";
import { put, withFolder } from "../tests/image_files.ts";
import { dataCommand } from "./data.ts";

async function run(...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  assertEquals(await dataCommand(args, (line) => lines.push(line)), 0);
  return lines;
}

Deno.test("gan data tells what a data set is, in lines and as JSON", async () => {
  await withFolder(async (root) => {
    for (let i = 0; i < 3; i++) await put(`${root}/in/cat/${i}.png`, i, 20, 16);
    await put(`${root}/in/dog/a.png`, 7, 4, 4);
    await Deno.copyFile(`${root}/in/dog/a.png`, `${root}/in/dog/b.png`);
    await Deno.writeFile(`${root}/in/dog/c.png`, new Uint8Array(10));
    await Deno.writeTextFile(`${root}/in/a.gif`, "");
    const { count, pixels } = await openDataset({
      data: `${root}/in`,
      resolution: 8,
      cache: `${root}/runs/.cache`,
    });
    const args = [`${root}/in`, "--resolution", "8", "--out", `${root}/runs`];
    const lines = await run(...args);
    assertEquals(lines.filter((line) => !line.startsWith("cache")), [
      `${root}/in: folder, 6 images`,
      "kinds      5 PNG",
      "channels   5 color",
      "classes    2: 3 cat, 3 dog",
      "duplicates 1: dog/b.png of dog/a.png",
      "damaged    1: dog/c.png: neither JPEG, PNG nor WebP",
      "at 8 px    2 are enlarged",
      "sizes",
      `  20 x 16  ${"#".repeat(30)} 3`,
      `  4 x 4    ${"#".repeat(20)} 2`,
      "1 other file was passed over: 1 gif",
    ]);
    assert(lines.some((line) => line.startsWith("cache") && line.endsWith(", there already")));
    const sheet = `${root}/sheet.png`;
    const [json, ...rest] = await run(...args, "--json", "--sheet", sheet, "--crop", "none");
    assertEquals(rest, []);
    const found = JSON.parse(json);
    assertEquals(found.prepared.squashed, 3);
    assertEquals(found.cache.ready, false);
    assertEquals(found.sizes, { "20 x 16": 3, "4 x 4": 2 });
    assertEquals([found.duplicates.length, found.damaged.length], [1, 1]);
    // The sheet has the five good ones, as they are trained on.
    await run(...args, "--sheet", sheet);
    const { width, height, rgb } = decode(await Deno.readFile(sheet));
    assertEquals([count, width, height], [5, 24, 16]);
    const first = Uint8Array.from(
      { length: 8 * 24 },
      (_, i) => rgb[Math.floor(i / 24) * 72 + i % 24],
    );
    assertEquals(first, pixels.slice(0, 8 * 24));
    await assertRejects(
      () => run(...args, "--crop", "30x30+0+0", "--sheet", sheet),
      DataError,
      "no image can be used for the sheet",
    );
    const part = JSON.parse((await run(...args, "--json", "--classes", "cat"))[0]);
    assertEquals([part.count, part.classes], [3, { cat: 3 }]);
  });
});
