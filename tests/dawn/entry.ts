/** An entry point of a WGSL text, with values for its `override` declarations. */
export interface Entry {
  readonly label: string;
  readonly code: string;
  readonly entryPoint: string;
  readonly constants: Record<string, number>;
}
