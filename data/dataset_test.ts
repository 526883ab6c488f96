import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DataError } from "./errors.ts";
import { openDataset } from "./dataset.ts";
import { filesIn, put, withFolder, zip } from "../tests/image_files.ts";

/** Changes fields of a pack's header. */
async function changeHeader(path: string, fields: object): Promise<void> {
  const sealed = JSON.parse(await Deno.readTextFile(path));
  const header = { ...sealed.header, ...fields };
  await Deno.writeTextFile(path, JSON.stringify({ ...sealed, header }));
}

/** Flips one bit of a file. */
async function flip(path: string, at: number): Promise<void> {
  const bytes = await Deno.readFile(path);
  bytes[at] ^= 1;
  await Deno.writeFile(path, bytes);
}

Deno.test("a folder: sorted, recursive, the hidden and the foreign left alone", async () => {
  await withFolder(async (root) => {
    const b = await put(`${root}/in/b.png`, 1);
    const a = await put(`${root}/in/deep/a.PNG`, 2);
    const B = await put(`${root}/in/B.png`, 3);
    for (const name of [".hidden.png", ".git/x.png", "__MACOSX/x.png"]) {
      await put(`${root}/in/${name}`, 4);
    }
    await Deno.writeTextFile(`${root}/in/list.txt`, "no image");
    const dataset = await openDataset({
      data: `${root}/in`,
      resolution: 4,
      cache: `${root}/cache`,
    });
    assertEquals([dataset.name, dataset.count, dataset.resolution], ["in", 3, 4]);
    assertEquals(dataset.pixels, Uint8Array.from([...B, ...b, ...a]));
    assertEquals(dataset.broken, []);
  });
});

Deno.test("a zip, stored or deflated, gives what the folder gives, on several cores too", async () => {
  await withFolder(async (root) => {
    const expected: number[] = [];
    // More than are worth starting workers for, and every hundredth broken.
    const broken: string[] = [];
    for (let i = 1000; i < 1450; i++) {
      const name = `p${i}.png`;
      if (i % 100 === 0) {
        await Deno.writeTextFile(`${root}/in/${name}`, "garbage");
        broken.push(name);
      } else expected.push(...await put(`${root}/in/${name}`, i));
    }
    const files = filesIn(`${root}/in`).reverse();
    await zip(`${root}/stored.zip`, files, 0);
    await zip(`${root}/deflated.zip`, [["__MACOSX/p1.png", new Uint8Array(3)], ...files], 6);
    for (const data of ["in", "stored.zip", "deflated.zip"]) {
      const reports: number[] = [];
      const dataset = await openDataset({
        data: `${root}/${data}`,
        resolution: 4,
        cache: `${root}/cache`,
        onProgress: (done, total) => {
          assertEquals(total, 450);
          reports.push(done);
        },
      });
      assertEquals([dataset.name, dataset.count], [
        data.replace(".zip", ""),
        expected.length / 48,
      ]);
      assertEquals(dataset.pixels, Uint8Array.from(expected));
      assertEquals(dataset.broken.map(({ name }) => name), broken);
      assertStringIncludes(dataset.broken[0].reason, "neither JPEG, PNG nor WebP");
      assertEquals(reports.at(-1), 450);
      assertEquals(reports, reports.toSorted((x, y) => x - y));
    }
  });
});

Deno.test("the crop and the resize are used", async () => {
  await withFolder(async (root) => {
    const rgb = await put(`${root}/in/a.png`, 1, 5, 4);
    const open = { data: `${root}/in`, cache: `${root}/cache` };
    const { pixels } = await openDataset({ ...open, resolution: 2, crop: "2x2+3+1" });
    const pixel = (x: number, y: number) => [...rgb.subarray((y * 5 + x) * 3, (y * 5 + x) * 3 + 3)];
    assertEquals([...pixels], [...pixel(3, 1), ...pixel(4, 1), ...pixel(3, 2), ...pixel(4, 2)]);
    const one = await openDataset({ ...open, resolution: 1, crop: "2x2+3+1", resize: "nearest" });
    assertEquals([...one.pixels], pixel(4, 2));
  });
});

Deno.test("the second time the pack is read, unless it, an image or an option changed", async () => {
  await withFolder(async (root) => {
    for (let i = 0; i < 3; i++) await put(`${root}/in/${i}.png`, i);
    await Deno.writeTextFile(`${root}/in/x.jpg`, "garbage");
    let decoded = 0;
    const open = async (more: { crop?: string; resize?: "area" | "nearest" } = {}) => {
      decoded = 0;
      return await openDataset({
        data: `${root}/in`,
        resolution: 4,
        cache: `${root}/cache`,
        onProgress: (done) => decoded = done,
        ...more,
      });
    };
    const first = await open();
    assertEquals(decoded, 4);
    const second = await open();
    assertEquals(decoded, 0, "decoded again");
    assertEquals(second, { ...first, pixels: second.pixels });
    assertEquals(second.pixels, first.pixels.slice());
    const pack = `${root}/cache/in-4-${first.hash.slice(0, 12)}.rgb8`;
    assertEquals(await Deno.readFile(pack), first.pixels.slice());

    const damages: [string, () => void | Promise<void>][] = [
      ["pack cut short", () => Deno.truncate(pack, 100)],
      ["pack gone", () => Deno.remove(pack)],
      ["header gone", () => Deno.remove(`${pack}.json`)],
      ["header cut short", () => Deno.truncate(`${pack}.json`, 20)],
      ["header of another", () => changeHeader(`${pack}.json`, { hash: "0" })],
      ["header changed", () => changeHeader(`${pack}.json`, { broken: [] })],
      ["a pixel changed", () => flip(pack, 100)],
      ["header of no record", () => Deno.writeTextFile(`${pack}.json`, "null")],
    ];
    for (const [name, damage] of damages) {
      await damage();
      assertEquals((await open()).pixels, second.pixels, name);
      assertEquals(decoded, 4, `${name}: not decoded again`);
      await open();
      assertEquals(decoded, 0, `${name}: not mended`);
    }
    for (const more of [{ crop: "none" }, { resize: "nearest" as const }]) {
      const other = await open(more);
      assert(other.hash !== first.hash);
      assertEquals(decoded, 4);
    }
    await put(`${root}/in/1.png`, 77, 5, 5);
    const changed = await open();
    assertEquals(decoded, 4);
    assert(changed.hash !== first.hash);
    assertEquals(
      [...Deno.readDirSync(`${root}/cache`)].filter(({ name }) => /part/.test(name)),
      [],
    );
  });
});

Deno.test("errors say what is wrong and where", async () => {
  await withFolder(async (root) => {
    const open = (data: string, crop = "center") =>
      openDataset({ data: `${root}/${data}`, resolution: 4, crop, cache: `${root}/cache` });
    await assertRejects(() => open("gone"), DataError, "gone does not exist");
    await assertRejects(() => open("in"), DataError, "in holds no image");
    await Deno.writeTextFile(`${root}/in/a.jpg`, "garbage");
    await assertRejects(() => open("in"), DataError, "first: a.jpg: neither JPEG");
    await Deno.writeTextFile(`${root}/no.zip`, "no zip at all, only text of some length");
    await assertRejects(() => open("no.zip"), DataError, "no.zip is not a zip");
    await put(`${root}/in/b.png`, 1, 40, 40);
    await put(`${root}/in/c.png`, 1, 30, 40);
    await put(`${root}/in/d.png`, 1, 20, 40);
    const { count, broken } = await open("in", "20x20+15+0");
    assertEquals([count, broken.map(({ name }) => name)], [1, ["a.jpg", "c.png", "d.png"]]);
    assertStringIncludes(broken[1].reason, "the crop 20x20+15+0 lies outside it: it is 30 x 40");
    await assertRejects(() => open("in", "20x20+25+0"), DataError, "check --crop");
    await Deno.remove(`${root}/cache`, { recursive: true });
    await zip(`${root}/short.zip`, filesIn(`${root}/in`), 0);
    await Deno.truncate(`${root}/short.zip`, (await Deno.stat(`${root}/short.zip`)).size - 40);
    await assertRejects(() => open("short.zip"), DataError, "cut short");
    await assertRejects(() => open("in", "big"), RangeError, `"big"`);
    const size = () => openDataset({ data: root, resolution: 0, cache: root });
    await assertRejects(size, RangeError, "resolution 0");
    await assertRejects(() => Deno.stat(`${root}/cache`), Deno.errors.NotFound);
  });
});

Deno.test("a damaged entry of a zip is broken, the others are not", async () => {
  await withFolder(async (root) => {
    await put(`${root}/in/a.png`, 1);
    const b = await put(`${root}/in/b.png`, 2);
    const files = filesIn(`${root}/in`).sort();
    await zip(`${root}/rot.zip`, files, 0);
    const bytes = await Deno.readFile(`${root}/rot.zip`);
    // In the middle of the first entry's data.
    bytes[30 + "a.png".length + (files[0][1].length >> 1)] ^= 1;
    await Deno.writeFile(`${root}/rot.zip`, bytes);
    const open = { data: `${root}/rot.zip`, resolution: 4, cache: `${root}/cache` };
    const dataset = await openDataset(open);
    // Found by the zip's checksum: a JPEG has none of its own.
    assertEquals(dataset.broken, [{
      name: "a.png",
      reason: "damaged in the zip: its checksum does not match",
    }]);
    assertEquals(dataset.pixels.slice(), b);
  });
});

Deno.test("a signal stops the work, and no pack is left", async () => {
  await withFolder(async (root) => {
    for (let i = 0; i < 200; i++) await put(`${root}/in/${i}.png`, i);
    const control = new AbortController();
    const open = () =>
      openDataset({
        data: `${root}/in`,
        resolution: 4,
        cache: `${root}/cache`,
        signal: control.signal,
        onProgress: () => control.abort(),
      });
    const error = await assertRejects(open, DOMException);
    assertEquals(error.name, "AbortError");
    assertEquals([...Deno.readDirSync(`${root}/cache`)], []);
  });
});
