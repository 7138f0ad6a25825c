// Which rows of a long list stand in the page: those in view and some around them. Rows have one height.

export interface Span {
  /** First row that is drawn. */
  readonly first: number;
  /** One past the last. */
  readonly end: number;
}

/** Rows to draw for `rows` rows of `height` pixels, seen from `top` on over `view` pixels, with `spare` on each side. */
export function span(rows: number, height: number, top: number, view: number, spare = 6): Span {
  if (rows <= 0 || height <= 0) return { first: 0, end: 0 };
  const from = Math.floor(Math.max(0, top) / height) - spare;
  const first = Math.min(Math.max(0, from), Math.max(0, rows - 1));
  const to = Math.ceil((Math.max(0, top) + Math.max(0, view)) / height) + spare;
  return { first, end: Math.min(rows, Math.max(first + 1, to)) };
}

/** Where the list has to be scrolled to so that `row` is in view; `null` where it is already. */
export function reveal(row: number, height: number, top: number, view: number): number | null {
  const start = row * height;
  if (start < top) return start;
  return start + height > top + view ? start + height - view : null;
}

/** The row that a key leads to from `row`; `null` for other keys (the feed pattern of ARIA, and arrows). */
export function rowAfter(key: string, row: number, rows: number, page: number): number | null {
  const steps: Record<string, number> = {
    ArrowDown: row + 1,
    ArrowUp: row - 1,
    PageDown: row + page,
    PageUp: row - page,
    Home: 0,
    End: rows - 1,
  };
  const next = steps[key];
  return next === undefined || rows === 0 ? null : Math.min(rows - 1, Math.max(0, next));
}
