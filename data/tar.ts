import type { Bytes } from "./bytes.ts";
import { exactly } from "./bytes.ts";
import { folderLabels, labelsOf } from "./labels.ts";
import { Members } from "./members.ts";
import type { Listing } from "./source.ts";

const BLOCK = 512;
const MOST_NAME = 2 ** 16, MOST_CLASS = 256, MOST_BYTES = 2 ** 30, MOST_ENTRIES = 2 ** 26;
const text = new TextDecoder();

/** What a header says of the member that follows it. */
interface Header {
  name: string;
  size: number;
  /** `0` for a file. */
  type: string;
}

function field(block: Uint8Array, from: number, length: number): string {
  const part = block.subarray(from, from + length), end = part.indexOf(0);
  return text.decode(end < 0 ? part : part.subarray(0, end));
}

/** Octal digits, or, marked by the first bit, an integer of many bytes. */
function number(block: Uint8Array, from: number, length: number): number {
  if ((block[from] & 0x80) === 0) return parseInt(field(block, from, length).trim() || "0", 8);
  return block.subarray(from + 1, from + length).reduce((n, byte) => n * 256 + byte, 0);
}

/** Reads a header; undefined if its checksum does not match. */
function headerOf(block: Uint8Array): Header | undefined {
  let sum = 8 * 0x20; // the checksum's own field counts as spaces
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += block[i];
  if (number(block, 148, 8) !== sum) return undefined;
  const size = number(block, 124, 12), name = field(block, 0, 100);
  const isPosix = field(block, 257, 6) === "ustar", prefix = isPosix && field(block, 345, 155);
  const type = block[156] === 0 ? "0" : String.fromCharCode(block[156]);
  return { name: prefix ? `${prefix}/${name}` : name, size, type };
}

/** What a pax header says of the next member: lines such as `18 path=images/1.png`. */
function paxRecords(content: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at),
      size = Number(text.decode(content.subarray(at, space)));
    if (space < 0 || !(size > space - at)) break;
    const [key, ...value] = text.decode(content.subarray(space + 1, at + size - 1)).split("=");
    records.set(key, value.join("="));
    at += size;
  }
  return records;
}

/** A file in an archive. */
interface Member {
  name: string;
  start: number;
  size: number;
}

const KINDS: Readonly<Record<string, string>> = { "1": "link", "2": "link", "S": "sparse file" };

/** Walks an archive from header to header; one archive may follow another. */
async function* walk(bytes: Bytes, members: Members): AsyncGenerator<Member> {
  let records = new Map<string, string>(), longName: string | undefined;
  for (let at = 0;;) {
    const block = await bytes.upTo(at, BLOCK);
    if (block.length === 0) return;
    if (block.length < BLOCK) throw new Error(`it ends within the header at byte ${at}`);
    if (block.every((byte) => byte === 0)) {
      at += BLOCK;
      continue;
    }
    const header = headerOf(block), start = at + BLOCK;
    if (!header) throw new Error(`the header at byte ${at} is damaged`);
    const size = Number(records.get("size") ?? header.size), { type } = header;
    if (!(size >= 0 && Number.isSafeInteger(size))) {
      const declared = Number.isFinite(size) ? `${size} bytes` : "a size that is no number";
      throw new Error(`the header at byte ${at} declares ${declared}`);
    }
    const end = start + size;
    if (bytes.size !== undefined && end > bytes.size) {
      throw new Error(`it ends at byte ${bytes.size}, within a member of ${size} bytes`);
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK;
    if (type === "x" || type === "L") {
      if (size > MOST_NAME) throw new Error(`the header at byte ${start - BLOCK} is too large`);
      const content = await exactly(bytes, start, size);
      if (type === "x") records = paxRecords(content);
      else longName = field(content, 0, size);
      continue;
    }
    const name = records.get("path") ?? longName ?? header.name;
    if (type === "0" || type === "7") yield { name, start, size };
    else if (KINDS[type]) members.pass(KINDS[type]);
    if (type !== "g" && type !== "K") {
      records = new Map();
      longName = undefined;
    }
  }
}

/** WebDataset's key: files of one name up to the first dot of its last part belong together. */
function keyOf(name: string): string {
  return /^((?:.*\/|)[^.]+)\.[^/]*$/.exec(name)?.[1] ?? name;
}

/**
 * Lists a tar, in the order of its members. Classes are in members `.cls`, as in WebDataset, or are
 * folders.
 *
 * @param bytes The archive.
 * @returns The images.
 * @throws {Error} If it is damaged or cut short.
 */
export async function listTar(bytes: Bytes): Promise<Listing> {
  const found: Member[] = [], classes = new Map<string, string>(), members = new Members();
  for await (const member of walk(bytes, members)) {
    if (/\.cls$/.test(member.name) && member.size <= MOST_CLASS) {
      const content = await exactly(bytes, member.start, member.size);
      classes.set(keyOf(member.name), text.decode(content).trim());
      continue;
    }
    const name = members.take(member.name);
    if (name !== undefined) found.push({ ...member, name });
    if (found.length > MOST_ENTRIES) throw new Error(`it has more than ${MOST_ENTRIES} images`);
  }
  const names = found.map(({ name }) => name);
  const labels = classes.size > 0
    ? labelsOf(names.map((name) => classes.get(keyOf(name))))
    : folderLabels(names);
  return {
    names,
    labels,
    notes: members.notes(),
    read: (i) => {
      const { start, size } = found[i];
      if (size > MOST_BYTES) throw new Error(`it has ${size} bytes, more than an image is given`);
      return exactly(bytes, start, size);
    },
  };
}
