import type { Labels } from "./labels.ts";

/** What is known of images once their container is listed. */
export interface Listing {
  /** Paths or numbers of the images within, in the order in which they are numbered. */
  readonly names: readonly string[];
  /** Their classes, where there are some. */
  readonly labels?: Labels | undefined;
  /** Lines for the user on what is not used. */
  readonly notes?: readonly string[];
  /** Reads one encoded image. */
  read(index: number): Promise<Uint8Array>;
  /** Ends what was started to read. */
  close?(): void | Promise<void>;
}

/** Where encoded images come from. */
export interface Source extends Listing {
  /** Name of the folder or file, without its ending. */
  name: string;
  /** What it is: `folder`, `zip` and so on. */
  readonly kind: string;
  /** Changes when the content does; where there is one, all else is listed when it is asked for. */
  digest?: string;
  /** Lines that change when the content does: cheap, no image is read for them. */
  readonly stamps: readonly string[];
  /** Where there is one, it is called before anything is asked for but `name` and `digest`. */
  list?(): Promise<void>;
  /** Closes what is open. */
  close(): Promise<void>;
}

/**
 * What determines the images of a source.
 *
 * @param source The source.
 * @returns Lines to hash.
 */
export function contentOf(source: Pick<Source, "stamps" | "digest">): readonly string[] {
  return source.digest === undefined ? source.stamps : [source.digest];
}

/**
 * Whether a file is to be taken as an image, by its path alone.
 *
 * @param path Path within the folder or archive, with forward slashes.
 * @returns False for other endings, and for what is hidden or lies in something hidden.
 */
export function isImagePath(path: string): boolean {
  return /\.(jp(e?g|e)|jfif|png|webp)$/i.test(path) && !/(^|\/)(\.|__MACOSX(\/|$))/.test(path);
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
 * @param found What was found; sorted in place.
 * @returns The same array.
 */
export function sortByName<T extends { name: string }>(found: T[]): T[] {
  return found.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
