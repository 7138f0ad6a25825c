// The socket of the local API (docs/spec/local.md), kept open while somebody looks: subscribes, hands on what is new,
// and opens another when a session has rotated.

import type { AgentFrame, ClientFrame, ProximityBody } from './types';

/** The session of the socket has rotated: open another at once. */
const ROTATED = 4000;
/** The handshake or the first frame showed no session: trying again would not help. */
const NO_SESSION = 4001;
/** For how long the agent may read at the pace of an open app after one word from us, seconds. */
const ATTENTION_S = 120;

/** How long to wait before the n-th attempt in a row, milliseconds: 1 s, doubled up to 30 s. */
export function pause(attempt: number): number {
  return Math.min(30_000, 1000 * 2 ** Math.max(0, attempt - 1));
}

/** What to do when a socket ended with `code` after `attempt` failures in a row. */
export function afterEnd(code: number, attempt: number): 'at-once' | 'never' | number {
  if (code === ROTATED) return 'at-once';
  if (code === NO_SESSION) return 'never';
  return pause(attempt);
}

/** Reads a frame; what is none is `null`: a broken frame breaks nothing. */
export function frame(text: unknown): AgentFrame | null {
  if (typeof text !== 'string') return null;
  try {
    const value: unknown = JSON.parse(text);
    const type = (value as { type?: unknown } | null)?.type;
    return typeof type === 'string' ? (value as AgentFrame) : null;
  } catch {
    return null;
  }
}

export interface Handlers {
  heard: (frame: AgentFrame) => void;
  live: (live: boolean) => void;
}

/** Opens the socket and keeps it open. Returns what ends it. */
export function listen(search: ProximityBody | null, handlers: Handlers): () => void {
  let socket: WebSocket | null = null;
  let attempts = 0;
  let ended = false;
  let retry: ReturnType<typeof setTimeout> | undefined;

  const say = (message: ClientFrame): void => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  const attend = (): void => {
    if (document.visibilityState === 'visible') say({ type: 'emit', name: 'attention', data: { seconds: ATTENTION_S } });
  };
  const open = (): void => {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const now = new WebSocket(`${scheme}://${location.host}/v1/socket`);
    socket = now;
    now.onopen = () => {
      attempts = 0;
      handlers.live(true);
      say({
        type: 'subscribe',
        id: 'feed',
        news: ['proximity.update', 'association.request', 'privacy.alert'],
        ...(search ? { proximity: search } : {}),
      });
      attend();
    };
    now.onmessage = (event: MessageEvent<unknown>) => {
      const heard = frame(event.data);
      if (heard) handlers.heard(heard);
    };
    now.onclose = ({ code }) => {
      if (ended || socket !== now) return;
      handlers.live(false);
      attempts += 1;
      const next = afterEnd(code, attempts);
      if (next === 'never') return;
      retry = setTimeout(open, next === 'at-once' ? 0 : next);
    };
  };

  const attention = setInterval(attend, (ATTENTION_S / 2) * 1000);
  document.addEventListener('visibilitychange', attend);
  open();
  return () => {
    ended = true;
    clearTimeout(retry);
    clearInterval(attention);
    document.removeEventListener('visibilitychange', attend);
    handlers.live(false);
    socket?.close();
  };
}
