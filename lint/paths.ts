/** The repository's root. */
export const ROOT = new URL("..", import.meta.url);

/** The path of a file below a root, with `/`. */
export function pathBelow(root: URL, filename: string): string {
  const path = filename.replaceAll("\\", "/").replace(/^(?=[A-Za-z]:)/, "/");
  const base = decodeURIComponent(root.pathname);
  return path.startsWith(base) ? path.slice(base.length) : path;
}

/** Whether a file is below any of these folders, which end in `/`, or is one of these files. */
export function isIn(file: string, places: readonly string[]): boolean {
  return places.some((place) => place.endsWith("/") ? file.startsWith(place) : file === place);
}
