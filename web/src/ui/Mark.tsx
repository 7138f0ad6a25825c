import type { ReactNode } from 'react';

const ROWS = [
  [0.5, 1.5, 2.5],
  [0, 1, 2, 3],
  [0.5, 1.5, 2.5],
];

/** Ten tiles, one of them mine. */
export function Mark(): ReactNode {
  return (
    <span className="mark">
      <svg viewBox="0 0 43 32" aria-hidden="true" focusable="false">
        {ROWS.flatMap((row, y) =>
          row.map((x) => (
            <rect key={`${x}-${y}`} className={y === 1 && x === 2 ? 'mine' : 'other'} x={x * 11} y={y * 11} width="9.5" height="9.5" rx="2.4" />
          )),
        )}
      </svg>
      <span translate="no">MOSAIC</span>
    </span>
  );
}
