import { assertEquals } from "@std/assert";
import { put, withFolder } from "../tests/image_files.ts";
import { preparation } from "./dataset.ts";
import { describe } from "./describe.ts";
import { openPath } from "./open.ts";
import { prepare } from "./prepare.ts";

Deno.test("what will be left out, enlarged and squashed is counted", async () => {
  await withFolder(async (root) => {
    const sizes = [[2, 2], [4, 4], [4, 5], [20, 10], [10, 20]];
    for (const [i, [width, height]] of sizes.entries()) {
      await put(`${root}/in/${i}.png`, i, width, height);
    }
    const source = await openPath(`${root}/in`);
    const to = preparation({ crop: "none", maxPixels: 100 }, 4);
    const found = await describe(source, to);
    await source.close();
    // Two have more than 100 pixels; of the others one is smaller than 4 x 4, and one is no square.
    assertEquals(found.prepared, { ...found.prepared, leftOut: 2, enlarged: 1, squashed: 1 });
  });
});

Deno.test("of what is used of an image the shorter side counts", async () => {
  await withFolder(async (root) => {
    await put(`${root}/in/0.png`, 0, 7, 5);
    const bytes = await Deno.readFile(`${root}/in/0.png`);
    assertEquals(prepare(bytes, preparation({ crop: "none" }, 2)).side, 5);
    assertEquals(prepare(bytes, preparation({ crop: "3x4+1+1" }, 2)).side, 3);
  });
});
