// What the screens share: the agent's status and settings, the feed, and what the person typed for this session. All of
// it is in memory, and gone when the app locks.

import { createContext, use, useCallback, useEffect, useMemo, useState, type ReactNode } from 'react';

import { agent, Refusal } from '../api/client';
import { arrived, EMPTY, found, type Feed } from '../api/feed';
import { listen } from '../api/socket';
import type { ProximityBody, Settings, SettingsBody, Status, Warning } from '../api/types';
import type { Gathering } from '../core/gathering';

/** How often the status is asked for while somebody looks, milliseconds. */
const STATUS_MS = 4000;

export interface Search {
  readonly radius: number;
  /** Seconds back. */
  readonly window: number;
  readonly context: string;
}

/** What got worse; `seen` once the person put it away. */
export interface Alert extends Warning {
  readonly seen: boolean;
}

/** One of a kind is told: each new subscription tells again what stands, and only what it says anew is shown again. */
export function raised(known: readonly Alert[], alert: Warning): readonly Alert[] {
  const same = known.find(({ kind }) => kind === alert.kind);
  if (same?.text === alert.text) return known;
  return [...known.filter((other) => other !== same), { ...alert, seen: false }];
}

interface Shared {
  status: Status | null;
  /** The agent's time, unix seconds; 0 until it answered. */
  now: number;
  settings: Settings | null;
  unreachable: boolean;
  refresh: () => Promise<void>;
  change: (body: SettingsBody) => Promise<void>;
  feed: Feed;
  live: boolean;
  searched: boolean;
  complete: boolean;
  search: (body: ProximityBody) => Promise<void>;
  alerts: readonly Alert[];
  dismiss: (alert: Alert) => void;
  /** What others see of the person, for this session. */
  contact: string;
  setContact: (contact: string) => void;
  gatherings: readonly Gathering[];
  setGatherings: (gatherings: readonly Gathering[]) => void;
  wish: Search;
  setWish: (wish: Search) => void;
  capture: boolean;
  setCapture: (capture: boolean) => void;
  idleMinutes: number;
  setIdleMinutes: (minutes: number) => void;
  lock: () => void;
}

const Context = createContext<Shared | null>(null);

export function useShared(): Shared {
  const shared = use(Context);
  if (!shared) throw new Error('outside the session');
  return shared;
}

interface Props {
  idleMinutes: number;
  setIdleMinutes: (minutes: number) => void;
  lock: () => void;
  children: ReactNode;
}

export function Session({ idleMinutes, setIdleMinutes, lock, children }: Props): ReactNode {
  const [status, setStatus] = useState<Status | null>(null);
  const [settings, setSettings] = useState<Settings | null>(null);
  const [unreachable, setUnreachable] = useState(false);
  const [feed, setFeed] = useState<Feed>(EMPTY);
  const [live, setLive] = useState(false);
  const [searching, setSearching] = useState<ProximityBody | null>(null);
  const [complete, setComplete] = useState(false);
  const [alerts, setAlerts] = useState<readonly Alert[]>([]);
  const [contact, setContact] = useState('');
  const [gatherings, setGatherings] = useState<readonly Gathering[]>([]);
  const [wish, setWish] = useState<Search>({ radius: 500, window: 7200, context: '' });
  const [capture, setCapture] = useState(false);

  const refresh = useCallback(async () => {
    try {
      const [now, set] = await Promise.all([agent.status(), agent.settings()]);
      setStatus(now);
      setSettings(set);
      setUnreachable(false);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      setUnreachable(error.problem.status === 0);
    }
  }, []);

  useEffect(() => {
    const visit = (): void => {
      if (document.visibilityState === 'visible') void refresh();
    };
    visit();
    const timer = setInterval(visit, STATUS_MS);
    document.addEventListener('visibilitychange', visit);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', visit);
    };
  }, [refresh]);

  const change = useCallback(
    async (body: SettingsBody) => {
      setSettings(await agent.change(body));
      await refresh();
    },
    [refresh],
  );

  const search = useCallback(async (body: ProximityBody) => {
    const answer = await agent.search(body);
    setFeed(found(answer.cards));
    setComplete(answer.complete);
    setSearching(body);
  }, []);

  useEffect(
    () =>
      listen(searching, {
        live: setLive,
        heard: (frame) => {
          if (frame.type === 'proximity.update') setFeed((known) => arrived(known, frame.cards));
          else if (frame.type === 'privacy.alert') setAlerts((known) => raised(known, frame.alert));
          else if (frame.type === 'association.request') void refresh();
          else if (frame.type === 'missed') setFeed((known) => ({ ...known, missed: true }));
        },
      }),
    [searching, refresh],
  );

  // thrown away on the way here, so asked for again
  useEffect(() => {
    if (feed.missed && searching) void search(searching).catch(() => undefined);
  }, [feed.missed, searching, search]);

  const shared = useMemo<Shared>(
    () => ({
      status, now: status?.now ?? 0, settings, unreachable, refresh, change, feed, live, searched: searching !== null, complete, search, alerts,
      dismiss: (alert) => setAlerts((known) => known.map((other) => (other === alert ? { ...other, seen: true } : other))),
      contact, setContact, gatherings, setGatherings, wish, setWish, capture, setCapture, idleMinutes, setIdleMinutes, lock,
    }),
    [status, settings, unreachable, refresh, change, feed, live, searching, complete, search, alerts, contact, gatherings,
      wish, capture, idleMinutes, setIdleMinutes, lock],
  );
  return <Context value={shared}>{children}</Context>;
}
