/** Which tests see a file: by what imports what. */
import { dirname, join } from "@std/path";

/** Paths of modules and shaders that a file names, but for types. */
function namedBy(file: string, text: string): string[] {
  const folder = file.includes("/") ? file.slice(0, file.lastIndexOf("/")) : ".";
  const values = text.replace(/^import type [^;]*;/gm, "");
  return [...values.matchAll(/["'`](\.{1,2}\/[\w./-]+\.(?:ts|wgsl))["'`]/g)]
    .map(([, path]) => join(folder, path));
}

/** Tests that hold texts and not values, compile shaders only, or start other processes for minutes. */
const LEFT_OUT =
  /^tests\/(documentation|results|bench|browser_bundle|standard_wgsl|cli|fresh_process|presets)_test\.ts$/;

/** Tests that stand for a neighbour, and for those that the rules of this device pass by. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  "kernels/product": ["tests/properties_test.ts", "tests/plans/tiles_test.ts"],
  "kernels/software": ["kernels/conv2d_test.ts", "kernels/matmul_test.ts"],
};

/** By so many imports more are the tests of other folders behind those of the same. */
const FAR = 1.5;
/** More than there are tests that stand for a neighbour. */
const MOST = 100;

/**
 * The tests of each file: its neighbour, then those that import it, the fewest imports away first, and those
 * of its folder before others.
 *
 * @param files Every file of the checkout with its text.
 */
export function testsBySubject(files: ReadonlyMap<string, string>): Map<string, string[]> {
  const found = new Map<string, [test: string, distance: number][]>();
  const names = new Map([...files].map(([file, text]) => [file, namedBy(file, text)]));
  for (const test of files.keys()) {
    if (!test.endsWith("_test.ts") || LEFT_OUT.test(test)) continue;
    const seen = new Set([test]);
    for (let distance = 0, at = [test]; at.length > 0; distance++) {
      for (const file of at) {
        if (!found.has(file)) found.set(file, []);
        found.get(file)!.push([test, distance]);
      }
      at = at.flatMap((file) => names.get(file) ?? []).filter((file) =>
        files.has(file) && !seen.has(file) && seen.add(file)
      );
    }
  }
  const sorted = ([file, tests]: [string, [string, number][]]): [string, string[]] => {
    const neighbour = file.replace(/\.(ts|wgsl)$/, "_test.ts");
    const folder = dirname(file), beside = BESIDE[folder] ?? [];
    const isNear = (test: string) => dirname(test) === folder;
    const order = ([test, distance]: [string, number]) =>
      test === neighbour || beside.includes(test)
        ? beside.indexOf(test) - MOST
        : distance + (isNear(test) ? 0 : FAR);
    return [file, tests.toSorted((a, b) => order(a) - order(b)).map(([test]) => test)];
  };
  return new Map([...found].map(sorted));
}
