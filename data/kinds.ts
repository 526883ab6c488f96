/** Kinds of files by their first bytes, or those at another place. */
const KINDS: readonly (readonly [name: string, bytes: string, at?: number])[] = [
  ["JPEG", "\xff\xd8"],
  ["PNG", "\x89PNG\r\n\x1a\n"],
  ["WebP", "WEBP", 8],
  ["a GIF image", "GIF8"],
  ["a BMP image", "BM"],
  ["a TIFF image", "II*\0"],
  ["a TIFF image", "MM\0*"],
  ["an AVIF image", "ftypavif", 4],
  ["a HEIC image", "ftyphei", 4],
  ["a HEIC image", "ftypmif1", 4],
  ["a Photoshop image", "8BPS"],
  ["a 7-Zip archive", "7z\xbc\xaf\x27\x1c"],
  ["a RAR archive", "Rar!\x1a\x07"],
  ["a gzip file", "\x1f\x8b"],
  ["an xz file", "\xfd7zXZ\0"],
  ["a bzip2 file", "BZh"],
  ["a Zstandard file", "\x28\xb5\x2f\xfd"],
  ["a tar archive", "ustar", 257],
  ["a Parquet file", "PAR1"],
  ["an HDF5 file", "\x89HDF\r\n\x1a\n"],
  ["an LMDB database", "\xde\xc0\xef\xbe", 16],
  ["an LMDB database", "\xde\xc0\xef\xbe", 24],
  ["a NumPy array", "\x93NUMPY"],
  ["an SQLite database", "SQLite format 3\0"],
  ["a PDF file", "%PDF"],
  ["a web page", "<!DOCTYPE html"],
  ["a web page", "<html"],
];

/** How many of a file's first bytes {@linkcode nameOfKind} looks at. */
export const KIND_BYTES = 512;

/**
 * The kind of a file.
 *
 * @param bytes The file, or its first {@linkcode KIND_BYTES} bytes.
 * @returns `JPEG`, `PNG`, `WebP`, or another kind with its article, such as `a 7-Zip archive`;
 * undefined if it is none of those that are known.
 */
export function nameOfKind(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, KIND_BYTES));
  return KINDS.find(([, mark, at = 0]) => head.startsWith(mark, at))?.[0];
}
