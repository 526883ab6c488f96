import { DataError } from "./errors.ts";
import type { Labels } from "./labels.ts";
import { listed } from "./listing.ts";
import type { Source } from "./source.ts";

/**
 * Numbers of the classes that are named, in the order of all.
 *
 * @throws {DataError} If there is no class of a name.
 */
export function chosenFrom(
  name: string,
  labels: Pick<Labels, "classes"> | undefined,
  classes: string,
): number[] {
  if (!labels) {
    throw new DataError(
      `data: ${name} has no classes: leave out --classes, or give folders of classes`,
    );
  }
  const numbers = classes.split(",").map((wanted) => {
    const number = labels.classes.indexOf(wanted.trim());
    if (number >= 0) return number;
    throw new DataError(
      `data: ${name} has no class "${wanted.trim()}", but ${labels.classes.length} others: ` +
        listed(labels.classes, 20),
    );
  });
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/**
 * The digest of a part of a source.
 *
 * @param digest That of the whole.
 * @param classes As for {@linkcode withClasses}.
 * @returns The same for all classes.
 */
export function digestOf(digest: string, classes: string | undefined): string {
  return classes ? `${digest}, classes ${classes}` : digest;
}

/**
 * A part of a source: the images of some of its classes, which are numbered anew.
 *
 * @param source All images.
 * @param classes Names of the classes, with commas between them; all if it is absent or empty.
 * @returns The part; whether there are such classes is known when it is listed.
 */
export function withClasses(source: Source, classes: string | undefined): Source {
  if (!classes) return source;
  let indices = new Uint32Array(0), names: string[] = [], labels: Labels | undefined;
  const part = `classes ${classes}`;
  return {
    name: source.name,
    kind: source.kind,
    ...(source.digest !== undefined && { digest: digestOf(source.digest, classes) }),
    get stamps() {
      return [...source.stamps, part];
    },
    get names() {
      return names;
    },
    get labels() {
      return labels;
    },
    get notes() {
      return source.notes ?? [];
    },
    async list() {
      await source.list?.();
      const all = source.labels, chosen = chosenFrom(source.name, all, classes);
      const renumbered = new Map(chosen.map((number, i) => [number, i]));
      indices = Uint32Array.from(all!.of.keys().filter((i) => renumbered.has(all!.of[i])));
      const { names: allNames } = source;
      names = Array.from(indices, (i) => allNames[i]);
      labels = {
        classes: chosen.map((number) => all!.classes[number]),
        of: Uint16Array.from(indices, (i) => renumbered.get(all!.of[i])!),
      };
    },
    read: (i) => source.read(indices[i]),
    close: () => source.close(),
  };
}
