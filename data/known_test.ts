import { assert, assertEquals, assertRejects } from "@std/assert";
import { filesIn, put, withFolder, zip } from "../tests/image_files.ts";
import { DataError } from "./errors.ts";
import { openDataset } from "./dataset.ts";
import { Memory } from "./known.ts";
import { openStream } from "./stream.ts";

/** Other bytes of the same size and date. */
async function ruin(path: string): Promise<void> {
  const { size, mtime } = await Deno.stat(path);
  await Deno.writeFile(path, new Uint8Array(size).fill(1));
  await Deno.utime(path, mtime!, mtime!);
}

/** A zip of three classes with a cache, and how it is opened. */
function withZip(
  body: (
    data: string,
    cache: string,
    open: (classes?: string) => ReturnType<typeof openDataset>,
  ) => Promise<
    void
  >,
): Promise<void> {
  return withFolder(async (root) => {
    for (let i = 0; i < 6; i++) await put(`${root}/in/${"abc"[i % 3]}/${i}.png`, i);
    await Deno.writeTextFile(`${root}/in/note.txt`, "");
    const data = `${root}/faces.zip`, cache = `${root}/cache`;
    await zip(data, filesIn(`${root}/in`), 0);
    const open = (classes?: string) =>
      openDataset({ data, cache, resolution: 4, ...classes !== undefined && { classes } });
    await body(data, cache, open);
  });
}

Deno.test("with a finished cache an archive is not opened: other bytes of its size and date are not noticed", () =>
  withZip(async (data, cache, open) => {
    const whole = await open(), part = await open("c,a");
    assertEquals(whole.notes?.[0], "1 other file was passed over: 1 txt");
    await ruin(data);
    assertEquals([await open(), await open("c,a")], [whole, part]);
    assertEquals((await Memory.of(data, cache)).known?.classes, ["a", "b", "c"]);
    // What the cache lacks is read.
    await assertRejects(() => open("b"), DataError, "is not a zip, or was cut short");
    await assertRejects(() => openDataset({ data, cache, resolution: 5 }), DataError);
  }));

Deno.test("a stream comes from a finished cache, too, without the archive", () =>
  withZip(async (data, cache, open) => {
    const read = async () => {
      const stream = await openStream({ data, cache, resolution: 4 }), parts: Uint8Array[] = [];
      for await (const batch of stream.batches(4)) parts.push(batch);
      await stream.close();
      const { name, count, hash, notes } = stream;
      return { name, count, hash, notes, parts };
    };
    const fromFiles = await read();
    await open();
    await ruin(data);
    assertEquals(await read(), fromFiles);
  }));

Deno.test("an archive of another date or size is opened; one with the same content keeps its pack", () =>
  withZip(async (data, cache, open) => {
    const { hash } = await open(), packs = filesIn(cache).length;
    const later = new Date(Date.now() + 5000);
    await Deno.utime(data, later, later);
    assertEquals((await open()).hash, hash); // by the zip's directory
    assertEquals(filesIn(cache).length, packs);
    await Deno.writeFile(data, new Uint8Array(9), { append: true });
    assert((await open()).hash !== hash);
    await ruin(data);
    await Deno.utime(data, later, new Date(+later + 1000));
    await assertRejects(open, DataError, "is not a zip");
  }));

Deno.test("a damaged memory, or one that cannot be kept, is none", () =>
  withZip(async (data, cache, open) => {
    const whole = await open(), [[name]] = filesIn(cache).filter(([name]) => /^known/.test(name));
    const path = `${cache}/${name}`, text = await Deno.readTextFile(path);
    for (const other of ["", "{}", "null", text.replace('"faces"', '"races"')]) {
      await Deno.writeTextFile(path, other);
      assertEquals((await Memory.of(data, cache)).known, undefined);
      assertEquals(await open(), whole);
    }
    assert((await Memory.of(data, cache)).known);
    await Deno.remove(path);
    await Deno.mkdir(`${path}/in/its/place`, { recursive: true });
    assertEquals(await open(), whole);
  }));
