import { createHash } from "node:crypto";
import { join } from "@std/path";
import { DataError } from "./errors.ts";
import { fetchPackage, type RunClient } from "./npm_package.ts";

/** The package that holds the built-in images: Twitter's emoji, 64 x 64, CC BY 4.0. */
export const EMOJI = "emoji-datasource-twitter@16.0.0";

/** Of the package's emoji.json, then the names and contents of the images, in order of names. */
const SHA256 = "61979c716250a1fe7ac7e06ddaa2b66776a2c673c1de551dd1e6bb17ce6b30bb";

/**
 * Makes sure that the built-in images are those that they are meant to be.
 *
 * @param folder Of the images, within the package.
 * @param expected Their SHA-256.
 * @throws {DataError} If they are others, or damaged.
 */
export function checkEmoji(folder: string, expected = SHA256): void {
  const sha = createHash("sha256").update(Deno.readFileSync(join(folder, "../../../emoji.json")));
  for (const name of [...Deno.readDirSync(folder)].map(({ name }) => name).sort()) {
    sha.update(name).update(Deno.readFileSync(join(folder, name)));
  }
  const found = sha.digest("hex");
  if (found === expected) return;
  throw new DataError(
    `data: the built-in emoji in ${folder} are not those of ${EMOJI}, or are damaged: got SHA-256 ` +
      `${found}, expected ${expected}: remove that folder, and they are fetched again`,
  );
}

/**
 * Fetches the built-in images.
 *
 * @param cache Folder into which npm may unpack.
 * @param signal Stops it.
 * @param run Runs the package clients.
 * @returns The folder of images.
 * @throws {DataError} If they cannot be fetched.
 */
export function fetchEmoji(
  cache: string,
  signal?: AbortSignal,
  run?: RunClient,
): Promise<string> {
  const folder = { of: EMOJI, path: ["img", "twitter", "64"] };
  const missing = (why: string) =>
    `data: the built-in emoji (npm package ${EMOJI}) ${why}; go online once, or give a folder or ` +
    "zip of images";
  return fetchPackage(folder, cache, missing, signal, run);
}
