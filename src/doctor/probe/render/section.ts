/** A part of the human-readable report. */
export interface Section {
  readonly heading: string;
  readonly tables: readonly Table[];
}

/** Rows of cells. */
export type Table = readonly (readonly string[])[];
