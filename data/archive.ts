import { basename, resolve } from "@std/path";
import { type FileEntry, Reader, Uint8ArrayWriter, ZipReader } from "@zip.js/zip.js";
import { DataError } from "./errors.ts";
import { isPicturePath, type Listed, sortByName, type Source } from "./source.ts";

/** Reads pieces of an open file, so that an archive never lies in memory whole. */
class OpenFileReader extends Reader<Deno.FsFile> {
  #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    super(file);
    this.#file = file;
  }

  override async init(): Promise<void> {
    await super.init?.();
    this.size = (await this.#file.stat()).size;
  }

  // Seeking and reading in one go: no other read of the same file can come between.
  override readUint8Array(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    for (let done = 0; done < length;) {
      const read = this.#file.readSync(bytes.subarray(done));
      if (read === null) throw new Error("the archive ends early");
      done += read;
    }
    return Promise.resolve(bytes);
  }
}

async function list(zip: ZipReader<Deno.FsFile>): Promise<Listed<FileEntry>[]> {
  const found: Listed<FileEntry>[] = [];
  for await (const entry of zip.getEntriesGenerator()) {
    if (entry.directory || !isPicturePath(entry.filename)) continue;
    const stamp = `${entry.uncompressedSize} ${entry.signature}`;
    found.push({ name: entry.filename, stamp, handle: entry });
  }
  return sortByName(found);
}

/**
 * The pictures in a zip.
 *
 * @param path The zip.
 * @returns The source; the file stays open until it is closed.
 * @throws {DataError} If the file is no zip, or truncated.
 */
export async function openArchive(path: string): Promise<Source> {
  const file = await Deno.open(path);
  const zip = new ZipReader(new OpenFileReader(file), {
    checkSignature: true,
    useWebWorkers: false,
  });
  let found: Listed<FileEntry>[];
  try {
    found = await list(zip);
  } catch (error) {
    file.close();
    throw new DataError(
      `data: ${path} is not a zip, or was cut short (${(error as Error).message}); ` +
        "copy it again, or unpack it and give the folder",
      { cause: error },
    );
  }
  return {
    name: basename(resolve(path)).replace(/\.zip$/i, ""),
    names: found.map((entry) => entry.name),
    stamps: found.map((entry) => `${entry.name}\t${entry.stamp}`),
    read: (index) => found[index].handle.getData(new Uint8ArrayWriter()),
    close: async () => {
      await zip.close();
      file.close();
    },
  };
}
