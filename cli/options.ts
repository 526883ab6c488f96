/**
 * The options of the command line: one table, from which they are parsed, checked and explained.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { closest } from "../train/closest.ts";
import { UsageError } from "./errors.ts";

/** One option; on the command line in kebab-case, in a record in camelCase. */
export interface Option {
  readonly name: string;
  readonly kind: "text" | "count" | "number" | "flag";
  readonly help: string;
  /** The values a text may have. */
  readonly choices?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** The heading that it is shown under in `--help`. */
  readonly group?: string;
}

/** What every command that opens a device takes. */
export const common: readonly Option[] = [
  { name: "device", kind: "text", help: "index or part of the name of a device (see gan doctor)" },
  { name: "json", kind: "flag", help: "print JSON, an object a line" },
  { name: "debug", kind: "flag", help: "show where in the program an error arose" },
  { name: "help", kind: "flag", help: "show this" },
];

/** Parsed options, by name in camelCase; absent ones are left out. */
export type Values = Record<string, string | number | boolean>;

/** `lr-g` as `lrG`. */
export function camel(name: string): string {
  return name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
}

/** `lrG` as `lr-g`. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
}

/**
 * The end of a sentence on a name that there is not: asks for the one that was probably meant, and
 * lists all.
 */
export function choose(word: string, names: readonly string[]): string {
  const near = closest(word, names), list = `one of ${names.join(", ")}`;
  return near === undefined ? `: choose ${list}` : `: did you mean ${near}? Choose ${list}`;
}

/** Ties a negative number to the option before it, which would be taken for an option itself. */
function withNegatives(args: string[], table: readonly Option[]): string[] {
  const tied: string[] = [];
  for (const arg of args) {
    const option = table.find(({ name, kind }) => kind !== "flag" && tied.at(-1) === `--${name}`);
    if (option && /^-[\d.]/.test(arg)) tied[tied.length - 1] += `=${arg}`;
    else tied.push(arg);
  }
  return tied;
}

/**
 * Parses a command line.
 *
 * @throws {UsageError} If an option is unknown or its value impossible.
 */
export function parse(
  args: string[],
  table: readonly Option[],
): { values: Values; rest: string[] } {
  refuseUnknown(args, table);
  const raw = parseArgs(withNegatives(args, table), {
    string: table.filter(({ kind }) => kind !== "flag").map(({ name }) => name),
    boolean: table.filter(({ kind }) => kind === "flag").map(({ name }) => name),
    alias: { h: "help" },
  });
  const values: Values = {};
  for (const option of table) {
    const value = raw[option.name];
    const given = option.kind === "flag"
      ? value === true || args.includes(`--no-${option.name}`)
      : value !== undefined;
    if (given) values[camel(option.name)] = valueOf(option, value);
  }
  return { values, rest: raw._.map(String) };
}

/** Only a flag has a `--no-`, and none has a value; numbers below 0 are values. */
function refuseUnknown(args: string[], table: readonly Option[]): void {
  const flags = table.filter(({ kind }) => kind === "flag")
    .flatMap(({ name }) => [name, `no-${name}`]);
  const names = [...flags, ...table.map(({ name }) => name)];
  for (const arg of args) {
    if (!/^-[^\d.]/.test(arg) || arg === "-h") continue;
    const [wrong, ...value] = arg.split("="), name = wrong.replace(/^--/, "");
    if (flags.includes(name) && value.length > 0) {
      throw new UsageError(
        `${wrong} takes no value, got ${value.join("=")}: give --${name.replace(/^no-/, "")} or ` +
          `--no-${name.replace(/^no-/, "")}`,
      );
    }
    if (names.includes(name)) continue;
    const near = closest(name.replace(/^-*(no-)?/, ""), names);
    throw new UsageError(
      `There is no option ${wrong}: ` +
        (near === undefined ? "--help shows what there is" : `did you mean --${near}?`),
    );
  }
}

/**
 * What an option's value is, given as text.
 *
 * @throws {UsageError} If it is not one that the option may have.
 */
export function valueOf({ name, kind, choices, min = 0, max }: Option, value: unknown) {
  if (kind === "flag") return Boolean(value);
  if (Array.isArray(value)) {
    throw new UsageError(`--${name} is given twice: ${value.join(" and ")}`);
  }
  const text = String(value);
  if (text === "") throw new UsageError(`--${name} needs a value`);
  if (kind === "text") {
    if (choices && !choices.includes(text)) {
      throw new UsageError(`--${name} ${text}${choose(text, choices)}`);
    }
    return text;
  }
  const number = Number(text);
  const whole = kind === "count";
  if (!Number.isFinite(number) || (whole && !Number.isSafeInteger(number))) {
    throw new UsageError(`--${name} ${text}: expected a ${whole ? "whole " : ""}number`);
  }
  if (number < min || (max !== undefined && number > max)) {
    const range = max === undefined ? `at least ${min}` : `from ${min} to ${max}`;
    throw new UsageError(`--${name} ${text}: expected a number ${range}`);
  }
  return number;
}

const COLUMN = 30, WIDEST = 110;

/**
 * The table as lines for `--help`, under the headings of its groups, with the default of each option where
 * there is one.
 *
 * @param width Columns that lines may take; as many as the terminal has, if left out.
 */
export function optionLines(
  table: readonly Option[],
  defaults: Readonly<Record<string, unknown>> = {},
  width: number = Math.min(terminalColumns() ?? WIDEST, WIDEST),
): string[] {
  const groups = [...new Set(table.map(({ group }) => group))];
  return groups.flatMap((group) => [
    ...group ? ["", `${group[0].toUpperCase()}${group.slice(1)}:`] : [],
    ...table.filter((option) => option.group === group)
      .flatMap((option) => linesOf(option, defaults[camel(option.name)], width)),
  ]);
}

function linesOf({ name, kind, help, choices }: Option, standard: unknown, width: number) {
  const value = kind === "flag" ? "" : choices ? choices.join("|") : kind === "text" ? "TEXT" : "N";
  const text = typeof standard === "boolean" ? standard ? "on" : "off" : String(standard ?? "");
  const shown = text === "" ? [] : [`[${text}]`];
  const head = `  --${name} ${value}`.trimEnd();
  const lines = wrapped([...help.split(" "), ...shown], width - COLUMN);
  const first = head.length < COLUMN ? lines.shift() : undefined;
  return [
    first === undefined ? head : head.padEnd(COLUMN) + first,
    ...lines.map((line) => " ".repeat(COLUMN) + line),
  ];
}

/** Words in lines of at most so many characters, if no word is longer. */
function wrapped(words: readonly string[], most: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > most) lines.push(word);
    else lines[lines.length - 1] += ` ${word}`;
  }
  return lines;
}

/** Columns of the terminal, 60 at least; undefined if there is none, or it has no columns. */
export function terminalColumns(): number | undefined {
  try {
    const columns = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : 0;
    return columns > 0 ? Math.max(60, columns) : undefined;
  } catch {
    return undefined;
  }
}
