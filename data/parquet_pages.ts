/**
 * Checks of a Parquet file that hyparquet needs.
 *
 * @module
 */
import { type FileMetaData, parquetSchema, type SchemaTree } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";

type PageHeader = ReturnType<typeof parquetHeader>;

const isCount = (value: unknown, most: number): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;

/** Whether the counts and lengths that the kind of page needs are there, and possible. */
function isSound(header: PageHeader, values: number, bytes: number): boolean {
  const { type, compressed_page_size: size, uncompressed_page_size: whole } = header;
  if (!isCount(size, bytes) || !isCount(whole, Infinity)) return false;
  const { data_page_header: one, data_page_header_v2: two, dictionary_page_header: list } = header;
  if (type === "DICTIONARY_PAGE") return isCount(list?.num_values, whole);
  if (type === "DATA_PAGE") return isCount(one?.num_values, values);
  if (type !== "DATA_PAGE_V2" || two === undefined || !isCount(two.num_values, values)) {
    return false;
  }
  const { definition_levels_byte_length: definition, repetition_levels_byte_length: repetition } =
    two;
  return isCount(two.num_nulls, two.num_values) && isCount(two.num_rows, two.num_values) &&
    isCount(definition, size) && isCount(repetition, size - definition);
}

/**
 * Checks the headers of a column's pages before hyparquet reads them: it takes counts and lengths as
 * they are, and with some that are missing or wrong its loops do not end.
 *
 * @param chunk The pages, one after another.
 * @param offset Where they begin in the file, for messages.
 * @param values Number of values that they may hold.
 * @throws {Error} If a header is damaged.
 */
export function checkPages(chunk: ArrayBuffer, offset: number, values: number): void {
  const reader = { view: new DataView(chunk), offset: 0 };
  while (reader.offset < chunk.byteLength - 1) {
    const at = reader.offset;
    let header: PageHeader | undefined;
    try {
      header = parquetHeader(reader);
    } catch { /* told below */ }
    if (header === undefined || !isSound(header, values, chunk.byteLength - reader.offset)) {
      throw new Error(`the page at byte ${offset + at} has a damaged header`);
    }
    reader.offset += header.compressed_page_size;
  }
}

function leaves({ children, path }: SchemaTree): string[] {
  return children.length ? children.flatMap(leaves) : [path.join(".")];
}

/**
 * Checks that row groups have rows, of columns of the schema: with others hyparquet leaves errors that nobody
 * can catch.
 *
 * @throws {Error} If it is not so.
 */
export function checkGroups(metadata: FileMetaData): void {
  const known = new Set(leaves(parquetSchema(metadata)));
  for (const [i, { num_rows, columns }] of metadata.row_groups.entries()) {
    if (!(num_rows >= 0)) throw new Error(`row group ${i} declares no possible number of rows`);
    const strange = columns.find(({ meta_data }) =>
      !known.has(meta_data!.path_in_schema.join("."))
    );
    if (strange) throw new Error(`row group ${i} has a column that its schema has not`);
  }
}
