/**
 * As much of Python's pickle format as PyTorch's files of tensors and CIFAR's batches need.
 *
 * A pickle is a program that may call anything in Python. Here a name that the caller does not give
 * is refused before anything is done.
 *
 * @see https://github.com/python/cpython/blob/main/Lib/pickletools.py
 * @module
 */

/** What a name in a pickle stands for: called with what the pickle gives it. */
export type Callable = (...args: unknown[]) => unknown;

/** What names and references of a pickle mean. */
export interface Meanings {
  /** By `module name`, as in `collections OrderedDict`. */
  readonly names: ReadonlyMap<string, Callable>;
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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: unknown[] = [], memo = new Map<number, unknown>();
  let at = start;
  const take = (n: number) => {
    if (at + n > bytes.length) throw new TypeError("it ends early");
    at += n;
    return at - n;
  };
  const u8 = () => bytes[take(1)], u16 = () => view.getUint16(take(2), true);
  const u32 = () => view.getUint32(take(4), true);
  const u64 = () => Number(view.getBigUint64(take(8), true));
  const some = (n: number) => {
    const from = take(n);
    return bytes.subarray(from, from + n);
  };
  const text = (n: number) => utf8.decode(some(n));
  const line = () => {
    const end = bytes.indexOf(10, at);
    if (end < 0) throw new TypeError("it ends early");
    const found = text(end - at);
    at++;
    return found;
  };
  const pop = () => {
    if (stack.length === 0) throw new TypeError("its stack is empty");
    return stack.pop();
  };
  const popMark = () => {
    const from = stack.lastIndexOf(MARK);
    if (from < 0) throw new TypeError("it lacks a mark");
    return stack.splice(from).slice(1);
  };
  const name = (module: string, name: string) => {
    const found = meanings.names.get(`${module} ${name}`);
    if (!found) throw new TypeError(`it calls ${module}.${name}, which no file of tensors needs`);
    stack.push(found);
  };
  const setItems = (items: unknown[]) => {
    const map = stack.at(-1);
    if (!(map instanceof Map)) throw new TypeError("it fills what is no dictionary");
    for (let i = 0; i + 1 < items.length; i += 2) map.set(items[i], items[i + 1]);
  };
  const append = (items: unknown[]) => {
    const list = stack.at(-1);
    if (!Array.isArray(list)) throw new TypeError("it appends to what is no list");
    for (const item of items) list.push(item);
  };
  const recall = (key: number) => {
    if (!memo.has(key)) throw new TypeError(`it recalls ${key}, which it has not stored`);
    stack.push(memo.get(key));
  };
  while (true) {
    const code = u8(), op = String.fromCharCode(code);
    if (op === ".") return { value: pop(), end: at };
    else if (code === 0x80) take(1); // PROTO
    else if (code === 0x95) take(8); // FRAME
    else if (op === "(") stack.push(MARK);
    else if (op === "0") pop();
    else if (op === "N") stack.push(null);
    else if (code === 0x88) stack.push(true);
    else if (code === 0x89) stack.push(false);
    else if (op === "K") stack.push(u8());
    else if (op === "M") stack.push(u16());
    else if (op === "J") stack.push(view.getInt32(take(4), true));
    else if (code === 0x8a) stack.push(long(bytes, take, u8()));
    else if (op === "G") stack.push(view.getFloat64(take(8), false));
    else if (op === "X") stack.push(text(u32()));
    else if (code === 0x8c) stack.push(text(u8())); // SHORT_BINUNICODE
    else if (op === "U" || op === "C") stack.push(some(u8())); // strings of Python 2, bytes
    else if (op === "T" || op === "B") stack.push(some(u32()));
    else if (code === 0x8e || code === 0x96) stack.push(some(u64())); // BINBYTES8, BYTEARRAY8
    else if (op === "}") stack.push(new Map());
    else if (op === "]" || op === ")") stack.push([]);
    else if (op === "t" || op === "l") stack.push(popMark());
    else if (op === "d") {
      const items = popMark();
      stack.push(new Map());
      setItems(items);
    } else if (code >= 0x85 && code <= 0x87) { // TUPLE1 to TUPLE3
      const items = Array.from({ length: code - 0x84 }, pop).reverse();
      stack.push(items);
    } else if (op === "a") append([pop()]);
    else if (op === "e") append(popMark());
    else if (op === "s") setItems([pop(), pop()].reverse());
    else if (op === "u") setItems(popMark());
    else if (op === "q") memo.set(u8(), stack.at(-1));
    else if (op === "r") memo.set(u32(), stack.at(-1));
    else if (code === 0x94) memo.set(memo.size, stack.at(-1)); // MEMOIZE
    else if (op === "h") recall(u8());
    else if (op === "j") recall(u32());
    else if (op === "c") name(line(), line());
    else if (code === 0x93) { // STACK_GLOBAL
      const [module, named] = [pop(), pop()].reverse();
      name(String(module), String(named));
    } else if (op === "R") {
      const args = pop(), call = pop();
      if (typeof call !== "function" || !Array.isArray(args)) {
        throw new TypeError("it calls what is no function");
      }
      stack.push(call(...args));
    } else if (op === "b") { // BUILD
      const state = pop();
      if (meanings.build) stack.push(meanings.build(pop(), state));
    } else if (op === "Q") stack.push(meanings.persistent(pop()));
    else throw new TypeError(`it uses the operation 0x${code.toString(16)}, unknown here`);
  }
}

/** An integer of `n` bytes in two's complement. */
function long(bytes: Uint8Array, take: (n: number) => number, n: number): number | bigint {
  const from = take(n);
  let value = 0n;
  for (let i = n - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[from + i]);
  value = BigInt.asIntN(8 * n, value);
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}
