// When the app locks by itself: nobody has touched it for a while, or somebody pressed Escape three times.

/** Presses of Escape within so many milliseconds hide everything. */
const PANIC_MS = 1500;
const PANIC_PRESSES = 3;

/** Whether the last presses, as times in milliseconds, are a call for help. */
export function isPanic(presses: readonly number[]): boolean {
  const last = presses.slice(-PANIC_PRESSES);
  const [first] = last;
  const end = last.at(-1);
  return last.length === PANIC_PRESSES && first !== undefined && end !== undefined && end - first <= PANIC_MS;
}

/** Watches until it is told to stop; calls `lock` once. */
export function guard(idleMinutes: number, lock: () => void): () => void {
  const watcher = new AbortController();
  const { signal } = watcher;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let presses: number[] = [];
  const touched = (): void => {
    clearTimeout(timer);
    timer = setTimeout(lock, idleMinutes * 60_000);
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return;
    presses = [...presses, event.timeStamp].slice(-PANIC_PRESSES);
    if (isPanic(presses)) lock();
  };
  for (const kind of ['pointerdown', 'keydown', 'wheel', 'touchstart'] as const) {
    addEventListener(kind, touched, { signal, passive: true, capture: true });
  }
  addEventListener('keydown', pressed, { signal, capture: true });
  touched();
  return () => {
    watcher.abort();
    clearTimeout(timer);
  };
}
