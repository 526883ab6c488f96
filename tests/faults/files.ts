/** File operations of `Deno` that fail where they are told to. */
import type { Injector } from "./injector.ts";

const FUNCTIONS = [
  ...[
    "open",
    "create",
    "readFile",
    "readTextFile",
    "writeFile",
    "writeTextFile",
    "rename",
    "remove",
  ],
  ...["mkdir", "stat", "lstat", "copyFile", "makeTempFile", "makeTempDir", "truncate", "realPath"],
  ...["openSync", "readFileSync", "readTextFileSync", "writeFileSync", "removeSync", "statSync"],
  ...["readDir", "readDirSync", "mkdirSync", "renameSync", "realPathSync"],
];
const METHODS = ["read", "readSync", "write", "writeSync", "sync", "syncSync", "stat", "truncate"];

type Functions = Record<string, (this: unknown, ...given: unknown[]) => unknown>;

/** An error of the system as Deno throws it: with the path, but for what is done to an open file. */
function systemError(code: string, name: string, path: string): Error {
  const place = path && `: ${name.replace("Sync", "").toLowerCase()} '${path}'`;
  return Object.assign(new Error(`${MESSAGES[code]}${place}`), { code });
}

const MESSAGES: Readonly<Record<string, string>> = {
  EIO: "Input/output error (os error 5)",
  ENOENT: "No such file or directory (os error 2)",
  EMFILE: "Too many open files (os error 24)",
  ENOMEM: "Cannot allocate memory (os error 12)",
  ENOSPC: "No space left on device (os error 28)",
  EROFS: "Read-only file system (os error 30)",
};

const halfOf = (bytes: Uint8Array) => bytes.subarray(0, bytes.length >> 1);

/** Lets file operations whose path `isOurs` fail as the injector says, for the time of `body`, by an error of that code. */
export async function withFaultyFiles<T>(
  injector: Injector,
  isOurs: (path: string) => boolean,
  body: () => Promise<T>,
  code = "EIO",
): Promise<T> {
  const file = Deno.FsFile.prototype as unknown as Functions, { writeSync } = file;
  const undo: (() => void)[] = [], of = Deno as unknown as Functions;
  const replace = (object: Functions, name: string, ours: typeof isOurs | null) => {
    const own = object[name], isSync = /Sync$|^readDir$/.test(name);
    object[name] = function (this: unknown, ...given: unknown[]) {
      const path = ours ? String((given[0] as { dir?: string })?.dir ?? given[0]) : "";
      const half = name === "write" ? halfOf(given[0] as Uint8Array) : undefined;
      if (ours && !ours(path)) return own.apply(this, given);
      if (injector.fails("file", `${name} ${path}`, () => half && writeSync.call(this, half))) {
        const error = systemError(code, name, path);
        if (isSync) throw error;
        return Promise.reject(error);
      }
      return own.apply(this, given);
    };
    undo.push(() => object[name] = own);
  };
  for (const name of FUNCTIONS) replace(of, name, isOurs);
  for (const name of METHODS) replace(file, name, null);
  try {
    return await body();
  } finally {
    for (const back of undo) back();
  }
}
