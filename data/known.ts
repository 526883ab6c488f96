/**
 * What is remembered of archives beside their packs, so that a finished pack is found without opening
 * the archive: by its path, size and date.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { replaceFile } from "../io/replace_file.ts";
import { digestOf } from "./classes.ts";
import type { Labels } from "./labels.ts";
import { packHash } from "./pack.ts";

const VERSION = 1;

/** An archive as it lies there. */
interface Stamp {
  path: string;
  size: number;
  /** Milliseconds. */
  mtime: number;
}

/** What is remembered of it. */
export interface Known {
  name: string;
  digest: string;
  /** Names of all classes, where there are some. */
  classes?: readonly string[];
}

/** What is kept: `seal` is a hash of all else. */
interface Kept extends Known, Stamp {
  version: number;
  seal: string;
}

/** An archive and what is remembered of it. */
export class Memory {
  #stamp: Stamp | undefined;
  #file: string;
  /** What is remembered, if the archive is still the same. */
  readonly known: Known | undefined;

  private constructor(file: string, stamp: Stamp | undefined, known: Known | undefined) {
    this.#file = file;
    this.#stamp = stamp;
    this.known = known;
  }

  /**
   * Looks an archive up, without opening it.
   *
   * @param data Where it is.
   * @param cache Folder of packs.
   * @returns The memory of it; nothing is remembered of a folder.
   */
  static async of(data: string, cache: string): Promise<Memory> {
    const stamp = await stampOf(data);
    if (!stamp) return new Memory("", undefined, undefined);
    const place = createHash("sha256").update(stamp.path).digest("hex").slice(0, 12);
    const file = `${cache}/known-${place}.json`, kept = await readKept(file);
    const isSame = kept?.path === stamp.path && kept.size === stamp.size &&
      kept.mtime === stamp.mtime;
    return new Memory(file, stamp, isSame ? kept : undefined);
  }

  /** As `known`, of a part that has some of the classes. */
  part(classes: string | undefined): Known | undefined {
    return this.known && { ...this.known, digest: digestOf(this.known.digest, classes) };
  }

  /**
   * Remembers an archive as it was when it was looked up. A cache that cannot be written is no fault:
   * the next start opens the archive.
   *
   * @param source What it turned out to be; without a digest it is a folder.
   * @param labels The labels of all its images.
   */
  async keep(
    { name, digest }: { name: string; digest?: string },
    labels?: Pick<Labels, "classes">,
  ): Promise<void> {
    const classes = labels?.classes ?? this.known?.classes;
    if (!this.#stamp || digest === undefined) return;
    if (this.known?.digest === digest && this.known.classes === classes) return;
    const kept = {
      ...{ version: VERSION, ...this.#stamp, name, digest },
      ...classes && { classes },
    };
    const text = JSON.stringify({ ...kept, seal: await sealOf(kept) });
    await replaceFile(this.#file, new TextEncoder().encode(text)).catch(() => {});
  }
}

function sealOf(kept: Omit<Kept, "seal">): Promise<string> {
  return packHash([JSON.stringify(kept)]);
}

async function stampOf(data: string): Promise<Stamp | undefined> {
  try {
    const path = await Deno.realPath(data), { isFile, size, mtime } = await Deno.stat(path);
    return isFile && mtime ? { path, size, mtime: mtime.getTime() } : undefined;
  } catch {
    return undefined; // whoever opens it says why
  }
}

async function readKept(file: string): Promise<Kept | undefined> {
  try {
    const { seal, ...kept } = JSON.parse(await Deno.readTextFile(file)) as Kept;
    return kept.version === VERSION && seal === await sealOf(kept) ? { ...kept, seal } : undefined;
  } catch {
    return undefined; // absent or damaged
  }
}
