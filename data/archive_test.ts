import { crc32 } from "node:zlib";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { openArchive } from "./archive.ts";
import { DataError } from "./errors.ts";

const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** What is written to `path`. */
type Options = NonNullable<ConstructorParameters<typeof ZipWriter>[1]>;

/** A zip by zip.js whose entries hold their own names. */
async function zipped(names: string[], options: Options = {}): Promise<Uint8Array<ArrayBuffer>> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false, ...options });
  for (const name of names) await writer.add(name, new Uint8ArrayReader(bytesOf(`in ${name}`)));
  return await writer.close();
}

/** A stored zip by hand, of any names. */
function plainZip(names: (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const locals: Uint8Array[] = [], centrals: Uint8Array[] = [];
  let offset = 0;
  for (const given of names) {
    const name = typeof given === "string" ? bytesOf(given) : given, content = bytesOf("content");
    const local = new Uint8Array([...new Uint8Array(30), ...name, ...content]);
    const central = new Uint8Array([...new Uint8Array(46), ...name]);
    const views = [new DataView(local.buffer), new DataView(central.buffer)];
    views[0].setUint32(0, 0x04034b50, true);
    views[1].setUint32(0, 0x02014b50, true);
    views[1].setUint32(42, offset, true);
    for (const [i, at] of [14, 16].entries()) {
      views[i].setUint32(at, crc32(content), true);
      views[i].setUint32(at + 4, content.length, true);
      views[i].setUint32(at + 8, content.length, true);
      views[i].setUint16(at + 12, name.length, true);
    }
    locals.push(local);
    centrals.push(central);
    offset += local.length;
  }
  const end = new DataView(new ArrayBuffer(22)), directory = centrals.flatMap((c) => [...c]);
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, names.length, true);
  end.setUint16(10, names.length, true);
  end.setUint32(12, directory.length, true);
  end.setUint32(16, offset, true);
  const tail = new Uint8Array(end.buffer);
  return Uint8Array.from([...locals.flatMap((l) => [...l]), ...directory, ...tail]);
}

/** What a zip of these bytes holds, by name. */
async function read(bytes: Uint8Array, name = "a.zip") {
  await Deno.writeFile(`${folder}/${name}`, bytes);
  const source = await openArchive(`${folder}/${name}`);
  try {
    assertEquals(source.stamps.length, source.names.length);
    const entries: Record<string, string> = {};
    for (const [i, entry] of source.names.entries()) {
      entries[entry] = await source.read(i).then(
        (content) => new TextDecoder().decode(content),
        (error) => `! ${error.message}`,
      );
    }
    return { names: [...source.names], entries, notes: [...source.notes ?? []] };
  } finally {
    await source.close();
  }
}

const NAMES = ["b/2.png", "a/ä 1.jpg", "c.WEBP"];

for (
  const [kind, options] of Object.entries<Options>({
    stored: { level: 0 },
    deflated: { level: 9 },
    "with data descriptors": { dataDescriptor: true },
    "zip64": { zip64: true },
    "zip64 with data descriptors": { zip64: true, dataDescriptor: true, level: 0 },
  })
) {
  Deno.test(`a zip, ${kind}, is read in order of names`, async () => {
    const expected = {
      "a/ä 1.jpg": "in a/ä 1.jpg",
      "b/2.png": "in b/2.png",
      "c.WEBP": "in c.WEBP",
    };
    const bytes = await zipped(NAMES, options);
    assertEquals((await read(bytes)).entries, expected);
    // A program that unpacks itself, and a comment that looks like an end record.
    const behind = Uint8Array.from([...bytesOf("#!/bin/sh and more\n"), ...bytes]);
    assertEquals((await read(behind)).entries, expected);
    const comment = new Uint8Array(40);
    comment.set(bytes.subarray(-22));
    const commented = Uint8Array.from([...bytes, ...comment]);
    commented[bytes.length - 2] = comment.length;
    assertEquals((await read(commented)).entries, expected);
  });
}

Deno.test("names: backslashes, dots, and those that are no UTF-8", async () => {
  const latin = Uint8Array.from([0xe4, ...bytesOf(".png")]);
  const { entries, notes } = await read(plainZip(["a\\b\\2.png", "./1.png", "x//./y.png", latin]));
  assertEquals(Object.keys(entries), ["1.png", "a/b/2.png", "x/y.png", "ä.png"]);
  assert(Object.values(entries).every((content) => content === "content"));
  assertEquals(notes, []);
});

Deno.test("unsafe names are left out and named, other files counted by kind", async () => {
  const unsafe = ["../up.png", "/etc/root.png", "C:\\x.png", "a\\..\\b.png"];
  const others = ["a.gif", "b.GIF", "c.tif", "__MACOSX/._d.png", "x\\__MACOSX\\y.png", ".e.png"];
  const more = ["f/.git/g.png", "Thumbs.db", "README", "z/", "h.\u001b[2J"];
  const { entries, notes } = await read(plainZip(["ok.png", ...unsafe, ...others, ...more]));
  assertEquals(Object.keys(entries), ["ok.png"]);
  assertEquals(notes, [
    "10 other files were passed over: 2 gif, 2 hidden, 2 in __MACOSX, 1 Thumbs.db, " +
    "1 \\u{1b}[2j, 1 tif, 1 without an ending",
    "4 entries of unsafe name left out: ../up.png, /etc/root.png, C:\\x.png and 1 more",
  ]);
});

Deno.test("an entry that is damaged, encrypted or unknown is named when it is read", async () => {
  const [secret] = Object.values((await read(await zipped(["a.png"], { password: "p" }))).entries);
  assertEquals(secret, "! it is encrypted: unpack the zip and give the folder");
  const other = plainZip(["a.png"]), central = other.length - 22 - 46 - 5;
  other[central + 10] = 12;
  const [bzip2] = Object.values((await read(other)).entries);
  assertEquals(bzip2, "! compressed by bzip2: unpack the zip and give the folder");
  const damaged: [string, number, RegExp][] = [
    ["a bit of the content", 30 + 5 + 2, /checksum/],
    ["the local header", 1, /no local header/],
    ["the size", central + 24, /checksum/],
    ["the place", central + 43, /ends early/],
  ];
  for (const [what, at, reason] of damaged) {
    const bytes = plainZip(["a.png"]);
    bytes[at] ^= 4;
    const [content] = Object.values((await read(bytes)).entries);
    assert(reason.test(content), `${what}: ${content}`);
  }
  const deflated = await zipped(["a.png"], { level: 9 });
  const start = 30 + deflated[26] + deflated[28]; // after the name and an extra field
  for (let at = start; at < start + 8; at++) {
    const bytes = deflated.slice();
    bytes[at] ^= 0xff;
    const [content] = Object.values((await read(bytes)).entries);
    assert(content.startsWith("! damaged in the zip"), content);
  }
});

Deno.test("zip64 numbers end where their field does, and a directory holds an entry at least", async () => {
  const zip64 = await zipped(["a.png"], { zip64: true }), view = new DataView(zip64.buffer);
  let at = zip64.length;
  do at--; while (at + 4 > zip64.length || view.getUint32(at, true) !== 0x02014b50);
  const field = at + 46 + view.getUint16(at + 28, true);
  assertEquals(view.getUint16(field, true), 1);
  view.setUint16(field + 2, 4, true); // in the place of 24 or 28
  assertEquals((await read(zip64)).entries, { "a.png": "! its directory is damaged" });
  for (const size of [1, 3, 45]) {
    const bytes = plainZip(["a.png"]);
    new DataView(bytes.buffer).setUint32(bytes.length - 22 + 12, size, true);
    await assertRejects(() => read(bytes), DataError, "(its directory is damaged)");
  }
});

Deno.test("Deflate64, as 7-Zip writes it", async () => {
  const { entries } = await read(
    await Deno.readFile(new URL("./fixtures/deflate64.zip", import.meta.url)),
  );
  assertEquals(Object.keys(entries), ["a.png"]);
  assert(entries["a.png"].startsWith("\ufffdPNG\r\n"), entries["a.png"]); // its checksum was right
});

Deno.test("a zip that is cut short anywhere is refused, and so is one of several parts", async () => {
  const whole = await zipped(NAMES);
  for (let size = 0; size < whole.length; size += 7) {
    const error = await assertRejects(() => read(whole.subarray(0, size)), DataError);
    assert(/is not a zip, or was cut short/.test(error.message), error.message);
  }
  const part = whole.slice();
  part[part.length - 22 + 4] = 1;
  await assertRejects(() => read(part), DataError, "one of several parts");
  assertEquals((await read(plainZip([]))).names, []);
});

Deno.test("what a zip holds is told by its directory", async () => {
  const digestOf = async (bytes: Uint8Array) => {
    await Deno.writeFile(`${folder}/s.zip`, bytes);
    const source = await openArchive(`${folder}/s.zip`);
    await source.close();
    return source.digest;
  };
  const digest = await digestOf(plainZip(["a.png", "b.png"]));
  assertEquals(await digestOf(plainZip(["a.png", "b.png"])), digest);
  for (const names of [["a.png"], ["a.png", "c.png"], ["b.png", "a.png"]]) {
    assert(await digestOf(plainZip(names)) !== digest);
  }
});

Deno.test("a zip is listed when its names are asked for, not before", async () => {
  const bytes = plainZip(["a.png", "b.png"]);
  bytes[bytes.length - 22 - 51] ^= 1; // the second entry of the directory
  await Deno.writeFile(`${folder}/lazy.zip`, bytes);
  const source = await openArchive(`${folder}/lazy.zip`);
  assert(source.digest);
  assertThrows(() => source.names, DataError, "its directory is damaged");
  assertThrows(() => source.notes, DataError, "its directory is damaged");
  await source.close();
});
