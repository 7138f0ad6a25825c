// Around every screen: where one is, where one can go, and the ways out that have to be at hand everywhere.

import { useEffect, useRef, useState, type MouseEvent, type ReactNode } from 'react';

import { LANGUAGES, Say, useText, type Key } from '../i18n';
import { AssociationScreen } from '../screens/Association';
import { BroadcastScreen } from '../screens/Broadcast';
import { DiscoverScreen } from '../screens/Discover';
import { EmergencyDialog } from '../screens/Emergency';
import { GatheringScreen } from '../screens/Gathering';
import { OnboardingScreen } from '../screens/Onboarding';
import { PrivacyScreen } from '../screens/Privacy';
import { Icon, type IconName } from '../ui/Icon';
import { Mark } from '../ui/Mark';
import { Notice, Told } from '../ui/parts';
import { go, hrefOf, setParam, useParam, useRoute, type Route } from './router';
import { useShared } from './state';

const SCREENS: Record<Route, () => ReactNode> = {
  '/broadcast': BroadcastScreen,
  '/discover': DiscoverScreen,
  '/gathering': GatheringScreen,
  '/association': AssociationScreen,
  '/privacy': PrivacyScreen,
  '/onboarding': OnboardingScreen,
};

const TABS: readonly { route: Route; icon: IconName; key: Key }[] = [
  { route: '/broadcast', icon: 'broadcast', key: 'nav.broadcast' },
  { route: '/discover', icon: 'discover', key: 'nav.discover' },
  { route: '/gathering', icon: 'gathering', key: 'nav.gathering' },
  { route: '/association', icon: 'people', key: 'nav.people' },
  { route: '/privacy', icon: 'privacy', key: 'nav.privacy' },
];

export function Shell(): ReactNode {
  const { t } = useText();
  const { status, unreachable, alerts, dismiss, capture, setCapture, lock } = useShared();
  const route = useRoute();
  const Screen = SCREENS[route];
  const main = useRef<HTMLElement>(null);
  const [emergency, setEmergency] = useState(false);
  useTitleAndFocus(route, main);
  useVeil();
  useEffect(() => {
    document.documentElement.classList.toggle('shielding', capture);
    return () => document.documentElement.classList.remove('shielding');
  }, [capture]);

  return (
    <div className="shell">
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>
        {t('nav.skip')}
      </a>
      <header className="top">
        <Mark />
        <div className="top-actions">
          <button type="button" className="quiet icon-only" aria-pressed={capture} aria-label={t('capture.toggle')} title={t('capture.toggle')} onClick={() => setCapture(!capture)}>
            <Icon name={capture ? 'hidden' : 'eye'} />
          </button>
          <button type="button" className="quiet icon-only" aria-label={t('lock.now')} title={t('lock.now')} onClick={lock}>
            <Icon name="lock" />
          </button>
          <button type="button" className="emergency" onClick={() => setEmergency(true)}>
            <Icon name="alarm" />
            {t('emergency.open')}
          </button>
        </div>
      </header>
      <nav className="tabs" aria-label={t('nav.label')}>
        {TABS.map(({ route: to, icon, key }) => (
          <Tab key={to} to={to} here={to === route} icon={icon} label={t(key)} count={to === '/association' ? (status?.waves_waiting ?? 0) : 0} />
        ))}
      </nav>
      <main id="main" ref={main} tabIndex={-1}>
        <div aria-live="polite">
          {unreachable && <Notice tone="bad">{t('problem.unreachable')}</Notice>}
          {alerts.filter(({ seen }) => !seen).map((alert) => (
            <Notice key={alert.kind} tone="warn">
              <Told warning={alert} />
              <button type="button" className="quiet icon-only dismiss" aria-label={t('dismiss')} onClick={() => dismiss(alert)}>
                <Icon name="close" />
              </button>
            </Notice>
          ))}
        </div>
        {status?.federation.practice && (
          <p className="practice">
            <Say k="practice.banner" />
          </p>
        )}
        <Screen />
      </main>
      <footer className="bottom">
        <Preferences />
        <p>
          <Say k="unaudited" />
        </p>
      </footer>
      <EmergencyDialog open={emergency} close={() => setEmergency(false)} />
    </div>
  );
}

function Tab({ to, here, icon, label, count }: { to: Route; here: boolean; icon: IconName; label: string; count: number }): ReactNode {
  const { t, number } = useText();
  const clicked = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a href={hrefOf(to)} aria-current={here ? 'page' : undefined} onClick={clicked}>
      <Icon name={icon} />
      <span>{label}</span>
      {count > 0 && (
        <span className="badge">
          {number(count)}
          <span className="unseen"> {t('nav.waiting')}</span>
        </span>
      )}
    </a>
  );
}

/** Language and theme: kept in the address alone. */
export function Preferences(): ReactNode {
  const { t, language } = useText();
  const theme = useParam('theme');
  return (
    <div className="preferences">
      <label>
        {t('language')}
        <select value={language} onChange={(event) => setParam('lang', event.target.value)}>
          {Object.entries(LANGUAGES).map(([tag, name]) => (
            <option key={tag} value={tag} lang={tag}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t('theme')}
        <select value={theme ?? ''} onChange={(event) => setParam('theme', event.target.value || null)}>
          <option value="">{t('theme.auto')}</option>
          <option value="light">{t('theme.light')}</option>
          <option value="dark">{t('theme.dark')}</option>
        </select>
      </label>
    </div>
  );
}

function useTitleAndFocus(route: Route, main: React.RefObject<HTMLElement | null>): void {
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  }, [route, main]);
}

/** While the page is out of view, and so on a switcher's thumbnail, what is sensitive is not on it. */
function useVeil(): void {
  useEffect(() => {
    const seen = (): void => {
      document.documentElement.classList.toggle('veiled', document.visibilityState !== 'visible' || !document.hasFocus());
    };
    for (const kind of ['visibilitychange', 'blur', 'focus', 'pagehide', 'pageshow']) addEventListener(kind, seen);
    document.addEventListener('visibilitychange', seen);
    return () => {
      for (const kind of ['visibilitychange', 'blur', 'focus', 'pagehide', 'pageshow']) removeEventListener(kind, seen);
      document.removeEventListener('visibilitychange', seen);
      document.documentElement.classList.remove('veiled');
    };
  }, []);
}
