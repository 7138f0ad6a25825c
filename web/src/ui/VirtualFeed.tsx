// A feed of thousands, of which only what is in view is in the page (ARIA's feed pattern).

import { useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';

import { reveal, rowAfter, span } from '../core/virtual';
import { useCss } from './css';

interface Props<Item> {
  label: string;
  items: readonly Item[];
  keyOf: (item: Item) => string;
  nameOf: (item: Item) => string;
  /** Pixels of one row, gap included. */
  height: number;
  busy: boolean;
  open: (item: Item) => void;
  children: (item: Item) => ReactNode;
}

export function VirtualFeed<Item>({ label, items, keyOf, nameOf, height, busy, open, children }: Props<Item>): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const [{ top, view }, setSeen] = useState({ top: 0, view: 600 });
  const [focused, setFocused] = useState(0);
  const wanted = useRef<number | null>(null);
  const current = Math.min(focused, Math.max(0, items.length - 1));

  useLayoutEffect(() => {
    box.current?.style.setProperty('--feed', `${items.length * height}px`);
  }, [items.length, height]);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const seen = (): void => setSeen({ top: element.scrollTop, view: element.clientHeight });
    seen();
    const size = new ResizeObserver(seen);
    size.observe(element);
    element.addEventListener('scroll', seen, { passive: true });
    return () => {
      size.disconnect();
      element.removeEventListener('scroll', seen);
    };
  }, []);

  // the row that a key led to may only now be in the page
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    const row = box.current?.querySelector<HTMLElement>(`[data-row="${wanted.current}"]`);
    if (!row) return;
    wanted.current = null;
    row.focus({ preventScroll: true });
  });

  const pressed = (event: KeyboardEvent): void => {
    const element = box.current;
    const row = rowAfter(event.key, current, items.length, Math.max(1, Math.floor(view / height)));
    if (!element || row === null) return;
    event.preventDefault();
    wanted.current = row;
    setFocused(row);
    const to = reveal(row, height, element.scrollTop, element.clientHeight);
    if (to !== null) element.scrollTop = to;
    setSeen({ top: element.scrollTop, view: element.clientHeight });
  };

  const { first, end } = span(items.length, height, top, view);
  // the row that holds the focus stays in the page, or the focus would be lost
  const rows = Array.from({ length: end - first }, (_, index) => first + index);
  if (items.length > 0 && !rows.includes(current)) rows.push(current);
  return (
    <div ref={box} className="feed" role="feed" aria-label={label} aria-busy={busy} onKeyDown={pressed}>
      <div className="feed-inner" role="presentation">
        {rows.map((row) => {
          const item = items[row];
          return (
            item !== undefined && (
              <Row key={keyOf(item)} row={row} rows={items.length} height={height} name={nameOf(item)} current={row === current}
                focus={() => setFocused(row)} open={() => open(item)}>
                {children(item)}
              </Row>
            )
          );
        })}
      </div>
    </div>
  );
}

interface RowProps {
  row: number;
  rows: number;
  height: number;
  name: string;
  current: boolean;
  focus: () => void;
  open: () => void;
  children: ReactNode;
}

function Row({ row, rows, height, name, current, focus, open, children }: RowProps): ReactNode {
  const place = useCss('--row', `${row * height}px`);
  return (
    <article
      ref={place}
      className="feed-row"
      data-row={row}
      tabIndex={current ? 0 : -1}
      aria-label={name}
      aria-posinset={row + 1}
      aria-setsize={rows}
      onFocus={focus}
      onClick={open}
      onKeyDown={(event) => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          open();
        }
      }}
    >
      {children}
    </article>
  );
}
