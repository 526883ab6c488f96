import { isVisible } from "./source.ts";

/**
 * What a file that is no image is counted as.
 *
 * @param path Path within the folder or archive, with forward slashes.
 * @returns `gif` and the like, by its ending, or what it is hidden by.
 */
export function kindOf(path: string): string {
  const parts = path.split("/"), name = parts.at(-1)!;
  if (parts.includes("__MACOSX")) return "in __MACOSX";
  if (!parts.every(isVisible)) return "hidden";
  if (/^thumbs\.db$/i.test(name)) return "Thumbs.db";
  const ending = /\.([^.]{1,12})$/.exec(name)?.[1].toLowerCase();
  return ending === undefined ? "without an ending" : printable(ending);
}

const SHOWN = 3, KINDS_SHOWN = 8;

/**
 * Escapes what would act on a terminal, or change the direction of text.
 *
 * @param text A name or message that comes from a file.
 * @returns The text with `\u{1b}` and the like for such characters.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/**
 * The first of some names, for a message.
 *
 * @param names All of them.
 * @param most How many are shown.
 * @returns The first ones, and how many more there are.
 */
export function listed(names: readonly string[], most = SHOWN): string {
  const shown = names.slice(0, most).map(printable).join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

/** Counts files that are passed over, by kind. */
export class Passed {
  #counts = new Map<string, number>();

  /** Counts one file of that kind. */
  add(kind: string): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  /** How many there are. */
  get count(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** One line that says how many there are of each kind, or none if there are none. */
  notes(one = "file", more = "files"): string[] {
    const kinds = [...this.#counts].sort(([k, a], [l, b]) => b - a || (k < l ? -1 : 1));
    const total = this.count;
    if (total === 0) return [];
    const rest = kinds.slice(KINDS_SHOWN).reduce((sum, [, count]) => sum + count, 0);
    const shown = kinds.slice(0, KINDS_SHOWN).map(([kind, count]) => `${count} ${kind}`);
    if (rest > 0) shown.push(`${rest} others`);
    const files = total === 1 ? `1 other ${one} was` : `${total} other ${more} were`;
    return [`${files} passed over: ${shown.join(", ")}`];
  }
}
