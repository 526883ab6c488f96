/**
 * As much of Python's pickle format as PyTorch's files of tensors and CIFAR's batches need.
 *
 * A pickle is a program that may call anything in Python. Here nothing is ever called but what the caller
 * gives: any other name is refused, or stands for an object that is only a name.
 *
 * @see https://github.com/python/cpython/blob/main/Lib/pickletools.py
 * @module
 */

/** What a name in a pickle stands for: called with what the pickle gives it. */
export type Callable = (...args: unknown[]) => unknown;

/** An object that the caller does not know: its name, and nothing of what it holds. */
export class Unknown {
  /** @param name As in `argparse.Namespace`. */
  constructor(readonly name: string) {}
}

/** What names and references of a pickle mean. */
export interface Meanings {
  /** By `module name`, as in `collections OrderedDict`. */
  readonly names: ReadonlyMap<string, Callable>;
  /** Whether objects by another name become {@linkcode Unknown} ones; if left out all are refused. */
  readonly passes?: (name: string) => boolean;
  /** What an object stored outside of the pickle is, by its id. */
  readonly persistent: (id: unknown) => unknown;
  /** What an object becomes with the attributes that it is given; by default they are ignored. */
  readonly build?: (object: unknown, state: unknown) => unknown;
}

/** One pickle's value, and where the bytes go on behind it. */
export interface Unpickled {
  readonly value: unknown;
  readonly end: number;
}

const MARK = Symbol("mark");
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads one pickle. Dictionaries become maps, lists and tuples arrays, integers numbers or bigints,
 * bytes and the strings of Python 2 views of the file.
 *
 * @param bytes Holds it from `start` on.
 * @throws {TypeError} If it uses a name or an operation that is not allowed, or is malformed.
 */
export function unpickle(bytes: Uint8Array, start: number, meanings: Meanings): Unpickled {
  const reader = new Reader(bytes, start), machine = new Machine(reader, meanings);
  while (true) {
    const code = reader.u8(), op = String.fromCharCode(code);
    if (op === ".") return { value: machine.pop(), end: reader.at };
    if (machine.literal(code, op) || machine.collection(code, op) || machine.name(code, op)) {
      continue;
    }
    throw new TypeError(`it uses the operation 0x${code.toString(16)}, unknown here`);
  }
}

/** Takes numbers and texts from bytes, one after the other. */
class Reader {
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array, public at: number) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(n: number): number {
    if (this.at + n > this.bytes.length) throw new TypeError("it ends early");
    this.at += n;
    return this.at - n;
  }

  u8 = () => this.bytes[this.take(1)];
  u16 = () => this.#view.getUint16(this.take(2), true);
  u32 = () => this.#view.getUint32(this.take(4), true);
  u64 = () => Number(this.#view.getBigUint64(this.take(8), true));
  i32 = () => this.#view.getInt32(this.take(4), true);
  f64 = () => this.#view.getFloat64(this.take(8), false);

  some(n: number): Uint8Array {
    const from = this.take(n);
    return this.bytes.subarray(from, from + n);
  }

  text(n: number): string {
    return utf8.decode(this.some(n));
  }

  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) throw new TypeError("it ends early");
    const found = this.text(end - this.at);
    this.at++;
    return found;
  }
}

/** The stack and the memo of a pickle. Each kind of operation tells whether it knew the one given. */
class Machine {
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(readonly reader: Reader, readonly meanings: Meanings) {}

  pop(): unknown {
    if (this.#stack.length === 0) throw new TypeError("its stack is empty");
    return this.#stack.pop();
  }

  literal(code: number, op: string): boolean {
    const stack = this.#stack, r = this.reader;
    if (code === 0x80) r.take(1); // PROTO
    else if (code === 0x95) r.take(8); // FRAME
    else if (op === "N") stack.push(null);
    else if (code === 0x88) stack.push(true);
    else if (code === 0x89) stack.push(false);
    else if (op === "K") stack.push(r.u8());
    else if (op === "M") stack.push(r.u16());
    else if (op === "J") stack.push(r.i32());
    else if (code === 0x8a) stack.push(long(r.some(r.u8())));
    else if (op === "G") stack.push(r.f64());
    else if (op === "X") stack.push(r.text(r.u32()));
    else if (code === 0x8c) stack.push(r.text(r.u8())); // SHORT_BINUNICODE
    else if (op === "U" || op === "C") stack.push(r.some(r.u8())); // strings of Python 2, bytes
    else if (op === "T" || op === "B") stack.push(r.some(r.u32()));
    else if (code === 0x8e || code === 0x96) stack.push(r.some(r.u64())); // BINBYTES8, BYTEARRAY8
    else return false;
    return true;
  }

  collection(code: number, op: string): boolean {
    const stack = this.#stack;
    if (op === "(") stack.push(MARK);
    else if (op === "0") this.pop();
    else if (op === "}") stack.push(new Map());
    else if (op === "]" || op === ")") stack.push([]);
    else if (op === "t" || op === "l") stack.push(this.#popMark());
    else if (op === "d") {
      const items = this.#popMark();
      stack.push(new Map());
      this.#setItems(items);
    } else if (code >= 0x85 && code <= 0x87) { // TUPLE1 to TUPLE3
      const items = Array.from({ length: code - 0x84 }, () => this.pop()).reverse();
      stack.push(items);
    } else if (op === "a") this.#append([this.pop()]);
    else if (op === "e") this.#append(this.#popMark());
    else if (op === "s") this.#setItems([this.pop(), this.pop()].reverse());
    else if (op === "u") this.#setItems(this.#popMark());
    else return false;
    return true;
  }

  /** Names, calls, and what is recalled. */
  name(code: number, op: string): boolean {
    const stack = this.#stack,
      memo = this.#memo,
      r = this.reader,
      { build, persistent } = this.meanings;
    if (op === "q") memo.set(r.u8(), stack.at(-1));
    else if (op === "r") memo.set(r.u32(), stack.at(-1));
    else if (code === 0x94) memo.set(memo.size, stack.at(-1)); // MEMOIZE
    else if (op === "h") this.#recall(r.u8());
    else if (op === "j") this.#recall(r.u32());
    else if (op === "c") this.#push(r.line(), r.line());
    else if (code === 0x93) { // STACK_GLOBAL
      const [module, name] = [this.pop(), this.pop()].reverse();
      if (typeof module !== "string" || typeof name !== "string") {
        throw new TypeError("it names a function by what is no text");
      }
      this.#push(module, name);
    } else if (op === "R" || code === 0x81) { // REDUCE, NEWOBJ
      const args = this.pop(), call = this.pop();
      if (typeof call !== "function" || !Array.isArray(args)) {
        throw new TypeError("it calls what is no function");
      }
      stack.push(call(...args));
    } else if (op === "b") { // BUILD
      const state = this.pop();
      if (build) stack.push(build(this.pop(), state));
    } else if (op === "Q") stack.push(persistent(this.pop()));
    else return false;
    return true;
  }

  #push(module: string, name: string): void {
    const unknown = `${module}.${name}`, found = this.meanings.names.get(`${module} ${name}`);
    if (!found && !this.meanings.passes?.(unknown)) {
      throw new TypeError(`it calls ${unknown}, which no file of tensors needs`);
    }
    this.#stack.push(found ?? Object.assign(() => new Unknown(unknown), { unknown }));
  }

  #popMark(): unknown[] {
    const from = this.#stack.lastIndexOf(MARK);
    if (from < 0) throw new TypeError("it lacks a mark");
    return this.#stack.splice(from).slice(1);
  }

  #setItems(items: unknown[]): void {
    const map = this.#stack.at(-1);
    if (map instanceof Unknown) return;
    if (!(map instanceof Map)) throw new TypeError("it fills what is no dictionary");
    for (let i = 0; i + 1 < items.length; i += 2) map.set(items[i], items[i + 1]);
  }

  #append(items: unknown[]): void {
    const list = this.#stack.at(-1);
    if (list instanceof Unknown) return;
    if (!Array.isArray(list)) throw new TypeError("it appends to what is no list");
    for (const item of items) list.push(item);
  }

  #recall(key: number): void {
    if (!this.#memo.has(key)) throw new TypeError(`it recalls ${key}, which it has not stored`);
    this.#stack.push(this.#memo.get(key));
  }
}

/** An integer in two's complement, the lowest byte first. */
function long(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
  value = BigInt.asIntN(8 * bytes.length, value);
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}
