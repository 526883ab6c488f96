import { dirname, join, resolve } from "@std/path";
import { placesOfWeights } from "../eval/files/weights.ts";
import { MANIFESTS } from "../gpu/engines/vectors.ts";
import { cacheHome, keepOnly, ownPlaces } from "./permissions.ts";

/**
 * Gives up reading but for these places and those of the program itself: for training, which knows where its
 * images lie.
 *
 * @param paths Folders, and files, beside which others may be read: labels, names of classes.
 */
export async function limitReading(paths: readonly string[]): Promise<void> {
  const places = await Promise.all(paths.map(async (path) => {
    const info = await Deno.stat(path).catch(() => undefined);
    return info?.isFile ? dirname(resolve(path)) : path;
  }));
  await keepOnly("read", [...places, ...ownPlaces(), ...programPlaces()]);
}

/** Where the program and its packages lie, drivers are listed, and Inception's weights are looked for. */
function programPlaces(): string[] {
  return [
    join(import.meta.dirname!, ".."),
    Deno.env.get("DENO_DIR") || join(cacheHome(), "deno"),
    join(Deno.env.get("HOME") ?? "", "Library/Caches/deno"), // of macOS
    ...MANIFESTS,
    ...placesOfWeights().map((path) => dirname(path)),
  ];
}
