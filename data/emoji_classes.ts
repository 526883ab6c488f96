/**
 * The built-in images by their classes, which follow Unicode's categories of emoji.
 *
 * @see https://unicode.org/emoji/charts/emoji-ordering.html
 * @module
 */
import { join } from "@std/path";
import { chosenFrom, withClasses } from "./classes.ts";
import { DataError } from "./errors.ts";
import { openFolder } from "./folder.ts";
import type { Source } from "./source.ts";

/** Classes by Unicode's categories; symbols lie in several. */
const CLASSES: Readonly<Record<string, string>> = {
  "Activities": "activities",
  "Animals & Nature": "animals",
  "Component": "symbols",
  "Flags": "flags",
  "Food & Drink": "food",
  "Objects": "objects",
  "People & Body": "people",
  "Smileys & Emotion": "symbols",
  "Symbols": "symbols",
  "Travel & Places": "places",
};
const NAMES = [...new Set([...Object.values(CLASSES), "faces"])].sort();

/** What the package tells of an emoji. */
interface Emoji {
  readonly image: string;
  readonly category: string;
  readonly subcategory: string;
  readonly skin_variations?: Readonly<Record<string, { readonly image: string }>>;
}

function classOf({ category, subcategory }: Emoji): string {
  return /(^|-)face(-|$)/.test(subcategory) ? "faces" : CLASSES[category] ?? "symbols";
}

/**
 * Names of classes of the built-in images, in their order.
 *
 * @param classes Names with commas between them; all if it is empty.
 * @throws {DataError} If there is no class of a name.
 */
export function chosenEmoji(classes: string): string[] {
  if (!classes) return NAMES;
  return chosenFrom("emoji", { classes: NAMES }, classes).map((number) => NAMES[number]);
}

/**
 * The built-in images with their classes.
 *
 * @param folder Of the images, within the package.
 * @param classes Names of some classes; all if it is absent or empty.
 */
export async function openEmoji(
  folder: string,
  classes: string | undefined,
  signal?: AbortSignal,
): Promise<Source> {
  const source = await openFolder(folder, signal), path = join(folder, "../../../emoji.json");
  const numbers = new Map<string, number>();
  for (const emoji of JSON.parse(await Deno.readTextFile(path)) as Emoji[]) {
    const number = NAMES.indexOf(classOf(emoji));
    for (const { image } of [emoji, ...Object.values(emoji.skin_variations ?? {})]) {
      numbers.set(image, number);
    }
  }
  const of = Uint16Array.from(source.names, (name) => {
    const number = numbers.get(name);
    if (number === undefined) throw new DataError(`data: ${path} lacks the emoji ${name}`);
    return number;
  });
  return withClasses({ ...source, name: "emoji", labels: { classes: NAMES, of } }, classes);
}
