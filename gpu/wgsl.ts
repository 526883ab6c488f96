/**
 * Assembles WGSL from files: the only place where shader text is put together.
 *
 * A line that begins with `#` is a directive; everything else is WGSL.
 *
 * - `#include NAME`: the part of that name stands here;
 * - `#if EXPRESSION`, `#else`, `#end`: one branch is kept;
 * - `#for i in EXPRESSION`, `#end`: the lines are repeated with `$i` as 0, 1, ...;
 * - `$NAME`: a value; `${EXPRESSION}`: integer arithmetic of values.
 *
 * Expressions have whole numbers, names, `true`, `false`, C's operators and `a ? b : c`. What can be an
 * `override` constant of the shader should be one instead.
 *
 * @module
 */

/** Values by name, for `$NAME` and expressions; text can only be inserted. */
export type Values = Readonly<Record<string, number | boolean | string>>;

/** Shader text, and where its lines come from. */
export interface Source {
  /** The expanded text. */
  readonly code: string;
  /** File and line of each line of `code`, e.g. `softmax.wgsl:12`. */
  readonly origins: readonly string[];
}

/** A file of the source tree, as `import ... with { type: "text" }` gives it. */
export interface File {
  /** For messages. */
  readonly name: string;
  /** Its text, with directives. */
  readonly text: string;
}

/**
 * Expands a file.
 *
 * @param parts What `#include` can name.
 * @throws {SyntaxError} With file and line, if a directive, a part or a value is missing or malformed.
 */
export function expand(
  file: File,
  values: Values = {},
  parts: Readonly<Record<string, File>> = {},
): Source {
  const lines: string[] = [], origins: string[] = [];
  const expandFile = ({ name, text }: File, values: Values, within: readonly string[]) => {
    const source = text.split("\n");
    const fault = (at: number, what: string) => new SyntaxError(`${name}:${at + 1}: ${what}`);
    const number = (text: string, scope: Values, at: number) => {
      try {
        return evaluate(text, scope);
      } catch (error) {
        throw fault(at, (error as Error).message);
      }
    };
    const filled = (line: string, scope: Values, at: number) =>
      line.replace(/\$\{([^}]*)\}|\$(\w+)/g, (_, expression, value) => {
        if (expression !== undefined) return String(number(expression, scope, at));
        if (!Object.hasOwn(scope, value)) throw fault(at, `there is no value ${value}`);
        return String(scope[value]);
      });
    const block = (from: number, to: number, scope: Values): void => {
      for (let at = from; at < to; at++) {
        const [, word, rest = ""] = /^\s*#(\w*)\s*(.*?)\s*$/.exec(source[at]) ?? [];
        if (word === undefined) {
          lines.push(filled(source[at], scope, at));
          origins.push(`${name}:${at + 1}`);
        } else if (word === "include") {
          if (!Object.hasOwn(parts, rest)) throw fault(at, `there is no part ${rest}`);
          if (within.includes(rest)) throw fault(at, `${rest} includes itself`);
          expandFile(parts[rest], scope, [...within, rest]);
        } else if (word === "if" || word === "for") {
          const { other, end } = ends(source, at, to, fault);
          if (word === "if") {
            if (number(rest, scope, at)) block(at + 1, other ?? end, scope);
            else if (other !== undefined) block(other + 1, end, scope);
          } else {
            const [, variable, count] = /^(\w+) in (.+)$/.exec(rest) ?? [];
            if (!variable || other !== undefined) throw fault(at, "expected #for NAME in COUNT");
            const n = number(count, scope, at);
            for (let i = 0; i < n; i++) block(at + 1, end, { ...scope, [variable]: i });
          }
          at = end;
        } else throw fault(at, word === "end" ? "#end without #if" : `there is no #${word}`);
      }
    };
    block(0, source.length, values);
  };
  expandFile(file, values, []);
  return { code: lines.join("\n"), origins };
}

/** Where the block that begins at line `from` has its `#else`, if any, and its `#end`. */
function ends(
  source: readonly string[],
  from: number,
  to: number,
  fault: (at: number, what: string) => SyntaxError,
): { other: number | undefined; end: number } {
  let depth = 0, other: number | undefined;
  for (let at = from; at < to; at++) {
    const word = /^\s*#(\w+)/.exec(source[at])?.[1];
    if (word === "if" || word === "for") depth++;
    else if (word === "end" && --depth === 0) return { other, end: at };
    else if (word === "else" && depth === 1) {
      if (other !== undefined) throw fault(at, "a second #else");
      other = at;
    }
  }
  throw fault(from, "there is no #end for it");
}

/** C's binary operators by precedence, the loosest first. */
const OPERATORS: readonly Readonly<Record<string, (a: number, b: number) => number>>[] = [
  { "||": (a, b) => Number(a !== 0 || b !== 0) },
  { "&&": (a, b) => Number(a !== 0 && b !== 0) },
  { "|": (a, b) => a | b },
  { "&": (a, b) => a & b },
  { "==": (a, b) => Number(a === b), "!=": (a, b) => Number(a !== b) },
  {
    "<": (a, b) => Number(a < b),
    ">": (a, b) => Number(a > b),
    "<=": (a, b) => Number(a <= b),
    ">=": (a, b) => Number(a >= b),
  },
  { "<<": (a, b) => a << b, ">>": (a, b) => a >> b },
  { "+": (a, b) => a + b, "-": (a, b) => a - b },
  { "*": (a, b) => a * b, "/": (a, b) => Math.trunc(a / b), "%": (a, b) => a % b },
];

/**
 * The whole number that an expression gives.
 *
 * @throws {SyntaxError} If it is none, or names a value that is missing or is text.
 */
export function evaluate(text: string, values: Values): number {
  const tokens = text.match(/\d+|\w+|[<>=!]=|<<|>>|&&|\|\||[^\s\w]/g) ?? [];
  let at = 0;
  const fault = (what: string) => new SyntaxError(`${what} in the expression ${text.trim()}`);
  const take = (token: string) => {
    if (tokens[at] !== token) throw fault(`expected ${token}`);
    at++;
  };
  const operand = (): number => {
    const token = tokens[at++];
    if (token === "(") {
      const value = choice();
      take(")");
      return value;
    }
    if (token === "-") return -operand();
    if (token === "!") return Number(operand() === 0);
    if (token === "true" || token === "false") return Number(token === "true");
    if (/^\d+$/.test(token ?? "")) return Number(token);
    if (!/^\w+$/.test(token ?? "")) throw fault(`unexpected ${token ?? "end"}`);
    if (!Object.hasOwn(values, token)) throw fault(`there is no value ${token}`);
    if (typeof values[token] === "string") throw fault(`${token} is text`);
    return Number(values[token]);
  };
  const binary = (level: number): number => {
    if (level === OPERATORS.length) return operand();
    let value = binary(level + 1);
    while (Object.hasOwn(OPERATORS[level], tokens[at] ?? "")) {
      value = OPERATORS[level][tokens[at++]](value, binary(level + 1));
    }
    return value;
  };
  const choice = (): number => {
    const condition = binary(0);
    if (tokens[at] !== "?") return condition;
    at++;
    const yes = choice();
    take(":");
    const no = choice();
    return condition ? yes : no;
  };
  const value = choice();
  if (at < tokens.length) throw fault(`unexpected ${tokens[at]}`);
  if (!Number.isSafeInteger(value)) throw fault(`${value} is no whole number`);
  return value;
}

/** The sections of a file that begin with a line `#part NAME`, as `PREFIX.NAME`. */
export function sections(prefix: string, { name, text }: File): Record<string, File> {
  const found: Record<string, File> = {}, lines = text.split("\n");
  const starts = lines.flatMap((line, at) => {
    const part = /^#part (\w+)$/.exec(line)?.[1];
    return part === undefined ? [] : [{ part, at }];
  });
  for (const [i, { part, at }] of starts.entries()) {
    // Lines before it are left empty, so that lines keep their numbers.
    const own = lines.slice(at + 1, starts[i + 1]?.at);
    found[`${prefix}.${part}`] = { name, text: [...Array(at + 1).fill(""), ...own].join("\n") };
  }
  return found;
}
