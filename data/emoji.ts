import { fetchPackage, type RunClient } from "./npm_package.ts";

/** The package that holds the built-in images: Twitter's emoji, 64 x 64, CC BY 4.0. */
export const EMOJI = "emoji-datasource-twitter@16.0.0";

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
