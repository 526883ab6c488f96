import crc32c from "crc-32/crc32c.js";

/** Kinds of files by their first bytes, or those at another place. */
const KINDS: readonly (readonly [name: string, bytes: string, at?: number])[] = [
  ["JPEG", "\xff\xd8"],
  ["PNG", "\x89PNG\r\n\x1a\n"],
  ["WebP", "WEBP", 8],
  ["PNM", "P5\n"],
  ["PNM", "P6\n"],
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
  ["an LMDB database of data format 2", "\xde\xc0\xef\xbe", 24],
  ["a NumPy array", "\x93NUMPY"],
  ["an MNIST file", "\0\0\x08\x01"],
  ["an MNIST file", "\0\0\x08\x03"],
  ["an MNIST file", "\0\0\x08\x04"],
  ["a MATLAB file", "MATLAB 5.0 MAT-file"],
  ["an Arrow file", "ARROW1"],
  ["an Arrow file", "\xff\xff\xff\xff"],
  ["a Python pickle", "\x80\x02"],
  ["a Python pickle", "\x80\x03"],
  ["a Python pickle", "\x80\x04"],
  ["a Python pickle", "\x80\x05"],
  ["a zip", "PK\x03\x04"],
  ["a zip", "PK\x05\x06"],
  ["an SQLite database", "SQLite format 3\0"],
  ["a PDF file", "%PDF"],
  ["a web page", "<!DOCTYPE html"],
  ["a web page", "<html"],
];

/** How many of a file's first bytes {@linkcode nameOfKind} looks at. */
export const KIND_BYTES = 512;

/** A zip by what its first member is. */
function kindOfZip(head: string): string {
  const name = head.slice(30, 30 + head.charCodeAt(26));
  if (name.endsWith(".npy")) return "a zip of NumPy arrays";
  return name.endsWith("data.pkl") ? "a PyTorch file" : "a zip";
}

/** Whether it begins with a length of 8 bytes and, masked, the length's CRC-32C. */
function isTfRecord(bytes: Uint8Array): boolean {
  if (bytes.length < 16) return false;
  const sum = crc32c.buf(bytes.subarray(0, 8)) >>> 0,
    masked = (sum >>> 15 | sum << 17) + 0xa282ead8;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true) === masked >>> 0;
}

/**
 * The kind of a file.
 *
 * @param bytes The file, or its first {@linkcode KIND_BYTES} bytes.
 * @returns `JPEG`, `PNG`, `WebP`, or another kind with its article, such as `a 7-Zip archive`;
 * undefined if it is none of those that are known.
 */
export function nameOfKind(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, KIND_BYTES));
  const kind = KINDS.find(([, mark, at = 0]) => head.startsWith(mark, at))?.[0];
  if (kind === "a zip") return kindOfZip(head);
  return kind ?? (isTfRecord(bytes) ? "a TFRecord file" : undefined);
}
