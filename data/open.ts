import { basename, dirname, join, resolve } from "@std/path";
import { openArchive, zipReader } from "./archive.ts";
import { type Bytes, openBytes, openGunzip } from "./bytes.ts";
import { labelBytes, listCifarBinary, listCifarPython } from "./cifar.ts";
import { DataError } from "./errors.ts";
import { openFolder } from "./folder.ts";
import { listIdx } from "./idx.ts";
import { joined } from "./joined.ts";
import { KIND_BYTES, nameOfKind } from "./kinds.ts";
import { listed, printable } from "./listing.ts";
import { listLmdb } from "./lmdb.ts";
import { listNpy, listNpz } from "./numpy.ts";
import { ParquetReader } from "./parquet_reader.ts";
import type { Listing, Source } from "./source.ts";
import { listTar } from "./tar.ts";

/** How the images of a file are listed. */
type Lister = (bytes: Bytes, path: string) => Promise<Listing>;

/** A file of images. */
interface Container {
  kind: string;
  isGzip: boolean;
  list: Lister;
}

/** Listers by kind; Parquet files that are opened together share a worker. */
type Listers = Readonly<Record<string, Lister | undefined>>;

function newListers(): Listers {
  const parquet = new ParquetReader();
  return { ...LISTERS, "a Parquet file": (bytes, path) => parquet.list(bytes, path) };
}

const LISTERS: Listers = {
  "a tar archive": listTar,
  "an LMDB database": listLmdb,
  "a NumPy array": listNpy,
  "an MNIST file": listIdx,
  "a zip of NumPy arrays": (bytes, path) => {
    const file = Deno.openSync(path);
    const list = listNpz(bytes, path, zipReader(file));
    // Images are read from `bytes`.
    return list.finally(() => file.close());
  },
  "a Python pickle": listCifarPython,
};

/** Bytes of a pickle that may be a batch of images; a table of names is smaller. */
const SMALLEST_PICKLE = 3072;

/** What a file is by its first bytes; its name does not count. */
async function kindOfFile(path: string): Promise<{ kind: string | undefined; isGzip: boolean }> {
  const file = openBytes(path);
  try {
    const head = await file.upTo(0, KIND_BYTES), kind = nameOfKind(head);
    if (kind === undefined && labelBytes(head, file.size!)) {
      return { kind: "a CIFAR batch", isGzip: false };
    }
    if (kind !== "a gzip file") return { kind, isGzip: false };
  } finally {
    file.close();
  }
  const inner = openGunzip(path);
  try {
    return { kind: nameOfKind(await inner.upTo(0, KIND_BYTES)), isGzip: true };
  } catch (error) {
    throw damaged(path, "gzip file", error);
  } finally {
    inner.close();
  }
}

/** How a file is read; undefined if it is a zip of images, or of a kind that is not read. */
async function containerOf(path: string, listers: Listers): Promise<Container | undefined> {
  const { kind, isGzip } = await kindOfFile(path);
  if (kind === undefined || (isGzip && !/^an? (tar|MNIST)/.test(kind))) return undefined;
  const list = kind === "a CIFAR batch" ? listCifarBinary : listers[kind];
  return list && { kind: kind.replace(/^an? /, ""), isGzip, list };
}

function damaged(path: string, kind: string, error: unknown): DataError {
  return new DataError(
    `data: ${path} is a damaged or truncated ${kind}: ${
      printable((error as Error).message)
    }; copy it again`,
    { cause: error },
  );
}

/** The images of a file. It is listed by `list`, so that a cached start need not read it. */
function openContainer(path: string, { kind, isGzip, list }: Container): Source {
  const { size, mtime } = Deno.statSync(path);
  const bytes = isGzip ? openGunzip(path) : openBytes(path);
  const digest = `${kind} of ${size} bytes, ${mtime?.getTime()}`;
  let listing: Listing | undefined;
  const now = () => {
    if (!listing) throw new Error(`${path} is not listed yet`);
    return listing;
  };
  // LMDB's file has one name, that of its folder tells more.
  const named = basename(path) === "data.mdb" ? dirname(resolve(path)) : path;
  return {
    name: printable(
      basename(named).replace(/\.(gz|tgz)$/i, "").replace(/\.(tar|parquet|npy|npz|bin)$/i, ""),
    ),
    kind: isGzip ? `gzip of ${kind}` : kind,
    digest,
    stamps: [digest],
    get names() {
      return now().names;
    },
    get labels() {
      return now().labels;
    },
    get notes() {
      return now().notes ?? [];
    },
    read: (i) => now().read(i),
    async list() {
      if (listing) return;
      try {
        listing = await list(bytes, path);
      } catch (error) {
        throw error instanceof DataError ? error : damaged(path, kind, error);
      }
    },
    close: async () => {
      await listing?.close?.();
      bytes.close();
    },
  };
}

// A folder of a data set holds few files beside its images.
const MOST_FILES = 10_000, DEEPEST = 3;

/** The files in a folder, with those in its folders, but for hidden ones. */
function filesIn(folder: string, depth = 0): string[] {
  const entries = [...Deno.readDirSync(folder)].filter(({ name }) => !name.startsWith("."));
  return entries.sort((a, b) => a.name < b.name ? -1 : 1).flatMap(({ name, isDirectory }) =>
    isDirectory
      ? depth < DEEPEST ? filesIn(join(folder, name), depth + 1) : []
      : [join(folder, name)]
  );
}

/**
 * The containers in a folder that holds no image itself: one, or several of the same kind, as shards
 * and batches are. Of several those for training are taken.
 */
async function openShards(folder: string, plain: Source): Promise<Source> {
  const files = filesIn(folder);
  const found: { path: string; container: Container }[] = [], listers = newListers();
  const all = new Set(files);
  for (const path of files.length > MOST_FILES ? [] : files) {
    if (path.endsWith(".gz") && all.has(path.slice(0, -3))) continue; // both, as torchvision leaves
    const info = await Deno.stat(path).catch(() => undefined);
    if (!info?.isFile || info.size === 0) continue;
    const container = await containerOf(path, listers).catch(() => undefined);
    const isTable = container?.kind === "Python pickle" && info.size < SMALLEST_PICKLE;
    const isLabels = /labels[-.]idx1/.test(basename(path));
    if (container && !isTable && !isLabels) found.push({ path, container });
  }
  const isHeld = (path: string) => /^(test|t10k|val(id|idation)?)([-_.\d]|$)/i.test(basename(path));
  const training = found.filter(({ path }) => !isHeld(path));
  const chosen = training.length > 0 ? training : found;
  const kinds = new Map<string, string[]>();
  for (const { path, container: { kind } } of chosen) {
    kinds.set(kind, [...kinds.get(kind) ?? [], basename(path)]);
  }
  for (const path of files) {
    if (/\.zip$/i.test(path)) kinds.set("zip", [...kinds.get("zip") ?? [], basename(path)]);
  }
  if (kinds.size === 0) return plain;
  if (kinds.size > 1 || kinds.has("zip")) {
    const named = [...kinds].map(([kind, paths]) => `${paths.length} ${kind} (${listed(paths)})`);
    throw new DataError(
      `data: ${folder} holds no image, but ${named.join(", ")}: give one of these`,
    );
  }
  const notes: string[] = [], held = found.filter((one) => !chosen.includes(one));
  if (held.length > 0) {
    const names = listed(held.map(({ path }) => basename(path)));
    notes.push(`Not used, as it is for testing: ${names}; name a file to use it`);
  }
  const name = printable(basename(resolve(folder)));
  const sources = chosen.map(({ path, container }) => openContainer(path, container));
  return joined(name, sources, notes);
}

/** What to say of a file that is no container. */
async function refusal(path: string): Promise<DataError | undefined> {
  const { kind, isGzip } = await kindOfFile(path);
  if (kind === "a zip") return undefined;
  if (kind === undefined && !isGzip) {
    // A zip may lack its beginning.
    return /\.zip$/i.test(path) ? undefined : new DataError(
      `data: ${path} is of a kind that is not read: give a folder or a zip of images, or a file of ` +
        "tar, Parquet, LMDB, NumPy, MNIST or CIFAR",
    );
  }
  const name = isGzip ? `a gzip file of ${kind ?? "something unknown"}` : kind!;
  const isImage = ["JPEG", "PNG", "WebP"].includes(name) || name.endsWith(" image");
  const article = /^an? /.test(name) ? "" : "a ";
  return new DataError(
    `data: ${path} is ${article}${name}${isImage && !name.endsWith(" image") ? " image" : ""}: ${
      isImage ? "give a folder or a zip of images" : ADVICE[name] ?? "unpack it and give the folder"
    }`,
  );
}

const CONVERT = "write its images as files, or as uint8 with numpy.save, and give that";

const ADVICE: Readonly<Record<string, string>> = {
  "an HDF5 file": CONVERT,
  "a MATLAB file": CONVERT,
  "a TFRecord file": CONVERT,
  "an Arrow file": "save it as Parquet (datasets: to_parquet) and give that",
  "an SQLite database": CONVERT,
  "a PyTorch file": CONVERT,
  "a PDF file": "expected a folder or a file of images",
  "a web page": "the download failed, get it again",
  "an LMDB database of data format 2":
    "write it with liblmdb or python-lmdb, or write its values as files",
};

/**
 * The images in a folder or a file of any kind that is read, not listed yet where it has a `list`.
 *
 * @param path Where they are.
 * @param signal Stops the listing.
 * @param cache Folder of packs: see {@linkcode DatasetOptions.cache}.
 * @returns The source.
 * @throws {DataError} If there is no such path, or it is something else.
 */
export async function openUnlisted(
  path: string,
  signal?: AbortSignal,
  cache?: string,
): Promise<Source> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new DataError(`data: ${path} does not exist; give a folder or a zip of images`);
  }
  if (info.isDirectory) {
    const folder = await openFolder(path, signal, cache && dirname(resolve(cache)));
    return folder.names.length > 0 ? folder : await openShards(path, folder);
  }
  if (!info.isFile) {
    throw new DataError(`data: ${path} is neither a folder nor a file; give a folder or a zip`);
  }
  const container = await containerOf(path, newListers());
  if (container) return openContainer(path, container);
  const refused = await refusal(path);
  if (refused) throw refused;
  return await openArchive(path);
}

/**
 * The images in a folder or a file of any kind that is read.
 *
 * @param path Where they are.
 * @param signal Stops the listing.
 * @param cache Folder of packs: see {@linkcode DatasetOptions.cache}.
 * @returns The source, listed.
 * @throws {DataError} If there is no such path, or it is something else, or damaged.
 */
export async function openPath(
  path: string,
  signal?: AbortSignal,
  cache?: string,
): Promise<Source> {
  const source = await openUnlisted(path, signal, cache);
  try {
    await source.list?.();
    return source;
  } catch (error) {
    await source.close();
    throw error;
  }
}
