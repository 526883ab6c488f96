/**
 * Fetches a file of weights and checks it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { basename, dirname } from "@std/path";
import { naming } from "../io/write_atomically.ts";
import { EvalError } from "../eval/errors.ts";

/** What to fetch. */
export interface FetchOptions {
  /** The address. */
  readonly from: string;
  /** In hexadecimal. */
  readonly sha256: string;
  /** Told the megabytes that are there, and how many there will be. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Fetches a file, unless it is there; what is cut short or wrong is not kept.
 *
 * @returns Whether it was fetched.
 * @throws {EvalError} If it cannot be fetched, or is another file.
 */
export async function fetchWeights(path: string, options: FetchOptions): Promise<boolean> {
  const { from, sha256 } = options, there = await Deno.readFile(path).catch(() => undefined);
  if (there) {
    const found = createHash("sha256").update(there).digest("hex");
    if (found === sha256) return false;
    throw new EvalError(
      `weights: ${path} is there, but its SHA-256 is ${found}, expected ${sha256}: remove it, then ` +
        "try again",
    );
  }
  const byHand = `or fetch it elsewhere and put it at ${path} (SHA-256 ${sha256})`;
  const parts = `${path}.part`;
  await naming(path, () => Deno.mkdir(dirname(path), { recursive: true }));
  try {
    const found = await download(parts, options, byHand);
    if (found !== sha256) {
      throw new EvalError(
        `weights: what ${from} gave has the SHA-256 ${found}, expected ${sha256}: it is another ` +
          `file, or damaged; try again, ${byHand}`,
      );
    }
    await naming(path, () => Deno.rename(parts, path));
    return true;
  } finally {
    await Deno.remove(parts).catch(() => {});
  }
}

/** Writes what comes, and returns its SHA-256. */
async function download(
  path: string,
  { from, onProgress }: FetchOptions,
  byHand: string,
): Promise<string> {
  let response: Response;
  try {
    response = await fetch(from);
  } catch (error) {
    throw new EvalError(
      `weights: cannot reach ${from} (${
        (error as Error).message
      }): connect to the network, ${byHand}`,
      { cause: error },
    );
  }
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new EvalError(
      `weights: ${from} answers ${response.status} ${response.statusText}: try later, ${byHand}`,
    );
  }
  const total = Number(response.headers.get("content-length") ?? NaN), hash = createHash("sha256");
  using file = await naming(path, () => Deno.create(path));
  let done = 0;
  try {
    for await (const chunk of response.body) {
      hash.update(chunk);
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
      done += chunk.length;
      onProgress?.(Math.round(done / 1e6), Math.round((total || done) / 1e6));
    }
  } catch (error) {
    throw new EvalError(
      `weights: ${basename(path)} broke off after ${done} of ${total || "?"} bytes ` +
        `(${(error as Error).message}): try again, ${byHand}`,
      { cause: error },
    );
  }
  return hash.digest("hex");
}
