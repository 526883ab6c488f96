import { createHash } from "node:crypto";
import { basename, resolve } from "@std/path";
import { DataError } from "./errors.ts";
import { KIND_BYTES, nameOfKind } from "./kinds.ts";
import { kindOf, listed, Passed, printable } from "./listing.ts";
import { isPicturePath, type Source } from "./source.ts";
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
  notes: string[];
}

// Seeking and reading in one go: no other read of the same file can come between.
function reader(file: Deno.FsFile): ReadAt {
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

/** With forward slashes, as programs for Windows may write others, and without empty and `.` parts. */
function plainName(name: string): string {
  if (/\\|(^|\/)\.?\//.test(name)) {
    return name.replaceAll("\\", "/").replace(/(^|\/)(\.?\/)+/g, "$1");
  }
  return name;
}

/** Whether a path leads out of the folder that the zip would be unpacked to. */
function isUnsafe(name: string): boolean {
  return /^([/\\]|[A-Za-z]:)|(^|[/\\])\.\.([/\\]|$)|\0/.test(name);
}

function list(directory: ZipDirectory): Listing {
  const names: string[] = [], unsafe: string[] = [], passed = new Passed();
  let places = new Uint32Array(mostEntries(directory));
  walkDirectory(directory, (name, at) => {
    const plain = plainName(name);
    if (isUnsafe(name)) unsafe.push(name);
    else if (plain.endsWith("/")) return;
    else if (isPicturePath(plain)) places[names.push(plain) - 1] = at;
    else passed.add(kindOf(plain));
  });
  const notes = passed.notes();
  if (unsafe.length > 0) {
    const count = unsafe.length === 1 ? "1 entry" : `${unsafe.length} entries`;
    notes.push(`${count} of unsafe name left out: ${listed(unsafe)}`);
  }
  // As most programs write them, names are in order.
  places = places.slice(0, names.length);
  const isSorted = names.every((name, i) => i === 0 || names[i - 1] <= name);
  if (isSorted) return { names, places, notes };
  const order = Uint32Array.from(names, (_, i) => i);
  order.sort((a, b) => names[a] < names[b] ? -1 : names[a] > names[b] ? 1 : a - b);
  return {
    names: Array.from(order, (i) => names[i]),
    places: order.map((i) => places[i]),
    notes,
  };
}

/** What to say of a file that cannot be read as a zip. */
function refusal(path: string, read: ReadAt, size: number, error: unknown): DataError {
  const kind = nameOfKind(read(0, Math.min(size, KIND_BYTES)));
  if (kind) {
    const article = /^an? /.test(kind) ? "" : `a${/^[AEIOU]/.test(kind) ? "n" : ""} `;
    const image = ["JPEG", "PNG", "WebP"].includes(kind) || kind.endsWith(" image");
    return new DataError(
      `data: ${path} is ${article}${kind}${image && !kind.endsWith(" image") ? " image" : ""}: ` +
        (image ? "give a folder or a zip of images" : "unpack it and give the folder"),
    );
  }
  return new DataError(
    `data: ${path} is not a zip, or was cut short (${(error as Error).message}); ` +
      "copy it again, or unpack it and give the folder",
    { cause: error },
  );
}

/**
 * The images in a zip. Only its central directory is read, and listed when the names are asked for.
 *
 * @param path The zip.
 * @returns The source; the file stays open until it is closed.
 * @throws {DataError} If the file is no zip, or truncated.
 */
export async function openArchive(path: string): Promise<Source> {
  const file = await Deno.open(path), read = reader(file), { size } = await file.stat();
  let directory: ZipDirectory;
  try {
    directory = readDirectory(read, size);
  } catch (error) {
    const refused = refusal(path, read, size, error);
    file.close();
    throw refused;
  }
  const digest = createHash("sha256").update(directory.bytes).digest("hex");
  let listing: Listing | undefined;
  const listOnce = () => {
    try {
      return listing ??= list(directory);
    } catch (error) {
      throw refusal(path, read, size, error);
    }
  };
  return {
    name: printable(basename(resolve(path)).replace(/\.zip$/i, "")),
    // Names, sizes and checksums of all entries are in the directory.
    digest: `zip of ${size} bytes, directory ${digest}`,
    get stamps() {
      const { names, places } = listOnce();
      return names.map((name, i) => {
        const entry = entryAt(directory, places[i]);
        return `${name}\t${entry.size} ${entry.crc}`;
      });
    },
    get names() {
      return listOnce().names;
    },
    get notes() {
      return listOnce().notes;
    },
    read: (index) => readEntry(read, entryAt(directory, listOnce().places[index])),
    close: () => Promise.resolve(file.close()),
  };
}
