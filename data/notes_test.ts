import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { filesIn, put, withFolder, zip } from "../tests/image_files.ts";
import { DataError } from "./errors.ts";
import { openDataset } from "./dataset.ts";
import { openStream } from "./stream.ts";

Deno.test("what is odd is told, the first time and from the pack", async () => {
  await withFolder(async (root) => {
    for (let i = 0; i < 3; i++) await put(`${root}/in/${i}.png`, 1, 3, 5);
    await Deno.writeTextFile(`${root}/in/a.gif`, "");
    await zip(`${root}/z.zip`, [...filesIn(`${root}/in`), ["../up.png", new Uint8Array(1)]], 0);
    const open = async (name: string) =>
      (await openDataset({ data: `${root}/${name}`, resolution: 6, cache: `${root}/cache` }))
        .notes!;
    const odd = [
      "3 of 3 images are smaller than 6 x 6 pixels: enlarged up to 2 times",
      "Only 1 distinct image among 3: the generator can learn them by heart",
    ];
    const gif = "1 other file was passed over: 1 gif";
    const unsafe = "1 entry of unsafe name left out: ../up.png";
    for (let times = 0; times < 2; times++) {
      assertEquals(await open("in"), [gif, ...odd]);
      assertEquals(await open("z.zip"), [gif, unsafe, ...odd]);
    }
    // Of an image that is squashed the shorter side counts.
    const { notes } = await openDataset({
      ...{ data: `${root}/in`, resolution: 4, crop: "none", cache: `${root}/cache` },
    });
    assertStringIncludes(notes![1], "smaller than 4 x 4 pixels: enlarged up to 1.3 times");
    // What is passed over is as it is now, without preparing anew.
    await Deno.remove(`${root}/in/a.gif`);
    assertEquals(await open("in"), odd);
    // The folder of runs is that which holds the cache.
    await put(`${root}/in/runs/4.png`, 4);
    const cache = `${root}/in/runs/.cache`;
    const again = await openDataset({ data: `${root}/in`, resolution: 6, cache });
    assertEquals([again.count, again.notes], [3, ["1 folder of runs is left out: runs/", ...odd]]);
  });
});

Deno.test("a stream tells the same, from files and from the pack", async () => {
  await withFolder(async (root) => {
    for (let i = 0; i < 3; i++) await put(`${root}/in/${i}.png`, i, 3, 5);
    await Deno.writeTextFile(`${root}/in/a.gif`, "");
    const options = { data: `${root}/in`, resolution: 6, cache: `${root}/cache` };
    const notesOf = async () => {
      const stream = await openStream(options);
      for await (const _ of stream.batches(2));
      await stream.close();
      return stream.notes;
    };
    const fromFiles = await notesOf();
    assertEquals(fromFiles.length, 3);
    const { notes } = await openDataset(options);
    assertEquals([fromFiles, await notesOf()], [notes, notes]);
  });
});

Deno.test("images above a limit of pixels are left out and named", async () => {
  await withFolder(async (root) => {
    await put(`${root}/in/a.png`, 1, 10, 10);
    await put(`${root}/in/b.png`, 2, 10, 11);
    const open = { data: `${root}/in`, resolution: 4, cache: `${root}/cache` };
    const limited = await openDataset({ ...open, maxPixels: 100 });
    assertEquals(limited.count, 1);
    assertEquals(limited.broken, [{
      name: "b.png",
      reason: "it has 10 x 11 pixels, more than 100: make it smaller, " +
        "or allow it with GAN_MAX_PIXELS=110",
    }]);
    assertEquals((await openDataset({ ...open, maxPixels: 110 })).count, 2);
    try {
      Deno.env.set("GAN_MAX_PIXELS", "100");
      assertEquals((await openDataset(open)).count, 1);
      Deno.env.set("GAN_MAX_PIXELS", "many");
      await assertRejects(() => openDataset(open), RangeError, `GAN_MAX_PIXELS: got "many"`);
    } finally {
      Deno.env.delete("GAN_MAX_PIXELS");
    }
  });
});

Deno.test("a crop that fits none fails before any image is decoded; one that fits some does not", async () => {
  await withFolder(async (root) => {
    for (let i = 0; i < 60; i++) await put(`${root}/in/${100 + i}.png`, i, 8, 8);
    const open = (crop: string) =>
      openDataset({
        data: `${root}/in`,
        resolution: 4,
        crop,
        cache: `${root}/cache`,
        onProgress: () => assert(crop === "9x9+0+0", "decoded"),
      });
    const error = await assertRejects(() => open("8x8+1+0"), DataError, "32 images looked at");
    assertStringIncludes(error.message, "100.png: the crop 8x8+1+0 lies outside it: it is 8 x 8");
    await put(`${root}/in/200.png`, 1, 9, 9);
    for (let i = 0; i < 40; i++) await put(`${root}/in/${210 + i}.png`, i, 9, 9);
    const { count, broken } = await open("9x9+0+0");
    assertEquals([count, broken.length], [41, 60]);
  });
});

Deno.test("names from files are printed with control characters escaped", async () => {
  await withFolder(async (root) => {
    await put(`${root}/in/a.png`, 1);
    await Deno.writeTextFile(`${root}/in/b\u001b[31m\u202e.png`, "garbage");
    const { broken } = await openDataset({
      data: `${root}/in`,
      resolution: 4,
      cache: `${root}/cache`,
    });
    assertEquals(broken.map(({ name }) => name), ["b\\u{1b}[31m\\u{202e}.png"]);
  });
});
