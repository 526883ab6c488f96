/** Edits from one word to another: letters that are added, left out, replaced or swapped. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      rows[i][j] = Math.min(
        rows[i - 1][j] + 1,
        rows[i][j - 1] + 1,
        rows[i - 1][j - 1] + (same ? 0 : 1),
      );
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
}

/**
 * The name that was probably meant.
 *
 * @param word What was typed.
 * @param names What there is.
 * @returns The name whose first parts are the word, or that is the word's first parts; else the one that
 *   takes the fewest edits, at most a third of its letters; else one that, or a part of which, begins with
 *   the word; undefined if none is near.
 */
export function closest(word: string, names: readonly string[]): string | undefined {
  const part = names.find((name) => name.startsWith(`${word}-`)) ??
    names.find((name) => word.startsWith(`${name}-`));
  if (part !== undefined) return part;
  const near = names.map((name) => ({ name, edits: distance(word, name) }))
    .filter(({ name, edits }) => edits <= Math.max(1, Math.max(name.length, word.length) / 3))
    .sort((a, b) => a.edits - b.edits)[0]?.name;
  return near ?? names.find((name) => word.length > 1 && name.startsWith(word)) ??
    names.find((name) => word.length > 2 && name.includes(`-${word}`));
}
