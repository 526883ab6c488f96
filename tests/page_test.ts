/**
 * The page of an exported generator makes the program's own images: its script runs where there is no
 * `Deno`, with a document of tests/page_dom.js.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { imageChannels } from "../data/image.ts";
import { savePage } from "../export/page.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { samples } from "../train/sampling.ts";
import { cases } from "./exported.ts";
import { inFolder } from "./support.ts";
await openGpu();

const all = await cases();
const SEED = 5, COUNT = 4; // as tests/page_dom.js has them

/** What is drawn: four images in a square, by red, green, blue and alpha. */
function drawn(bytes: Uint8Array, R: number, C: number): number[] {
  const data = new Array(4 * COUNT * R * R).fill(255);
  for (let i = 0; i < COUNT * R * R; i++) {
    const image = Math.floor(i / (R * R)), y = Math.floor(i / R) % R, x = i % R;
    const at = (Math.floor(image / 2) * R + y) * 2 * R + image % 2 * R + x;
    for (let c = 0; c < Math.max(C, 3); c++) data[4 * at + c] = bytes[C * i + (C === 1 ? 0 : c)];
  }
  return data;
}

for (const name of ["dcgan-gray", "sagan-classes", "sagan-residual", "pggan-fading", "r3gan"]) {
  Deno.test(`${name}: the exported page makes the images that gan sample makes`, () =>
    inFolder(async (folder) => {
      const made = all.find((each) => each.name === name)!, { G, options } = made;
      const path = join(folder, "page.html");
      await savePage({ ...made, options: { ...options, data: "/home/someone/<faces>.zip" } }, path);
      const html = await Deno.readTextFile(path);
      assert(!/someone|<faces>/.test(html), "a path of the user's, or a name that is not escaped");
      assert(html.includes("&lt;faces&gt;.zip</h1>"), "the title");
      assert(/default-src 'none'; [^"]*script-src 'sha256-[^ ";]*'"/.test(html), "its policy");
      const dom = new URL("./page_dom.js", import.meta.url).pathname;
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-config", dom, path],
      }).output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      const [image, last] = new TextDecoder().decode(stdout).trim().split("\n").map((line) =>
        JSON.parse(line)
      );
      assert(last?.status?.startsWith("4 images in "), JSON.stringify(last ?? image));
      const R = options.resolution;
      assertEquals([image.width, image.height], [2 * R, 2 * R]);
      const parts = samples(G, { ...options, batch: COUNT }, COUNT, SEED);
      const { value } = await parts.next(),
        expected = drawn(value!.bytes, R, imageChannels(options));
      assertEquals(image.data.length, expected.length);
      const off = expected.filter((value, i) => Math.abs(value - image.data[i]) > 1).length;
      assertEquals(off, 0, "samples that differ by more than 1");
    }));
}
