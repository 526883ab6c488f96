/**
 * Damaged files and files of other versions: whoever reads one accepts it or refuses it in a sentence, soon, in
 * little memory, and writes nothing elsewhere. `deno task fuzz` draws a million of them.
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { DataError } from "../data/errors.ts";
import { decode } from "../data/decode.ts";
import { readHeader } from "../data/header.ts";
import { openPath } from "../data/open.ts";
import { WatchedWorker } from "../data/watched_worker.ts";
import { openDataset } from "../data/dataset.ts";
import { EvalError } from "../eval/errors.ts";
import { loadStatistics } from "../eval/files/npz.ts";
import { CheckpointError } from "../io/errors.ts";
import { decodeSafetensors, encodeSafetensors } from "../io/safetensors.ts";
import { decodeTorch } from "../io/torch_file.ts";
import { drawn } from "./drawn_cases.ts";
import { filesIn, put, withFolder, zip } from "./image_files.ts";
import { refusesWell, WORKERS_SECONDS } from "./refuses_well.ts";
import {
  changed,
  changedRecord,
  changes,
  FEW_PIXELS,
  withPngSums,
  withTarSums,
} from "./mutated_files.ts";

const root = new URL("../", import.meta.url);
const file = (path: string) => Deno.readFileSync(new URL(path, root));

/** Registers a test of these files, each damaged in many ways; every other one has right checksums again. */
function damaged(
  name: string,
  files: readonly Uint8Array[],
  read: (bytes: Uint8Array<ArrayBuffer>, mended: boolean) => Promise<void>,
  runs: number,
): void {
  const which = fc.constantFrom(...files.keys());
  const cases = fc.record({ which, changes, mended: fc.boolean() });
  drawn(
    `damaged ${name}`,
    cases,
    ({ which, changes, mended }) => read(changed(files[which], changes), mended),
    runs,
  );
}

// Images of every kind, from Pillow.
const pictures = JSON.parse(
  await Deno.readTextFile(new URL("data/fixtures/decoding.json", root)),
) as Record<string, { file: string }>;
const images = Object.values(pictures).map((picture) => Uint8Array.fromBase64(picture.file));

// Libraries decode JPEG and WebP: without an answer for long the worker is ended, and the test fails.
const decoder = new WatchedWorker<Uint8Array, number[]>(
  new URL("./decode_worker.ts", import.meta.url),
  60,
);
// Its start, with the check of its types, takes no part in the time that an image may.
Deno.test.beforeAll(async () => void await decoder.ask(images[0], "an image"));

damaged("images", images, async (bytes, mended) => {
  const image = mended && bytes[0] === 0x89 ? withPngSums(bytes) : bytes;
  await refusesWell(() => readHeader(image), [Error]);
  await refusesWell(() => decoder.ask(image, "an image"), [Error], WORKERS_SECONDS);
}, 300);
Deno.test("the decoder of damaged images is ended", () => decoder.close());

/** Opens a file in a folder as training does, and reads its first images. */
async function readImages(path: string): Promise<void> {
  const source = await openPath(path);
  try {
    for (let i = 0; i < Math.min(4, source.names.length); i++) {
      // What is broken is left out, with the reason.
      const image = async () => decode(await source.read(i), FEW_PIXELS);
      await refusesWell(image, [Error], WORKERS_SECONDS);
    }
  } finally {
    await source.close();
  }
}

/** What lies in a folder. */
const listing = (folder: string) => filesIn(folder).map(([path]) => path).sort();

const containers = [
  ...["gnu.tar", "pax.tar", "ustar.tar", "twice.tar.gz", "floats.npy", "fortran.npy", "gray.npy"],
  ...["compressed.npz", "stored.npz", "cifar-100-4", "cifar-100-5", "cifar-100.bin"],
  ...["plain-images-idx3-ubyte", "church_lmdb/data.mdb"],
  ...["gzip.parquet", "snappy.parquet", "uncompressed.parquet", "zstd.parquet"],
].map((name) => file(`data/fixtures/containers/${name}`));

damaged("data sets", containers, async (bytes, mended) => {
  await withFolder(async (root) => {
    await Deno.writeFile(`${root}/in/file`, mended ? withTarSums(bytes) : bytes);
    await refusesWell(() => readImages(`${root}/in/file`), [DataError], WORKERS_SECONDS);
    assertEquals(listing(root), ["in/file"]);
  });
}, 150);

const zips: Uint8Array[] = [];
await withFolder(async (root) => {
  for (let i = 0; i < 3; i++) await put(`${root}/in/${i}/${i}.png`, i);
  await Deno.writeTextFile(`${root}/in/dataset.json`, '{"labels":[["0/0.png",1],["1/1.png",0]]}');
  for (const level of [0, 6]) {
    await zip(`${root}/z.zip`, filesIn(`${root}/in`), level);
    zips.push(await Deno.readFile(`${root}/z.zip`));
  }
});

damaged("zips", zips, async (bytes) => {
  await withFolder(async (root) => {
    const data = `${root}/in/z.zip`, cache = `${root}/cache`;
    await Deno.writeFile(data, bytes);
    await refusesWell(() => openDataset({ data, resolution: 4, cache }), [DataError]);
    const written = listing(root).filter((path) => !path.startsWith("cache/"));
    assertEquals(written, ["in/z.zip"]);
  });
}, 100);

const arrays = encodeSafetensors(
  new Map([
    ["G.weight", { dtype: "F32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["steps", { dtype: "I64", shape: [], data: BigInt64Array.of(5n) }],
    ["empty", { dtype: "U8", shape: [0, 4], data: new Uint8Array(0) }],
  ]),
  { format: "pt", options: '{"batch":4}' },
);
damaged(
  "safetensors",
  [arrays],
  (bytes) => refusesWell(() => decodeSafetensors(bytes, "a file"), [CheckpointError]),
  500,
);

const header = {
  __metadata__: { format: "pt" },
  weight: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
  bias: { dtype: "U8", shape: [1, 2], data_offsets: [8, 10] },
};
const headers = fc.oneof(
  changedRecord(header),
  changedRecord(header.weight).map((weight) => ({ ...header, weight })),
);
drawn("safetensors with other headers", headers, async (header) => {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + 10);
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, 8);
  await refusesWell(() => decodeSafetensors(bytes, "a file"), [CheckpointError]);
}, 300);

const torch = ["kinds.legacy", "kinds.zip", "tensors.legacy", "tensors.zip"]
  .map((name) => file(`tests/fixtures/${name}.pth`));
damaged(
  "PyTorch files",
  torch,
  (bytes) => refusesWell(() => decodeTorch(bytes, "a file"), [CheckpointError]),
  300,
);

const statistics = ["npz/ok", "npz/compressed", "npz/float16", "npz/n-int32", "statistics"]
  .map((name) => file(`tests/fixtures/${name}.npz`));
damaged("statistics", statistics, async (bytes) => {
  await withFolder(async (root) => {
    await Deno.writeFile(`${root}/in/s.npz`, bytes);
    await refusesWell(() => loadStatistics(`${root}/in/s.npz`), [EvalError]);
    assertEquals(listing(root), ["in/s.npz"]);
  });
}, 100);
