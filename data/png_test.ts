import { assertEquals, assertRejects } from "@std/assert";
// Another decoder than the one that wrote it.
import png from "imagescript/png/node.js";
import { savePng } from "./png.ts";

Deno.test("savePng writes what another decoder reads, and leaves nothing beside it", async () => {
  const folder = await Deno.makeTempDir();
  const rgb = Uint8Array.from(
    { length: 37 * 19 * 3 },
    (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24,
  );
  await savePng(`${folder}/deep/down.png`, { width: 37, height: 19, rgb });
  const read = png.decode(await Deno.readFile(`${folder}/deep/down.png`));
  assertEquals([read.width, read.height], [37, 19]);
  const pixels: Uint8Array = read.pixels;
  assertEquals(pixels.filter((_, i) => i % 4 !== 3), rgb);
  assertEquals([...Deno.readDirSync(`${folder}/deep`)].map((entry) => entry.name), ["down.png"]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("savePng refuses pixels that do not fit", async () => {
  const image = { width: 2, height: 2, rgb: new Uint8Array(11) };
  await assertRejects(() => savePng("nowhere.png", image), RangeError, "11 bytes, expected 2 x 2");
});
