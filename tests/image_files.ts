/** Files of images for tests of what reads them. */
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { savePng } from "../data/png.ts";

/** A folder for one test: `in` for images, `cache` for packs. */
export async function withFolder(body: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/in`);
    await body(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function noise(width: number, height: number, seed: number): Uint8Array {
  return Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => Math.imul(i + 1 + seed * 7919, 0x9e3779b1) >>> 24,
  );
}

/** Writes noise as a PNG; returns its pixels. */
export async function put(path: string, seed: number, width = 4, height = 4): Promise<Uint8Array> {
  const rgb = noise(width, height, seed);
  await savePng(path, { width, height, rgb });
  return rgb;
}

/** Writes a zip; level 0 stores. */
export async function zip(
  path: string,
  files: [string, Uint8Array][],
  level: number,
): Promise<void> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false, level });
  for (const [name, bytes] of files) await writer.add(name, new Uint8ArrayReader(bytes));
  await Deno.writeFile(path, await writer.close());
}

/** Every file in a folder, with its path within. */
export function filesIn(folder: string, prefix = ""): [string, Uint8Array][] {
  return [...Deno.readDirSync(folder)].flatMap((entry): [string, Uint8Array][] => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) return filesIn(path, `${prefix}${entry.name}/`);
    return [[prefix + entry.name, Deno.readFileSync(path)]];
  });
}
