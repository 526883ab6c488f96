/**
 * Reads LMDB's data format 1, as liblmdb and python-lmdb write it; LSUN comes in it.
 *
 * @see https://github.com/LMDB/lmdb/blob/mdb.master/libraries/liblmdb/mdb.c, "Page"
 * @module
 */
import type { Bytes } from "./bytes.ts";
import { exactly } from "./bytes.ts";
import { Passed, printable } from "./listing.ts";
import type { Listing } from "./source.ts";

const META_SIZE = 152, PAGE_HEADER = 16, NODE_HEADER = 8;
const BRANCH = 1, LEAF = 2; // flags of pages
const ELSEWHERE = 1, DATABASE = 2; // flags of nodes
const SMALLEST = 16; // bytes of an image
const MOST_BYTES = 2 ** 30;

/** The tree of a database. */
interface Tree {
  /** Number of its first page; undefined if there is none. */
  root: number | undefined;
  pageSize: number;
  entries: number;
}

function number64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

/** The main tree, as the later of two transactions left it. */
async function treeOf(bytes: Bytes): Promise<Tree> {
  const first = new DataView((await exactly(bytes, 0, META_SIZE)).buffer);
  const pageSize = first.getUint32(40, true), version = first.getUint32(20, true);
  if (version !== 1) throw new Error(`its data format is ${version}, expected 1`);
  if (pageSize < 512 || pageSize > 2 ** 16 || (pageSize & (pageSize - 1)) !== 0) {
    throw new Error(`its pages have ${pageSize} bytes`);
  }
  const second = new DataView((await exactly(bytes, pageSize, META_SIZE)).buffer);
  const view = number64(second, 144) > number64(first, 144) ? second : first;
  const root = view.getBigUint64(128, true);
  return {
    root: root === 0xffffffffffffffffn ? undefined : Number(root),
    pageSize,
    entries: number64(view, 120),
  };
}

/** Where values are, in the order of their keys. */
interface Found {
  names: string[];
  starts: number[];
  sizes: number[];
  passed: Passed;
}

/** Takes note of the values of a leaf. */
function visitLeaf(page: DataView, nodes: number[], number: number, size: number, found: Found) {
  const bytes = new Uint8Array(page.buffer);
  for (const at of nodes) {
    const length = page.getUint16(at, true) + page.getUint16(at + 2, true) * 2 ** 16;
    const flags = page.getUint16(at + 4, true), keySize = page.getUint16(at + 6, true);
    const value = at + NODE_HEADER + keySize, isElsewhere = (flags & ELSEWHERE) !== 0;
    if (value + (isElsewhere ? 8 : length) > size) {
      throw new Error(`page ${number} (byte ${number * size}) is damaged`);
    }
    if (flags & DATABASE) found.passed.add("databases within");
    else if (flags & ~ELSEWHERE) found.passed.add("keys of several values");
    else if (length < SMALLEST) found.passed.add(`values of less than ${SMALLEST} bytes`);
    else {
      const key = new TextDecoder().decode(bytes.subarray(at + NODE_HEADER, value));
      found.names.push(printable(key));
      found.starts.push(
        isElsewhere ? number64(page, value) * size + PAGE_HEADER : number * size + value,
      );
      found.sizes.push(length);
    }
  }
}

/** Walks a tree from left to right. */
async function walk(bytes: Bytes, { root, pageSize, entries }: Tree): Promise<Found> {
  const found: Found = { names: [], starts: [], sizes: [], passed: new Passed() };
  const pages = root === undefined ? [] : [root];
  let left = Math.floor(bytes.size! / pageSize); // no page is there twice
  while (pages.length > 0) {
    const number = pages.pop()!, place = `page ${number} (byte ${number * pageSize})`;
    if ((number + 1) * pageSize > bytes.size!) {
      throw new Error(`it ends at byte ${bytes.size}, before its ${place}`);
    }
    if (left-- === 0) throw new Error(`${place} leads back to where it came from`);
    const page = new DataView((await exactly(bytes, number * pageSize, pageSize)).buffer);
    const flags = page.getUint16(10, true), end = page.getUint16(12, true);
    const nodes = Array.from(
      { length: end <= pageSize ? (end - PAGE_HEADER) >> 1 : -1 },
      (_, i) => page.getUint16(PAGE_HEADER + 2 * i, true),
    );
    const isDamaged = number64(page, 0) !== number || end < PAGE_HEADER || end > pageSize ||
      nodes.some((at) => at < end || at + NODE_HEADER > pageSize);
    if (isDamaged || !(flags & (BRANCH | LEAF))) throw new Error(`${place} is damaged`);
    if (flags & LEAF) visitLeaf(page, nodes, number, pageSize, found);
    else {
      const below = nodes.map((at) =>
        page.getUint16(at, true) + page.getUint16(at + 2, true) * 2 ** 16 +
        page.getUint16(at + 4, true) * 2 ** 32
      );
      pages.push(...below.reverse());
    }
  }
  const count = found.names.length + found.passed.count;
  if (count !== entries) throw new Error(`it has ${count} values, expected ${entries}`);
  return found;
}

/**
 * Lists the values of an LMDB database in the order of their keys.
 *
 * @param bytes Its file, `data.mdb`.
 * @returns The images.
 * @throws {Error} If it is damaged, cut short, or of another format.
 */
export async function listLmdb(bytes: Bytes): Promise<Listing> {
  const { names, starts, sizes, passed } = await walk(bytes, await treeOf(bytes));
  const last = starts.findIndex((start, i) => start + sizes[i] > bytes.size!);
  if (last >= 0) {
    throw new Error(
      `it ends at byte ${bytes.size}, before the value of ${names[last]} at byte ${starts[last]}`,
    );
  }
  return {
    names,
    notes: passed.notes("value", "values"),
    read: (i) => {
      if (sizes[i] > MOST_BYTES) throw new Error(`it has ${sizes[i]} bytes`);
      return exactly(bytes, starts[i], sizes[i]);
    },
  };
}
