// The true position, for as long as somebody needs it and nowhere but here: no component's state, no attribute, no
// storage. It goes into the body of a call to the person's own agent, and out of memory when the app locks.

import type { Position } from '../api/types';
import { coarse } from './geo';

let exact: Position | null = null;
const changes = new EventTarget();

/** Rounded to about a kilometre, for the screen; `null` while none is set. One object per position, for React. */
let shown: Position | null = null;

function told(): void {
  shown = exact && coarse(exact);
  changes.dispatchEvent(new Event('change'));
}

export const place = {
  set(position: Position): void {
    exact = { ...position };
    told();
  },
  forget(): void {
    exact = null;
    told();
  },
  /** For the body of a call, and for nothing else. */
  exact: (): Position | null => exact && { ...exact },
  coarse: (): Position | null => shown,
  subscribe(changed: () => void): () => void {
    changes.addEventListener('change', changed);
    return () => changes.removeEventListener('change', changed);
  },
};
