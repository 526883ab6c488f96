/** One-token mutants of TypeScript and WGSL, found in the text: no parser is needed for these. */

/** One change of a file. */
export interface Mutant {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 0. */
  readonly column: number;
  /** Where the change begins in the text. */
  readonly at: number;
  /** The line as it was. */
  readonly text: string;
  readonly before: string;
  readonly after: string;
}

interface Token {
  readonly at: number;
  readonly text: string;
  readonly kind: "number" | "word" | "operator" | "other";
  /** Blanks on both sides, as the formatter writes binary operators. */
  readonly apart: boolean;
}

const WORD = /^[A-Za-z_$#][\w$]*$/;
const NUMBER = /^(0x[\da-f]+u?|(\d[\d_]*\.?\d*|\.\d+)(e[+-]?\d+)?[uifhn]?)$/i;
const TOKEN = new RegExp(
  [
    /\/\/[^\n]*/, // comments
    /\/\*[^]*?\*\//,
    /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/, // strings
    /0x[\da-fA-F]+u?|(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?[uifhn]?/, // numbers
    /#?[A-Za-z_$][\w$]*/, // words
    /=>|->|===|!==|==|!=|<=|>=|<<=?|>>>?=?|&&=?|\|\|=?|\?\?=?|\?\.|\.\.\.|\*\*|\+\+|--|[-+*/%&|^]=/,
    /\s+/,
    /[^]/,
  ].map(({ source }) => source).join("|"),
  "gy",
);

/** Where a template literal that begins at `at` ends; what it holds is text for people. */
function endOfTemplate(text: string, at: number): number {
  for (let i = at + 1, depth = 0; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "$" && text[i + 1] === "{") depth++;
    else if (text[i] === "}" && depth > 0) depth--;
    else if (text[i] === "`" && depth === 0) return i + 1;
    else if (text[i] === "`") i = endOfTemplate(text, i) - 1;
  }
  return text.length;
}

/** Where a regular expression that begins at `at` ends. */
function endOfPattern(text: string, at: number): number {
  for (let i = at + 1, inClass = false; i < text.length && text[i] !== "\n"; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "[") inClass = true;
    else if (text[i] === "]") inClass = false;
    else if (text[i] === "/" && !inClass) return /^\w*/.exec(text.slice(i + 1))![0].length + i + 1;
  }
  return at + 1;
}

const isOperand = (token?: Token) =>
  token !== undefined && (token.kind === "number" || /^[)\]]$/.test(token.text) ||
    token.kind === "word" && !/^(return|case|of|in|typeof|yield|await|else)$/.test(token.text));

function tokensOf(text: string, isShader: boolean): Token[] {
  const tokens: Token[] = [], pattern = new RegExp(TOKEN);
  for (let at = 0; at < text.length;) {
    let end: number;
    pattern.lastIndex = at;
    const word = pattern.exec(text)![0];
    if (!isShader && word === "`") end = endOfTemplate(text, at);
    else if (!isShader && word === "/" && !isOperand(tokens.at(-1))) end = endOfPattern(text, at);
    else end = at + word.length;
    const part = text.slice(at, end), skipped = !part.trim() || /^\/[/*]/.test(part);
    if (!skipped) {
      const kind = NUMBER.test(part)
        ? "number"
        : WORD.test(part)
        ? "word"
        : /^["'`/]./.test(part)
        ? "other"
        : "operator";
      const apart = /\s/.test(text[at - 1] ?? "") && /\s/.test(text[end] ?? "");
      tokens.push({ at, text: part, kind, apart });
    }
    at = end;
  }
  return tokens;
}

/** Binary operators, which stand between blanks. */
const BINARY: Record<string, string[]> = {
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "<<": [">>"],
  ">>": ["<<"],
  ">>>": ["<<"],
  "<": ["<=", ">"],
  "<=": ["<", ">"],
  ">": [">=", "<"],
  ">=": [">", "<"],
  "==": ["!="],
  "!=": ["=="],
  "===": ["!=="],
  "!==": ["==="],
  "&&": ["||"],
  "||": ["&&"],
  "??": ["&&"],
  "+=": ["-="],
  "-=": ["+="],
  "*=": ["/="],
  "/=": ["*="],
  "|=": ["&="],
};
const SHADER_BINARY: Record<string, string[]> = { "&": ["|"], "|": ["&"], "^": ["|"] };
const WORDS: Record<string, string> = {
  min: "max",
  max: "min",
  floor: "ceil",
  ceil: "floor",
  round: "floor",
  sin: "cos",
  cos: "sin",
  some: "every",
  every: "some",
  true: "false",
  false: "true",
  break: "continue",
};
const SHADER_WORDS: Record<string, string> = { x: "y", y: "x", z: "w", w: "z" };

function numbersFor(text: string): string[] {
  const [, digits, suffix] = /^(.*?)([uifhn]?)$/.exec(text)!;
  if (/^0x/i.test(text)) {
    const raised = (BigInt(text.replace(/u$/i, "")) + 1n).toString(16);
    return [`0x${raised}${/u$/i.test(text) ? "u" : ""}`];
  }
  if (/[.e]/i.test(digits)) {
    const value = Number(digits);
    return value === 0 ? [`1.0${suffix}`] : [`${digits} * 2.0${suffix === "h" ? "h" : ""}`];
  }
  const value = BigInt(digits.replaceAll("_", ""));
  return [value + 1n, ...value > 0n ? [value - 1n] : []].map((n) => `${n}${suffix}`);
}

/** All mutants of a file, in the order of its text. */
export function mutantsOf(file: string, text: string): Mutant[] {
  const isShader = file.endsWith(".wgsl"), all = tokensOf(text, isShader), mutants: Mutant[] = [];
  const binary = isShader ? { ...BINARY, ...SHADER_BINARY } : BINARY;
  const lines = text.split("\n"), starts: number[] = [];
  lines.reduce((at, line) => (starts.push(at), at + line.length + 1), 0);
  const lineOf = (at: number) => starts.findLastIndex((start) => start <= at);
  const put = (at: number, before: string, after: string) => {
    const n = lineOf(at);
    // Types, imports, directives of inclusion and attributes hold no arithmetic.
    if (/^\s*(export )?(type|interface|import|#include|@group|enable|struct)\b/.test(lines[n])) {
      return;
    }
    mutants.push({ file, line: n + 1, column: at - starts[n], at, text: lines[n], before, after });
  };
  for (const [i, token] of all.entries()) {
    const [previous, next] = [all[i - 1], all[i + 1]], { at, kind } = token;
    const inAttribute = previous?.text === "(" && all[i - 3]?.text === "@";
    const inUnion = !isShader && [previous, next].some((near) => near?.text === "|");
    if (kind === "number" && !inAttribute && !inUnion) {
      for (const after of numbersFor(token.text)) put(at, token.text, after);
    } else if (kind === "word" && next?.text !== ":") {
      const field = isShader && previous?.text === "." ? SHADER_WORDS[token.text] : undefined;
      const after = field ?? (Object.hasOwn(WORDS, token.text) ? WORDS[token.text] : undefined);
      if (after !== undefined && previous?.text !== "#") put(at, token.text, after);
    } else if (kind === "operator" && token.apart && isOperand(previous) && binary[token.text]) {
      for (const after of binary[token.text]) put(at, token.text, after);
    } else if (/^[-!]$/.test(token.text) && !token.apart && !isOperand(previous) && next) {
      put(at, token.text, ""); // a sign or a negation is dropped
    }
    if (/^[-+*]$/.test(token.text) && token.apart && isOperand(previous)) {
      const end = endOfTerm(all, i + 1);
      if (end !== undefined) put(at, text.slice(at, end), ""); // a term is dropped
    }
    const swapped = swappedArguments(all, i, text);
    if (swapped) put(...swapped);
  }
  return mutants;
}

/** The end of a term that is one name or number, where no product goes on behind it. */
function endOfTerm(all: readonly Token[], i: number): number | undefined {
  let last = i;
  if (!all[i] || !/^(word|number)$/.test(all[i].kind)) return;
  while (all[last + 1]?.text === "." && all[last + 2]?.kind === "word") last += 2;
  if (all[last + 1] && !/^([;,)\]}]|[-+])$/.test(all[last + 1].text)) return;
  return all[last].at + all[last].text.length;
}

/** The first two arguments of a call, if they are names or numbers and their order matters, in the other. */
function swappedArguments(
  all: readonly Token[],
  i: number,
  text: string,
): [at: number, before: string, after: string] | undefined {
  const [name, a, comma, b, end] = [all[i - 1], ...all.slice(i + 1, i + 5)];
  if (all[i].text !== "(" || name?.kind !== "word" || comma?.text !== "," || !b || !end) return;
  if (
    /^(function|fn|constructor|catch|if|for|min|max)$/.test(name.text) || !/^[,)]$/.test(end.text)
  ) {
    return;
  }
  if (/^(function|fn|get|set|async|override|static)$/.test(all[i - 2]?.text ?? "")) return;
  if (![a, b].every(({ kind }) => kind === "word" || kind === "number") || a.text === b.text) {
    return;
  }
  const before = text.slice(a.at, b.at + b.text.length);
  return [a.at, before, b.text + text.slice(a.at + a.text.length, b.at) + a.text];
}

/** The text with a mutant's change. */
export function mutated(text: string, { at, before, after }: Mutant): string {
  return text.slice(0, at) + after + text.slice(at + before.length);
}
