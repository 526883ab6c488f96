/** Where encoded pictures come from. */
export interface Source {
  /** Name of the folder or file, without its ending. */
  name: string;
  /** Paths of the pictures within, in the order in which they are numbered. */
  names: string[];
  /** One line a picture that changes when its content does: cheap, no picture is read for it. */
  stamps: string[];
  /** Reads one encoded picture. */
  read(index: number): Promise<Uint8Array>;
  /** Closes what is open. */
  close(): Promise<void>;
}

/** One picture that a folder or an archive lists. */
export interface Listed<Handle> {
  /** Path within, with forward slashes. */
  name: string;
  /** See {@linkcode Source.stamps}. */
  stamp: string;
  /** By what it is read. */
  handle: Handle;
}

/**
 * Whether a file is to be taken as a picture, by its path alone.
 *
 * @param path Path within the folder or archive, with forward slashes.
 * @returns False for other endings, and for what is hidden or lies in something hidden.
 */
export function isPicturePath(path: string): boolean {
  return /\.(jpe?g|png)$/i.test(path) && path.split("/").every(isVisible);
}

/**
 * Whether one part of a path is neither hidden nor macOS's shadow folder.
 *
 * @param name The part.
 * @returns True if it is to be looked at.
 */
export function isVisible(name: string): boolean {
  return !name.startsWith(".") && name !== "__MACOSX";
}

/**
 * Sorts by name, by code unit, so that the order is the same on every system.
 *
 * @param listed What was found; sorted in place.
 * @returns The same array.
 */
export function sortByName<Handle>(listed: Listed<Handle>[]): Listed<Handle>[] {
  return listed.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
