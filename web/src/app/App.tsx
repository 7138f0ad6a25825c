import { useCallback, useEffect, useState, type ReactNode } from 'react';

import { agent, Refusal, sessions } from '../api/client';
import { place } from '../core/place';
import { useText } from '../i18n';
import { Lock, type Outside } from '../screens/Lock';
import { guard } from './guard';
import { codeIn, takeCode, useParam } from './router';
import { Shell } from './Shell';
import { Session } from './state';

/** Minutes without a touch until the app locks, unless the person chooses otherwise. */
const IDLE_MINUTES = 5;

/** Who is let in: nobody without a session, which a one-use code opened. */
export function App(): ReactNode {
  const { t } = useText();
  const [inside, setInside] = useState<boolean | null>(null);
  const [outside, setOutside] = useState<Outside>('closed');
  const [idleMinutes, setIdleMinutes] = useState(IDLE_MINUTES);
  useTheme();

  const locked = useCallback((why: Outside) => {
    place.forget();
    setOutside(why);
    setInside(false);
  }, []);
  const lock = useCallback(() => {
    // what is on the screen goes first: the agent may not answer
    locked('locked');
    void agent.leave().catch(() => undefined);
  }, [locked]);
  const enter = useCallback(async (code: string | null) => {
    try {
      if (code) await agent.enter(code);
      if (code || (await agent.inside())) setInside(true);
      else locked('closed');
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      locked(error.problem.status === 0 ? 'unreachable' : 'refused');
    }
  }, [locked]);

  useEffect(() => {
    void enter(takeCode());
    const arrived = (): void => {
      const code = takeCode();
      if (code) void enter(code);
    };
    const ended = (): void => locked('ended');
    addEventListener('hashchange', arrived);
    sessions.addEventListener('ended', ended);
    return () => {
      removeEventListener('hashchange', arrived);
      sessions.removeEventListener('ended', ended);
    };
  }, [enter, locked]);

  useEffect(() => (inside ? guard(idleMinutes, lock) : undefined), [inside, idleMinutes, lock]);

  if (inside === null) {
    return (
      <main className="alone">
        <p role="status">{t('loading')}</p>
      </main>
    );
  }
  if (!inside) return <Lock why={outside} enter={(text) => enter(text === null ? null : (codeIn(text) ?? text))} />;
  return (
    <Session idleMinutes={idleMinutes} setIdleMinutes={setIdleMinutes} lock={lock}>
      <Shell />
    </Session>
  );
}

function useTheme(): void {
  const theme = useParam('theme');
  useEffect(() => {
    if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  }, [theme]);
}
