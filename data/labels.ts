/** The class of each image. */
export interface Labels {
  /** Names of the classes, by number. */
  readonly classes: readonly string[];
  /** The number of each image's class. */
  readonly of: Uint16Array;
}

const MOST = 2 ** 16;

/** Order by code point, as Python has it: JavaScript's own is by units of UTF-16. */
function byCodePoint(a: string, b: string): number {
  const [as, bs] = [[...a], [...b]], at = as.findIndex((character, i) => character !== bs[i]);
  if (at < 0) return as.length - bs.length;
  return at < bs.length ? as[at].codePointAt(0)! - bs[at].codePointAt(0)! : 1;
}

/** Numbers in their order, anything else by code point. */
function byValue(a: string, b: string): number {
  const isNumber = /^(0|-?[1-9]\d{0,14})$/;
  return isNumber.test(a) && isNumber.test(b) ? Number(a) - Number(b) : byCodePoint(a, b);
}

/**
 * Numbers classes by their names.
 *
 * @param names The class of each image.
 * @param order Compares two names.
 * @returns The labels; undefined if an image has no class, or there are more than 65,536 classes.
 */
export function labelsOf(
  names: readonly (string | undefined)[],
  order: (a: string, b: string) => number = byValue,
): Labels | undefined {
  const set = new Set(names);
  if (set.has(undefined) || set.size === 0 || set.size > MOST) return undefined;
  const classes = ([...set] as string[]).sort(order);
  const numbers = new Map(classes.map((name, i) => [name, i]));
  return { classes, of: Uint16Array.from(names, (name) => numbers.get(name as string)!) };
}

/**
 * Classes whose numbers are given.
 *
 * @param numbers The number of each image's class.
 * @param names Names of the classes; by default their numbers.
 * @returns The labels; undefined if a number is no class's.
 */
export function numbered(
  numbers: ArrayLike<number>,
  names?: readonly string[],
): Labels | undefined {
  let most = -1;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i];
    if (!Number.isInteger(number) || number < 0 || number >= MOST) return undefined;
    most = Math.max(most, number);
  }
  if (most < 0) return undefined;
  const classes = Array.from(
    { length: Math.max(most + 1, names?.length ?? 0) },
    (_, i) => names?.[i] ?? `${i}`,
  );
  return { classes, of: Uint16Array.from(numbers) };
}

/**
 * Folders as classes, as torchvision's `ImageFolder` numbers them: the folders that lie in the root,
 * or in the one folder that holds all.
 *
 * @param paths Paths of the images, with forward slashes.
 * @returns The labels; undefined if an image lies in no such folder, or all lie in one.
 */
export function folderLabels(paths: readonly string[]): Labels | undefined {
  if (paths.length === 0) return undefined;
  let root = paths[0].slice(0, paths[0].lastIndexOf("/") + 1);
  for (const path of paths) {
    while (!path.startsWith(root)) root = root.slice(0, root.lastIndexOf("/", root.length - 2) + 1);
  }
  const depth = root.length, names: string[] = [];
  for (const path of paths) {
    const end = path.indexOf("/", depth);
    if (end < 0) return undefined;
    names.push(path.slice(depth, end));
  }
  return labelsOf(names, byCodePoint);
}

/**
 * Labels as in the `dataset.json` of StyleGAN's `dataset_tool.py`.
 *
 * @param text The file's text.
 * @param paths Paths of the images, with forward slashes.
 * @returns The labels; undefined if it has none for some image.
 */
export function datasetLabels(text: string, paths: readonly string[]): Labels | undefined {
  let pairs: unknown;
  try {
    pairs = JSON.parse(text)?.labels;
  } catch {
    return undefined;
  }
  if (!Array.isArray(pairs)) return undefined;
  const numbers = new Map<string, unknown>(pairs.filter(Array.isArray) as [string, unknown][]);
  return numbered(paths.map((path) => Number(numbers.get(path) ?? NaN)));
}
