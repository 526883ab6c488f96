import { join } from "@std/path";

/** Bytes of all files in a folder, at any depth; links are not followed. */
export async function sizeOfFolder(folder: string): Promise<number> {
  let bytes = 0;
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) bytes += await sizeOfFolder(path);
    else if (isFile) bytes += (await Deno.stat(path)).size;
  }
  return bytes;
}

/** E.g. `3.4 MB`, in powers of 1000 as disks are sold. */
export function readable(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value >= 100 || power === 0 ? value.toFixed(0) : value.toPrecision(2)} ${units[power]}`;
}

/** Rows of cells as lines; columns are as wide as their widest cell. `right` names those set right. */
export function aligned(
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number>,
): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    row.map((cell, i) => right.has(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))
      .join("  ").trimEnd()
  );
}

/**
 * Asks before something is removed.
 *
 * @returns Whether it may be: by `--yes`, or by an answer in a terminal.
 */
export function mayRemove(what: string, yes: boolean): boolean {
  return yes || Deno.stdin.isTerminal() && confirm(`Remove ${what}?`);
}
