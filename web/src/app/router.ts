// The address: a path for the screen, and language and theme, which are kept there and nowhere else.

import { useSyncExternalStore } from 'react';

export const ROUTES = ['/broadcast', '/discover', '/gathering', '/association', '/privacy', '/onboarding'] as const;
export type Route = (typeof ROUTES)[number];

const changed = new EventTarget();

function subscribe(listener: () => void): () => void {
  changed.addEventListener('change', listener);
  addEventListener('popstate', listener);
  return () => {
    changed.removeEventListener('change', listener);
    removeEventListener('popstate', listener);
  };
}

/** The screen that a path names; the first one for any other. */
export function routeOf(path: string): Route {
  return ROUTES.find((route) => route === path) ?? '/broadcast';
}

export function useRoute(): Route {
  return routeOf(useSyncExternalStore(subscribe, () => location.pathname));
}

export function useParam(name: 'lang' | 'theme'): string | null {
  return useSyncExternalStore(subscribe, () => new URLSearchParams(location.search).get(name));
}

/** The address of a screen, with language and theme as they are. */
export const hrefOf = (route: Route): string => route + location.search;

export function go(route: Route): void {
  history.pushState(null, '', hrefOf(route));
  changed.dispatchEvent(new Event('change'));
}

export function setParam(name: 'lang' | 'theme', value: string | null): void {
  const params = new URLSearchParams(location.search);
  if (value === null) params.delete(name);
  else params.set(name, value);
  const query = params.toString();
  history.replaceState(null, '', location.pathname + (query && `?${query}`));
  changed.dispatchEvent(new Event('change'));
}

/** Takes the one-use code out of the address, so that no history and no shoulder has it. */
export function takeCode(): string | null {
  const code = codeIn(location.href);
  if (location.hash) history.replaceState(null, '', location.pathname + location.search);
  return code;
}

/** The code of an address that `mosaic open` printed, or a code by itself. */
export function codeIn(text: string): string | null {
  const bare = text.trim();
  const code = bare.includes('#') ? bare.slice(bare.lastIndexOf('#') + 1) : bare;
  return /^[0-9A-Za-z_-]{16,64}$/.test(code) ? code : null;
}
