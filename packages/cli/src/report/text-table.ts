/** A table for a terminal: columns as wide as they must be, numbers to the right, nothing that needs a colour. */

export interface TextColumn<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  readonly numeric?: boolean;
}

export function textTable<Row>(columns: readonly TextColumn<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const widths = columns.map((column, c) => Math.max(column.title.length, ...cells.map((row) => row[c]?.length ?? 0)));
  const line = (texts: readonly string[]) =>
    texts
      .map((text, c) => (columns[c]?.numeric ? text.padStart(widths[c] ?? 0) : text.padEnd(widths[c] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(columns.map((c) => c.title)), line(widths.map((w) => "-".repeat(w))), ...cells.map(line)].join("\n");
}
