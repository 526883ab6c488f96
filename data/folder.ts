import { basename, dirname, resolve, sep } from "@std/path";
import { DataError } from "./errors.ts";
import { datasetLabels, folderLabels } from "./labels.ts";
import { kindOf, listed, Passed, printable } from "./listing.ts";
import { isImagePath, isVisible, sortByName, type Source } from "./source.ts";

// Between two looks at the event loop, so that an interrupt is seen.
const STRIDE = 1000;

/** One image. */
interface Found {
  /** Path within the folder, with forward slashes. */
  name: string;
  /** Size and date: see {@linkcode Source.stamps}. */
  stamp: string;
}

/** Whether these are the files of a run, whose images are grids. */
function isRun(entries: readonly Deno.DirEntry[]): boolean {
  const names = new Set(entries.map(({ name }) => name));
  return names.has("options.json") &&
    [...names].some((name) =>
      name === "reals.png" || name === "stats.jsonl" || /^checkpoint-.*\.safetensors$/.test(name)
    );
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    // A link to nothing, or to itself.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.FilesystemLoop) {
      return;
    }
    throw error;
  }
}

/** Lists a folder with all within it. Links are followed, each real folder is read once. */
class Lister {
  readonly found: Found[] = [];
  #root: string;
  #leaveOut: string | undefined;
  #folders = [""];
  #links: string[] = [];
  #read = new Set<string>();
  #passed = new Passed();
  #runs: string[] = [];
  #known: string[] = [];

  constructor(root: string, leaveOut: string | undefined) {
    this.#root = root;
    this.#leaveOut = leaveOut;
  }

  async run(signal?: AbortSignal): Promise<void> {
    let seen = 0;
    // Links last, so that what can be reached without one has the name of its own place.
    while (this.#folders.length > 0 || this.#links.length > 0) {
      const name = this.#folders.pop() ?? this.#followed();
      if (name === undefined) continue;
      for (const entry of this.#entriesOf(name)) {
        this.#take(name, entry);
        if (++seen % STRIDE > 0) continue;
        await new Promise((resume) => setTimeout(resume));
        signal?.throwIfAborted();
      }
    }
    sortByName(this.found);
  }

  /** The next link to a folder, unless that is read already or holds the link itself. */
  #followed(): string | undefined {
    const name = this.#links.sort().shift()!, target = Deno.realPathSync(`${this.#root}/${name}`);
    const place = Deno.realPathSync(dirname(`${this.#root}/${name}`));
    const isLoop = `${place}${sep}`.startsWith(target.endsWith(sep) ? target : target + sep);
    if (!isLoop && !this.#read.has(target)) return `${name}/`;
    this.#known.push(name);
    return undefined;
  }

  /** What is in a folder; nothing if it is read already, a run's, or that of all runs. */
  #entriesOf(name: string): Deno.DirEntry[] {
    const path = `${this.#root}/${name}`, real = Deno.realPathSync(path);
    if (this.#read.has(real)) return [];
    this.#read.add(real);
    const entries = [...Deno.readDirSync(path)];
    if (!isRun(entries) && (name === "" || real !== this.#leaveOut)) return entries;
    if (name === "") {
      throw new DataError(
        `data: ${this.#root} is the folder of a run, whose images are grids; ` +
          "give the folder or zip of the images",
      );
    }
    this.#runs.push(name);
    return [];
  }

  #take(folder: string, entry: Deno.DirEntry): void {
    const name = folder + entry.name, isImage = isImagePath(entry.name);
    const needsInfo = isImage || entry.isSymlink;
    const info = needsInfo && !entry.isDirectory ? statOf(`${this.#root}/${name}`) : undefined;
    const isFolder = entry.isDirectory || info?.isDirectory;
    if (isFolder && !isVisible(entry.name)) {
      this.#passed.add(entry.name === "__MACOSX" ? "folder __MACOSX" : "hidden folder");
    } else if (entry.isDirectory) this.#folders.push(`${name}/`);
    else if (isFolder) this.#links.push(name);
    else if (name === "dataset.json") return; // StyleGAN's labels
    else if (!isImage) this.#passed.add(kindOf(entry.name));
    else if (info && !info.isFile) this.#passed.add("no file");
    else {
      // A link to nothing is listed, and will be named as broken when it is read.
      const stamp = info ? `${info.size} ${info.mtime?.getTime()}` : "missing";
      this.found.push({ name, stamp });
    }
  }

  notes(): string[] {
    const notes = this.#passed.notes();
    const add = (names: string[], one: string, more: string) => {
      if (names.length > 1) notes.push(`${names.length} ${more}: ${listed(names.sort())}`);
      else if (names.length > 0) notes.push(`1 ${one}: ${listed(names)}`);
    };
    add(
      this.#known,
      "link leads to a folder that is read anyway and was not followed",
      "links lead to folders that are read anyway and were not followed",
    );
    add(this.#runs, "folder of runs is left out", "folders of runs are left out");
    return notes;
  }
}

/**
 * The images in a folder and in the folders within it, hidden ones and those of runs left out.
 *
 * @param path The folder.
 * @param signal Stops the listing.
 * @param leaveOut A folder that is left out where it lies in this one: that of all runs.
 * @returns The source.
 * @throws {DataError} If the folder cannot be listed, or is a run's.
 */
export async function openFolder(
  path: string,
  signal?: AbortSignal,
  leaveOut?: string,
): Promise<Source> {
  const real = leaveOut && await Deno.realPath(leaveOut).catch(() => undefined);
  const lister = new Lister(path, real);
  try {
    await lister.run(signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof DataError) throw error;
    throw new DataError(
      `data: the folder ${path} cannot be listed (${(error as Error).message}); ` +
        "check its permissions",
      { cause: error },
    );
  }
  const { found } = lister, names = found.map(({ name }) => name);
  const given = await Deno.readTextFile(`${path}/dataset.json`).catch(() => undefined);
  return {
    name: printable(basename(resolve(path))),
    kind: "folder",
    stamps: [
      ...found.map(({ name, stamp }) => `${name}\t${stamp}`),
      ...(given === undefined ? [] : [`dataset.json\t${given}`]),
    ],
    names,
    labels: given === undefined ? folderLabels(names) : datasetLabels(given, names),
    notes: lister.notes(),
    read: (index) => Deno.readFile(`${path}/${found[index].name}`),
    close: () => Promise.resolve(),
  };
}
