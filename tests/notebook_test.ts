/** The notebook's cells run in order, with images in the place of the built-in ones, and a shorter training. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { pathToFileURL } from "node:url";
import { packOf } from "../data/dataset.ts";
import { EMOJI } from "../data/emoji.ts";
import { PackWriter } from "../data/pack.ts";
import { datasetOf } from "./dataset.ts";
import { inFolder } from "./support.ts";

interface Cell {
  readonly cell_type: string;
  readonly source: readonly string[];
}

const ROOT = new URL("..", import.meta.url);

Deno.test("notebook: its cells run in order, show grids and curves, and evaluate", () =>
  inFolder(async (folder) => {
    const how = { resolution: 32, classes: "faces", cache: folder };
    const content = { name: "emoji", stamps: [EMOJI, "classes faces"] };
    const { path, hash } = await packOf(content, how);
    const images = { ...datasetOf(32), name: "emoji", hash };
    const pixels = new Uint8Array(8 * images.pixels.length), count = 8 * images.count;
    for (let i = 0; i < 8; i++) pixels.set(images.pixels, i * images.pixels.length);
    await using pack = new PackWriter(path);
    pack.add(pixels);
    await pack.finish({ ...images, count, notes: [], sourceNotes: [] });

    const text = await Deno.readTextFile(new URL("docs/notebook.ipynb", ROOT));
    const { cells } = JSON.parse(text) as { cells: Cell[] };
    const code = cells.filter(({ cell_type }) => cell_type === "code")
      .map(({ source }) => source.join("")).join("\n");
    const replaced = [
      [`cache: "../runs/.cache"`, `cache: ${JSON.stringify(folder)}`],
      ["kimg: 20", "kimg: 0.2, ngf: 4, ndf: 4"],
      ["const EVERY = 2000", "const EVERY = 100"],
    ].reduce((text, [from, to]) => {
      assertEquals(text.split(from).length, 2, `the notebook has ${from} once`);
      return text.replace(from, to);
    }, code);
    const module = join(folder, "notebook.ts");
    await Deno.writeTextFile(
      module,
      replaced.replaceAll(/from "\.\.\//g, `from "${ROOT}`).replaceAll("Deno.jupyter", "jupyter")
        .replace(/^/, KERNEL) + "\nexport { curve, displayed, distances, state };\n",
    );
    const { curve, displayed, distances, state } = await import(pathToFileURL(module).href);
    assert(state.images >= 200);
    assert(curve.length > 0 && curve.every(({ D, G }: Record<string, number>) => D > 0 && G > 0));
    const grids = displayed.filter(({ display_id }: Record<string, string>) =>
      display_id === "grid"
    );
    assertEquals(grids.length, 3); // before, after 100 images and at the end
    assert(grids.every(({ png }: { png: Uint8Array }) => png[1] === 0x50), "a PNG");
    assert(displayed.some(({ html }: Record<string, string>) => html?.includes("<polyline")));
    // Both halves hold the same images, each as often.
    assert(distances.real < 1e-6 && distances.fakes > 1, JSON.stringify(distances));
  }));

/** What the notebook asks of Deno's kernel, which plain Deno lacks. */
const KERNEL = `
const displayed: Record<string, unknown>[] = [];
const jupyter = {
  image: (png: Uint8Array) => ({ png }),
  html: (_: TemplateStringsArray, html: string) => ({ html }),
  display: (shown: object, how: object) => Promise.resolve(displayed.push({ ...shown, ...how })),
};
`;
