/** What is exported cannot be made here. */
export class ExportError extends Error {
  override name = "ExportError";
}
