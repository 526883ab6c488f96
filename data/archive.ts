import { createHash } from "node:crypto";
import { basename, resolve } from "@std/path";
import { DataError } from "./errors.ts";
import { datasetLabels, folderLabels, type Labels } from "./labels.ts";
import { printable } from "./listing.ts";
import { Members } from "./members.ts";
import type { Source } from "./source.ts";
import {
  entryAt,
  mostEntries,
  type ReadAt,
  readDirectory,
  walkDirectory,
  type ZipDirectory,
} from "./zip_directory.ts";
import { readEntry } from "./zip_entry.ts";

/** The images that a zip lists. */
interface Listing {
  names: string[];
  /** Where the entry of each is in the directory. */
  places: Uint32Array;
  /** Where `dataset.json` is, if there is one. */
  labels: number | undefined;
  notes: string[];
}

/**
 * Reads an open file at any place.
 *
 * @param file The file.
 * @returns The reader.
 */
export function zipReader(file: Deno.FsFile): ReadAt {
  // Seeking and reading in one go: no other read of the same file can come between.
  return (offset, length) => {
    const bytes = new Uint8Array(length);
    file.seekSync(offset, Deno.SeekMode.Start);
    for (let done = 0; done < length;) {
      const read = file.readSync(bytes.subarray(done));
      if (read === null) throw new Error("the archive ends early");
      done += read;
    }
    return bytes;
  };
}

function list(directory: ZipDirectory): Listing {
  const names: string[] = [], members = new Members();
  let places = new Uint32Array(mostEntries(directory));
  let labels: number | undefined;
  walkDirectory(directory, (name, at) => {
    if (name === "dataset.json") {
      labels = at;
      return;
    }
    const plain = members.take(name);
    if (plain !== undefined) places[names.push(plain) - 1] = at;
  });
  const notes = members.notes();
  // As most programs write them, names are in order.
  places = places.slice(0, names.length);
  const isSorted = names.every((name, i) => i === 0 || names[i - 1] <= name);
  if (isSorted) return { names, places, labels, notes };
  const order = Uint32Array.from(names, (_, i) => i);
  order.sort((a, b) => names[a] < names[b] ? -1 : names[a] > names[b] ? 1 : a - b);
  return {
    names: Array.from(order, (i) => names[i]),
    places: order.map((i) => places[i]),
    labels,
    notes,
  };
}

/** What tells an entry's content from another; one that is damaged is left out when it is read. */
function stampOf(directory: ZipDirectory, at: number): string {
  try {
    const { size, crc } = entryAt(directory, at);
    return `${size} ${crc}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What to say of a file that cannot be read as a zip. */
function refusal(path: string, error: unknown): DataError {
  return new DataError(
    `data: ${path} is not a zip, or was cut short (${(error as Error).message}); ` +
      "copy it again, or unpack it and give the folder",
    { cause: error },
  );
}

/**
 * The images in a zip. Only its central directory is read, and listed when the names are asked for;
 * `list` finds their classes, by StyleGAN's `dataset.json` or else by folders.
 *
 * @param path The zip.
 * @returns The source; the file stays open until it is closed.
 * @throws {DataError} If the file is no zip, or truncated.
 */
export async function openArchive(path: string): Promise<Source> {
  const file = await Deno.open(path), read = zipReader(file), { size } = await file.stat();
  let directory: ZipDirectory;
  try {
    directory = readDirectory(read, size);
  } catch (error) {
    const refused = refusal(path, error);
    file.close();
    throw refused;
  }
  const digest = createHash("sha256").update(directory.bytes).digest("hex");
  let listing: Listing | undefined;
  const listOnce = () => {
    try {
      return listing ??= list(directory);
    } catch (error) {
      throw refusal(path, error);
    }
  };
  let labels: Labels | undefined;
  return {
    name: printable(basename(resolve(path)).replace(/\.zip$/i, "")),
    kind: "zip",
    // Names, sizes and checksums of all entries are in the directory.
    digest: `zip of ${size} bytes, directory ${digest}`,
    get stamps() {
      const { names, places } = listOnce();
      return names.map((name, i) => `${name}\t${stampOf(directory, places[i])}`);
    },
    get names() {
      return listOnce().names;
    },
    get notes() {
      return listOnce().notes;
    },
    get labels() {
      return labels;
    },
    async list() {
      const { names, labels: at } = listOnce();
      if (at === undefined) {
        labels = folderLabels(names);
        return;
      }
      try {
        const given = await readEntry(read, entryAt(directory, at));
        labels = datasetLabels(new TextDecoder().decode(given), names);
      } catch (error) {
        throw refusal(path, error);
      }
    },
    read: async (index) => await readEntry(read, entryAt(directory, listOnce().places[index])),
    close: () => Promise.resolve(file.close()),
  };
}
