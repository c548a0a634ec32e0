/** Rows as aligned text; numbers are right-aligned. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, n) => (widths[n] = Math.max(widths[n] ?? 0, String(cell).length)));
  return rows
    .map(row =>
      row
        .map((cell, n) =>
          typeof cell === 'number' ? String(cell).padStart(widths[n]!) : cell.padEnd(widths[n]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
