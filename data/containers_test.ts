import { assert, assertEquals, assertRejects } from "@std/assert";
import { gunzipSync, gzipSync } from "node:zlib";
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { withFolder } from "../tests/image_files.ts";
import { withTarSums } from "../tests/mutated_files.ts";
import { decode } from "./decode.ts";
import { DataError } from "./errors.ts";
import { openPath } from "./open.ts";
import { openParquet } from "./parquet.ts";
import { openDataset } from "./dataset.ts";
import { batchAt, classesOf } from "./sampler.ts";
import expected from "./fixtures/containers.json" with { type: "json" };

const FIXTURES = new URL("./fixtures/containers/", import.meta.url).pathname;

/** By Pillow and NumPy: see fixtures/containers.py. */
interface Expected {
  pixels: string[];
  labels?: number[];
  classes?: string[];
}

async function shaOf(path: string): Promise<Expected & { notes: string[] }> {
  const source = await openPath(path), pixels: string[] = [];
  try {
    for (let i = 0; i < source.names.length; i++) {
      const { rgb } = decode(await source.read(i));
      pixels.push(createHash("sha256").update(rgb).digest("hex"));
    }
    const { labels } = source;
    return {
      pixels,
      ...(labels && { labels: [...labels.of], classes: [...labels.classes] }),
      notes: [...source.notes ?? []],
    };
  } finally {
    await source.close();
  }
}

for (const [name, wanted] of Object.entries<Expected>(expected)) {
  Deno.test(`${name}: pixels and classes, in order`, async () => {
    const { notes: _, ...found } = await shaOf(FIXTURES + name);
    assertEquals(found, wanted);
  });
}

Deno.test("what is not used of a container is told", async () => {
  const notesOf = async (name: string) => (await shaOf(FIXTURES + name)).notes;
  assertEquals(await notesOf("pax.tar"), ["1 other file was passed over: 1 txt"]);
  assertEquals(await notesOf("church_lmdb"), [
    "1 other value was passed over: 1 values of less than 16 bytes",
  ]);
  assertEquals(await notesOf("hub"), [
    "Not used, as it is for testing: test-00000-of-00001.parquet; name a file to use it",
  ]);
  assertEquals(await notesOf("mnist"), [
    "Not used, as it is for testing: t10k-images-idx3-ubyte.gz; name a file to use it",
  ]);
});

Deno.test("arrays that hold no images are refused by what they are", async () => {
  await assertRejects(
    () => openPath(`${FIXTURES}floats.npy`),
    DataError,
    "is an array of <f4 [5, 4, 6, 3], expected uint8",
  );
  await assertRejects(
    () => openPath(`${FIXTURES}statistics.npz`),
    DataError,
    "holds no array of images (mu of <f8 [3], sigma of <f8 [3, 3])",
  );
});

const CUT_GZIP = "mnist/train-images-idx3-ubyte.gz";

/** Files that are read from first to last when they are listed, or whose sizes are declared. */
const CUT = [
  "pax.tar",
  "twice.tar.gz",
  "nhwc.npy",
  "fortran.npy",
  "stored.npz",
  "compressed.npz",
  "plain-images-idx3-ubyte",
  CUT_GZIP,
  "cifar-10-batches-py/data_batch_1",
  "church_lmdb/data.mdb",
  "snappy.parquet",
];

Deno.test("a container that is cut short is refused in a sentence that names it", async () => {
  await withFolder(async (root) => {
    for (const name of CUT) {
      const whole = await Deno.readFile(FIXTURES + name);
      const path = `${root}/in/${name.replace("/", "-")}`;
      for (const share of [0.2, 0.45, 0.9, 0.99]) {
        await Deno.writeFile(path, whole.subarray(0, Math.floor(share * whole.length)));
        const found = await openPath(path).then(
          async (source) => {
            const { length } = source.names;
            await source.close();
            return `${length} images`;
          },
          (error) => error,
        );
        if (name === CUT_GZIP && /^\d+ images$/.test(found)) continue; // see below
        // The end of a tar is empty.
        if (name === "pax.tar" && share >= 0.9 && found === "3 images") continue;
        assert(found instanceof DataError, `${name} to ${share}: ${found}`);
        assert(found.message.includes(path), found.message);
        assert(!found.message.includes("\n"), found.message);
      }
    }
  });
});

Deno.test("of a compressed MNIST file that is cut short the whole images are used, and that is told", async () => {
  await withFolder(async (root) => {
    // 5 of 28 x 28, of noise: nearly as large when compressed
    const noise = crypto.getRandomValues(new Uint8Array(5 * 784));
    const idx = (type: number[], of: Uint8Array) =>
      gzipSync(Uint8Array.from([0, 0, 8, ...type, ...of]));
    const images = idx([3, 0, 0, 0, 5, 0, 0, 0, 28, 0, 0, 0, 28], noise);
    const labels = idx([1, 0, 0, 0, 5], Uint8Array.of(3, 1, 4, 1, 5));
    await Deno.writeFile(`${root}/in/train-labels-idx1-ubyte.gz`, labels);
    const path = `${root}/in/train-images-idx3-ubyte.gz`;
    await Deno.writeFile(path, images.subarray(0, Math.floor(0.7 * images.length)));
    const source = await openPath(path);
    assertEquals([source.names.length, [...source.labels!.of]], [3, [3, 1, 4]]);
    assertEquals(
      source.notes?.[0],
      "train-images-idx3-ubyte.gz is cut short: 3 of 5 images are used; copy it again for the others",
    );
    for (const i of [2, 0]) {
      assertEquals((await source.read(i)).slice(-784), noise.slice(784 * i, 784 * (i + 1)));
    }
    await source.close();
    await Deno.writeFile(path, images.subarray(0, 300));
    await assertRejects(() => openPath(path), DataError, "truncated gzip file");
  });
});

Deno.test("a damaged container ends in a sentence, or in images that are named", async () => {
  await withFolder(async (root) => {
    for (const name of [...CUT.slice(0, -1), "cifar-10-batches-bin/data_batch_1.bin"]) {
      const whole = await Deno.readFile(FIXTURES + name);
      const path = `${root}/in/${name.replace("/", "-")}`;
      for (let i = 0; i < 40; i++) {
        const bytes = whole.slice();
        bytes[Math.floor((i + 0.5) * whole.length / 40)] ^= 0x55;
        await Deno.writeFile(path, bytes);
        const source = await openPath(path).catch((error) => error);
        if (source instanceof Error) {
          assert(source instanceof DataError, `${name}: ${source.stack}`);
          continue;
        }
        for (let n = 0; n < source.names.length; n++) {
          await source.read(n).then(decode).catch((error: Error) => assert(error.message));
        }
        await source.close();
      }
    }
  });
});

Deno.test("a size in a tar that is no number is told", async () => {
  const bytes = await Deno.readFile(`${FIXTURES}gnu.tar`);
  bytes[124] = "x".charCodeAt(0);
  await withFolder(async (root) => {
    await Deno.writeFile(`${root}/in/a.tar`, withTarSums(bytes));
    const wanted = "the header at byte 0 declares a size that is no number";
    await assertRejects(() => openPath(`${root}/in/a.tar`), DataError, wanted);
  });
});

Deno.test({
  name: "Parquet files that were closed leave no file open",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const open = () => [...Deno.readDirSync("/proc/self/fd")].length;
    const before = open();
    for (let i = 0; i < 10; i++) {
      const source = await openPath(`${FIXTURES}snappy.parquet`);
      await source.read(0);
      await source.close();
    }
    for (let i = 0; i < 50 && open() > before + 4; i++) await delay(100); // threads end a little later
    assert(open() <= before + 4, `${open()} files are open, ${before} were`);
  },
});

Deno.test("damaged pages of Parquet are told in a sentence each", async () => {
  for (const name of ["snappy.parquet", "gzip.parquet", "zstd.parquet"]) {
    const whole = await Deno.readFile(FIXTURES + name);
    for (let i = 0; i < 40; i++) {
      const bytes = whole.slice();
      bytes[Math.floor((i + 0.5) * whole.length / 40)] ^= 0x55;
      const upTo = (at: number, length: number) =>
        Promise.resolve(bytes.slice(at, Math.min(at + length, bytes.length)));
      const file = { size: bytes.length, upTo, close() {} };
      try {
        const { labels, group } = await openParquet(file, name, () => {});
        await labels();
        await group(0);
      } catch (error) {
        const { message } = error as Error;
        assert(message.length > 10 && !/Cannot|undefined|Offset|^parquet/.test(message), message);
      }
    }
  }
});

Deno.test("kinds that are not read are named, with what to do", async () => {
  const pack = (
    format: string,
    ...bytes: number[]
  ) => [...new TextEncoder().encode(format), ...bytes];
  const lmdb2 = [...new Uint8Array(24), 0xde, 0xc0, 0xef, 0xbe];
  // 16 bytes; the masked CRC-32C of the length, by a loop over bits in Python.
  const record = [16, 0, 0, 0, 0, 0, 0, 0, 149, 251, 254, 24];
  const kinds: [number[], string][] = [
    [[0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "a 7-Zip archive: unpack it and give the folder"],
    [pack("Rar!", 0x1a, 7), "a RAR archive: unpack it and give the folder"],
    [pack("BZh91AY"), "a bzip2 file: unpack it"],
    [[0x89, ...pack("HDF\r\n\x1a\n")], "an HDF5 file: write its images as files"],
    [pack("MATLAB 5.0 MAT-file"), "a MATLAB file: write its images as files"],
    [record, "a TFRecord file: write its images as files"],
    [pack("ARROW1"), "an Arrow file: save it as Parquet"],
    [lmdb2, "an LMDB database of data format 2: write it with liblmdb"],
    [[0xff, 0xd8, 0xff], "a JPEG image: give a folder or a zip of images"],
    [pack("url,caption"), "of a kind that is not read: give a folder"],
    [pack("GIF89a"), "a GIF image: give a folder"],
    [pack("<!DOCTYPE html>"), "a web page: the download failed"],
  ];
  await withFolder(async (root) => {
    const path = `${root}/in/data.bin`;
    for (const [bytes, words] of kinds) {
      const file = new Uint8Array(600);
      file.set(bytes);
      await Deno.writeFile(path, file);
      await assertRejects(() => openPath(path), DataError, `data.bin is ${words}`);
    }
    await Deno.writeFile(path, gzipSync(new Uint8Array(600)));
    await assertRejects(
      () => openPath(path),
      DataError,
      "is a gzip file of something unknown: unpack",
    );
    await Deno.writeFile(path, Uint8Array.from([0x80, 4, 0x4e, 0x2e]));
    await assertRejects(
      () => openPath(path),
      DataError,
      "data.bin is a Python pickle, but no batch of CIFAR (it is no dictionary)",
    );
  });
});

Deno.test("a folder of several kinds of containers names them", async () => {
  await withFolder(async (root) => {
    await Deno.copyFile(`${FIXTURES}pax.tar`, `${root}/in/a.tar`);
    await Deno.copyFile(`${FIXTURES}snappy.parquet`, `${root}/in/b.parquet`);
    await assertRejects(
      () => openPath(`${root}/in`),
      DataError,
      "holds no image, but 1 tar archive (a.tar), 1 Parquet file (b.parquet): give one of these",
    );
  });
});

Deno.test("classes reach the cache and the sampler; a part of them is numbered anew", async () => {
  await withFolder(async (root) => {
    const open = (classes?: string) =>
      openDataset({
        data: `${FIXTURES}zstd.parquet`,
        resolution: 4,
        cache: `${root}/cache`,
        ...(classes && { classes }),
      });
    const labels = expected["zstd.parquet"].labels;
    for (let times = 0; times < 2; times++) {
      const dataset = await open();
      assertEquals(dataset.labels, {
        classes: ["cat", "dog", "owl"],
        of: Uint16Array.from(labels),
      });
      const batch = batchAt({ count: 8, seed: 1, mirror: false }, 0, 5);
      assertEquals(
        classesOf(dataset, batch),
        batch.indices.reduce((of, index, i) => {
          of[i] = labels[index];
          return of;
        }, new Uint16Array(5)),
      );
    }
    const whole = await open(), part = await open("owl, cat");
    const kept = labels.flatMap((label, i) => label === 1 ? [] : [i]);
    assertEquals(part.labels, {
      classes: ["cat", "owl"],
      of: Uint16Array.from(kept, (i) => labels[i] / 2),
    });
    assertEquals(
      part.pixels,
      Uint8Array.from(kept.flatMap((i) => [...whole.pixels.subarray(48 * i, 48 * i + 48)])),
    );
    assert(part.hash !== whole.hash);
    await assertRejects(() => open("cow"), DataError, 'has no class "cow", but 3 others: cat, dog');
  });
});

Deno.test("with a finished cache a container is not read", async () => {
  await withFolder(async (root) => {
    const data = `${root}/in/a.tar.gz`;
    await Deno.copyFile(`${FIXTURES}twice.tar.gz`, data);
    const open = () => openDataset({ data, resolution: 4, cache: `${root}/cache` });
    const { pixels } = await open(), { mtime, size } = await Deno.stat(data);
    const bytes = new Uint8Array(size);
    bytes.set((await Deno.readFile(data)).subarray(0, 600));
    await Deno.writeFile(data, bytes);
    await Deno.utime(data, mtime!, mtime!);
    assertEquals((await open()).pixels, pixels);
  });
});

Deno.test("declared sizes take no memory before they are found to be true", async () => {
  await withFolder(async (root) => {
    const path = `${root}/in/a`, huge = [0x7f, 0xff, 0xff, 0xff];
    const idx = (...sizes: number[][]) => Uint8Array.from([0, 0, 8, 3, ...sizes.flat(), 1, 2, 3]);
    const text = "{'descr': '|u1', 'fortran_order': False, 'shape': (9999999999, 64, 64, 3), }";
    const array = new Uint8Array(138);
    array.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 118, 0]);
    array.set(new TextEncoder().encode(text.padEnd(117) + "\n"), 10);
    const cases: [Uint8Array, string][] = [
      [idx(huge, huge, huge), "truncated MNIST file: it declares 2147483647 x"],
      [idx(huge, [0, 0, 0, 0], [0, 0, 0, 1]), "its images have 1 x 0 pixels"],
      [idx([0, 0, 1, 0], [0, 0, 0, 2], [0, 0, 0, 2]), "it ends at byte 19, expected"],
      [array, "it ends at byte 138, expected 9999999999 images"],
    ];
    for (const [bytes, words] of cases) {
      await Deno.writeFile(path, bytes);
      await assertRejects(() => openPath(path), DataError, words);
      if (bytes[0] !== 0) continue;
      await Deno.writeFile(path, gzipSync(bytes));
      await assertRejects(() => openPath(path), DataError, words.replace(/, expected.*/, ""));
    }
  });
});

Deno.test("a folder with a file and its compressed copy has its images once", async () => {
  await withFolder(async (root) => {
    const packed = await Deno.readFile(`${FIXTURES}mnist/train-images-idx3-ubyte.gz`);
    await Deno.writeFile(`${root}/in/train-images-idx3-ubyte.gz`, packed);
    await Deno.writeFile(`${root}/in/train-images-idx3-ubyte`, gunzipSync(packed));
    const source = await openPath(`${root}/in`);
    await source.close();
    assertEquals(source.names.length, 6);
  });
});
