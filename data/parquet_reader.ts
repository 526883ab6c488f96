import { basename } from "@std/path";
import type { Bytes } from "./bytes.ts";
import { openParquet, type RowGroup } from "./parquet.ts";
import type { Contents, Request } from "./parquet_worker.ts";
import type { Listing } from "./source.ts";
import { WatchedWorker } from "./watched_worker.ts";

const KEPT = 2; // row groups: readers ask for rows in order, some ahead

/** Lists Parquet files, and reads them in a worker, which they share. */
export class ParquetReader {
  #worker = new WatchedWorker<Request, Contents | RowGroup>(
    new URL("./parquet_worker.ts", import.meta.url),
  );

  /**
   * Lists a file.
   *
   * @param bytes The file.
   * @param path Where it is.
   * @returns The images, in the order of the rows.
   * @throws {Error} If it is cut short or damaged, or has no column of images.
   */
  async list(bytes: Bytes, path: string): Promise<Listing> {
    if (!await this.#worker.isAvailable()) return await listHere(bytes, path);
    const name = basename(path), worker = this.#worker, close = () => worker.close();
    const ask = (request: Request, about: string) =>
      worker.ask(request, about) as Promise<Contents & RowGroup>;
    try {
      const { starts, count, labels } = await ask({ path }, name);
      const group = (n: number) => ask({ path, group: n }, `${name}: row group ${n}`);
      return { ...listingOf(starts, count, group), labels, close };
    } catch (error) {
      close();
      throw error;
    }
  }
}

/** As `list`, on this thread. */
async function listHere(bytes: Bytes, path: string): Promise<Listing> {
  const { starts, count, labels, group } = await openParquet(bytes, path, () => {});
  return { ...listingOf(starts, count, group), labels: await labels() };
}

function listingOf(
  starts: readonly number[],
  count: number,
  read: (number: number) => Promise<RowGroup>,
): Listing {
  const kept = new Map<number, Promise<RowGroup>>();
  const group = (number: number): Promise<RowGroup> => {
    let rows = kept.get(number);
    if (rows) return rows;
    rows = read(number);
    rows.catch(() => {}); // each of its images tells
    kept.set(number, rows);
    for (const old of kept.keys()) if (kept.size > KEPT) kept.delete(old);
    return rows;
  };
  return {
    names: Array.from({ length: count }, (_, i) => `row ${i}`),
    read: async (i) => {
      let number = 0, end = starts.length;
      while (end - number > 1) {
        const middle = (number + end) >> 1;
        if (starts[middle] <= i) number = middle;
        else end = middle;
      }
      const { bytes, ends, missing } = await group(number), at = i - starts[number];
      const reason = missing.get(at);
      if (reason !== undefined) throw new Error(reason);
      if (!(at < ends.length)) throw new Error("its row group ends before it");
      return bytes.slice(at === 0 ? 0 : ends[at - 1], ends[at]);
    },
  };
}
