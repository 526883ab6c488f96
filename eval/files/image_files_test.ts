import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { encodePng, savePng } from "../../data/png.ts";
import { conventionsOf } from "../conventions.ts";
import { openDecodePool } from "./decode_pool.ts";
import { EvalError, printable } from "../errors.ts";
import { type ImageFilesOptions, openImageFiles } from "./image_files.ts";

const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** An image whose pixels tell its number. */
function numbered(i: number, width = 2, height = 1) {
  const rgb = Uint8Array.from({ length: width * height * 3 }, (_, at) => at % 3 ? i >> 8 : i & 255);
  return { width, height, rgb };
}
const own = { tool: "pytorch-fid", rule: conventionsOf("pytorch-fid").files, strict: false };
const open = (name: string, more: Partial<ImageFilesOptions> = {}) =>
  openImageFiles({ path: join(folder, name), ...own, ...more });

async function numbersOf(name: string, more: Partial<ImageFilesOptions> = {}) {
  const files = await open(name, more), found: number[] = [];
  for await (const { rgb } of files.images()) found.push(rgb[0] + 256 * rgb[1]);
  await files.close();
  return { found, files };
}

Deno.test("many images come in order from several cores, broken ones are named", async () => {
  await Deno.mkdir(join(folder, "many"));
  for (let i = 0; i < 420; i++) {
    const png = i === 17 ? Uint8Array.of(1, 2, 3) : encodePng(numbered(i, 2 + i % 2));
    await Deno.writeFile(join(folder, "many", `${String(i).padStart(3, "0")}.png`), png);
  }
  const { found, files } = await numbersOf("many");
  assertEquals(found, [...Array(420).keys()].filter((i) => i !== 17));
  assertEquals(files.broken.map(({ name }) => name), ["017.png"]);
  assertEquals(files.survey.sizes, { "2 x 1": 210, "3 x 1": 209 });
  assertEquals((await numbersOf("many", { most: 4 })).found, [0, 105, 210, 315]);
});

Deno.test("on several cores the images are the same, and what is broken is refused", async () => {
  const pool = await openDecodePool(10_000);
  try {
    const { rgb, width } = await pool.decode(encodePng(numbered(300, 5)));
    assertEquals([width, rgb], [5, numbered(300, 5).rgb]);
    await assertRejects(() => pool.decode(Uint8Array.of(1, 2, 3)), Error, "JPEG");
  } finally {
    pool.close();
  }
});

Deno.test("a crop is cut out, an image too small for it is left out", async () => {
  const rgb = Uint8Array.from({ length: 4 * 3 * 3 }, (_, i) => Math.floor(i / 3));
  await savePng(join(folder, "crop", "a.png"), { width: 4, height: 3, rgb });
  await savePng(join(folder, "crop", "b.png"), numbered(0));
  const files = await open("crop", { crop: "2x2+1+1" }), all = [];
  for await (const image of files.images()) all.push(image);
  assertEquals(
    all.map(({ width, height, rgb }) => [width, height, rgb[0], rgb[3], rgb[6], rgb[9]]),
    [
      [2, 2, 5, 6, 9, 10],
    ],
  );
  assertEquals(files.broken.map(({ name }) => name), ["b.png"]);
  await files.close();
});

Deno.test("torch-fidelity sorts by where links lead", async () => {
  const real = join(folder, "elsewhere");
  for (const [i, name] of ["z.png", "y.png", "x.png"].entries()) {
    await savePng(join(real, name), numbered(i));
  }
  await Deno.mkdir(join(folder, "links"));
  for (const [link, name] of [["a.png", "z.png"], ["b.png", "y.png"], ["c.png", "x.png"]]) {
    await Deno.symlink(join(real, name), join(folder, "links", link));
  }
  const torch = {
    tool: "torch-fidelity",
    rule: conventionsOf("torch-fidelity").files,
    strict: true,
  };
  assertEquals((await numbersOf("links", torch)).found, [2, 1, 0]);
  assertEquals((await numbersOf("links", { strict: true })).found, [0, 1, 2]);
});

Deno.test("names do not steer the terminal", async () => {
  await Deno.mkdir(join(folder, "escapes"));
  await Deno.writeTextFile(join(folder, "escapes", "\x1b[31m.bmp"), "");
  const error = await assertRejects(() => open("escapes", { strict: true }), EvalError, "first ");
  assert(!(error as Error).message.includes("\x1b") && printable("a\n\x1b") === "a\\u{a}\\u{1b}");
});

Deno.test("what a tool would not read is a sentence", async () => {
  await savePng(join(folder, "deep", "sub", "a.png"), numbered(1));
  await assertRejects(
    () => open("deep", { strict: true }),
    EvalError,
    "none of the 1 images in",
  );
  await Deno.mkdir(join(folder, "empty"));
  await assertRejects(() => open("empty"), EvalError, "holds no image");
});

Deno.test("images of any container are read; no tool reads them but this one", async () => {
  const path = new URL("../../data/fixtures/containers/", import.meta.url).pathname;
  const files = await openImageFiles({ path: `${path}nhwc.npy`, ...own }), sizes: number[][] = [];
  for await (const { width, height } of files.images()) sizes.push([width, height]);
  await files.close();
  assertEquals(sizes, Array(5).fill([6, 4]));
  assertEquals(files.notes, []);
  await assertRejects(
    () => openImageFiles({ path: `${path}church_lmdb`, ...own, strict: true }),
    EvalError,
    "pytorch-fid reads no LMDB database",
  );
});
