import { assertEquals, assertRejects } from "@std/assert";
import { put, withFolder } from "../tests/image_files.ts";
import { openDataset } from "./dataset.ts";
import { DataError } from "./errors.ts";
import { openStream } from "./stream.ts";

Deno.test("a stream gives the same batches from files and from the pack", async () => {
  await withFolder(async (root) => {
    const images: number[][] = [];
    for (let i = 0; i < 5; i++) images.push([...await put(`${root}/in/${i}.png`, i, 3, 3)]);
    await Deno.writeTextFile(`${root}/in/9.png`, "no image");
    const options = { data: `${root}/in`, resolution: 3, cache: `${root}/cache` };
    const batchesOf = async (extra: { most?: number } = {}) => {
      const stream = await openStream({ ...options, ...extra });
      const batches = [];
      for await (const batch of stream.batches(2)) batches.push([...batch]);
      await stream.close();
      return { batches, count: stream.count, hash: stream.hash };
    };
    const batches = [[0, 1], [2, 3], [4]].map((of) => of.flatMap((i) => images[i]));
    const fromFiles = await batchesOf(), some = await batchesOf({ most: 3 });
    assertEquals(fromFiles.batches, batches);
    assertEquals(fromFiles.count, 6, "the broken one is not known yet");
    // Every other one of six.
    assertEquals(some.batches, [[0, 2], [4]].map((of) => of.flatMap((i) => images[i])));
    assertEquals(some.hash === fromFiles.hash, false);
    await openDataset(options);
    assertEquals(await batchesOf(), { ...fromFiles, count: 5 });
    assertEquals(await batchesOf({ most: 3 }), some);
  });
});

Deno.test("a stream of which no image can be used says so, each time", async () => {
  await withFolder(async (root) => {
    await put(`${root}/in/0.png`, 0, 3, 3);
    const data = `${root}/in`, stream = await openStream({ data, resolution: 3, cache: root });
    await Deno.writeTextFile(`${root}/in/0.png`, "no image");
    for (let times = 0; times < 2; times++) {
      await assertRejects(() => Array.fromAsync(stream.batches(2)), DataError, "0.png");
    }
    await stream.close();
  });
});

Deno.test("without a resolution images are as large as the shorter side of the first", async () => {
  await withFolder(async (root) => {
    for (const [i, [width, height]] of [[7, 5], [3, 4]].entries()) {
      await put(`${root}/in/${i}.png`, i, width, height);
    }
    const stream = await openStream({ data: `${root}/in`, cache: root });
    assertEquals(stream.resolution, 5);
    await stream.close();
  });
});
