/**
 * Reads the declarations of a WGSL text: bindings, the fields of structs, and what each function uses.
 *
 * @module
 */

/** A `@group(0) @binding(index) var<space> name: type`. */
export interface Declared {
  readonly name: string;
  readonly index: number;
  /** Between `<` and `>`, e.g. `storage, read`; empty for textures. */
  readonly space: string;
  /** With aliases resolved and without blanks, e.g. `array<vec4f>`. */
  readonly type: string;
}

/** What a shader declares. */
export interface Shader {
  readonly bindings: readonly Declared[];
  /** Fields of the struct of that name, in order; none if there is no such struct. */
  readonly fields: (struct: string) => readonly { readonly name: string; readonly type: string }[];
  /** The names of bindings that an entry point and the functions that it calls use; undefined if there is none. */
  readonly usedBy: (entryPoint: string) => ReadonlySet<string> | undefined;
}

interface Function {
  readonly isEntry: boolean;
  /** Names of module scope that it mentions. */
  readonly uses: ReadonlySet<string>;
}

const TOKEN = /\/\/[^\n]*|\/\*|[A-Za-z_]\w*|\d[\w.]*|\.\d\w*|->|\s+|[^]/g;

/** The tokens of a text, without comments (which may nest) and white space. */
function tokens(code: string): string[] {
  const found: string[] = [], pattern = new RegExp(TOKEN);
  for (let match = pattern.exec(code); match; match = pattern.exec(code)) {
    const [token] = match;
    if (token === "/*") pattern.lastIndex = endOfComment(code, match.index);
    else if (!token.startsWith("//") && token.trim()) found.push(token);
  }
  return found;
}

function endOfComment(code: string, start: number): number {
  const pattern = /\/\*|\*\//g;
  pattern.lastIndex = start;
  let depth = 0;
  for (let match = pattern.exec(code); match; match = pattern.exec(code)) {
    depth += match[0] === "/*" ? 1 : -1;
    if (depth === 0) return pattern.lastIndex;
  }
  return code.length;
}

const CLOSING: Record<string, string> = { "(": ")", "{": "}", "<": ">", "[": "]" };

/** The place behind the bracket that closes the one at `at`. */
function behind(all: readonly string[], at: number): number {
  const open = all[at], close = CLOSING[open];
  let depth = 0;
  for (let i = at; i < all.length; i++) {
    if (all[i] === open) depth++;
    else if (all[i] === close && --depth === 0) return i + 1;
  }
  return all.length;
}

/** Reads a text that a compiler accepts; of any other it finds what it can. */
export function readShader(code: string): Shader {
  const all = tokens(code);
  const bindings: Declared[] = [], structs = new Map<string, [string, string][]>();
  const functions = new Map<string, Function>(), aliases = new Map<string, string>();
  let attributes: string[][] = [];
  for (let at = 0; at < all.length;) {
    const word = all[at];
    if (word === "@") {
      const end = all[at + 2] === "(" ? behind(all, at + 2) : at + 2;
      attributes.push(all.slice(at + 1, end));
      at = end;
      continue;
    }
    if (word === "struct") {
      const end = behind(all, at + 2);
      structs.set(all[at + 1], fieldsOf(all.slice(at + 3, end - 1)));
      at = end;
    } else if (word === "fn") {
      const body = behind(all, at + 2), open = all.indexOf("{", body), end = behind(all, open);
      const isEntry = attributes.some(([name]) => name === "compute");
      const names = fieldsOf(all.slice(at + 3, body - 1)).map(([name]) => name);
      functions.set(all[at + 1], { isEntry, uses: mentioned(all.slice(open, end), names) });
      at = end;
    } else {
      const end = all.indexOf(";", at) + 1 || all.length;
      if (word === "alias") aliases.set(all[at + 1], all.slice(at + 3, end - 1).join(""));
      const index = attributes.find(([name]) => name === "binding")?.[2];
      if (word === "var" && index) {
        bindings.push(declared(all.slice(at + 1, end - 1), Number(index)));
      }
      at = end;
    }
    attributes = [];
  }
  const resolved = (type: string): string =>
    type.replace(
      /[A-Za-z_]\w*/g,
      (name) => aliases.has(name) ? resolved(aliases.get(name)!) : name,
    );
  return {
    bindings: bindings.map((binding) => ({ ...binding, type: resolved(binding.type) })),
    fields: (struct) =>
      (structs.get(struct) ?? []).map(([name, type]) => ({ name, type: resolved(type) })),
    usedBy: (entryPoint) => usedBy(functions, bindings, entryPoint),
  };
}

/** `name: type` pairs, separated by commas, with attributes left out. */
function fieldsOf(list: readonly string[]): [string, string][] {
  const fields: [string, string][] = [];
  for (let at = 0; at < list.length;) {
    if (list[at] === "@") {
      at = list[at + 2] === "(" ? behind(list, at + 2) : at + 2;
      continue;
    }
    let end = at;
    while (end < list.length && list[end] !== ",") {
      end = list[end] === "<" ? behind(list, end) : end + 1;
    }
    fields.push([list[at], list.slice(at + 2, end).join("")]);
    at = end + 1;
  }
  return fields;
}

function declared(list: readonly string[], index: number): Declared {
  const from = list[0] === "<" ? behind(list, 0) : 0;
  const space = list.slice(1, Math.max(1, from - 1)).join("").replace(",", ", ");
  return { name: list[from], index, space, type: list.slice(from + 2).join("") };
}

/** The names that a function's body mentions, without members and without what it declares itself. */
function mentioned(body: readonly string[], parameters: readonly string[]): Set<string> {
  const found = new Set<string>(), scopes: Set<string>[] = [new Set(parameters)];
  // A declaration hides a name from its `;` on; that of a `for` until the end of its body.
  let place = -1, loops: number[] = [], depth = 0;
  for (const [at, token] of body.entries()) {
    if (token === "for") {
      scopes.push(new Set());
      loops.push(depth);
    } else if (token === "{") {
      depth++;
      scopes.push(new Set());
    } else if (token === "}") {
      depth--;
      scopes.pop();
      if (loops.at(-1) === depth) {
        loops = loops.slice(0, -1);
        scopes.pop();
      }
    } else if (token === ";" && place >= 0) {
      scopes.at(-1)!.add(body[place]);
      place = -1;
    } else if (["let", "var", "const"].includes(token)) {
      place = body[at + 1] === "<" ? behind(body, at + 1) : at + 1;
    } else if (/^[A-Za-z_]/.test(token) && body[at - 1] !== "." && at !== place) {
      if (!scopes.some((names) => names.has(token))) found.add(token);
    }
  }
  return found;
}

function usedBy(
  functions: ReadonlyMap<string, Function>,
  bindings: readonly Declared[],
  entryPoint: string,
): Set<string> | undefined {
  if (!functions.get(entryPoint)?.isEntry) return undefined;
  const reached = new Set([entryPoint]), names = new Set(bindings.map(({ name }) => name));
  const used = new Set<string>();
  for (const name of reached) { // which the loop extends
    for (const mention of functions.get(name)!.uses) {
      if (functions.has(mention)) reached.add(mention);
      if (names.has(mention)) used.add(mention);
    }
  }
  return used;
}
