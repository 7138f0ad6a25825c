// Languages: every text by key, and numbers, times and directions as each writes them.

import { createContext, Fragment, use, useEffect, useMemo, useState, type ReactNode } from 'react';

import { useParam } from '../app/router';
import { ClaimRef } from '../ui/Claim';
import { en, type Key, type Texts } from './en';
import { formats, type Formats } from './format';

export type { Key } from './en';
export const LANGUAGES = { en: 'English', de: 'Deutsch', ar: 'العربية' } as const;
export type Language = keyof typeof LANGUAGES;

const LOADERS: Record<Language, () => Promise<Texts>> = {
  en: () => Promise.resolve(en),
  de: async () => (await import('./de')).de,
  ar: async () => (await import('./ar')).ar,
};

export type Values = Record<string, string | number>;

/** Puts values where a text names them. */
export function fill(text: string, values: Values = {}): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The language to begin with: the one in the address, else the browser's, else English. */
export function chosen(param: string | null, preferred: readonly string[]): Language {
  const known = (tag: string): tag is Language => tag in LANGUAGES;
  if (param && known(param)) return param;
  return preferred.map((tag) => tag.slice(0, 2).toLowerCase()).find(known) ?? 'en';
}

interface Spoken extends Formats {
  language: Language;
  t: (key: Key, values?: Values) => string;
}

const Context = createContext<Spoken>({ language: 'en', t: (key, values) => fill(en[key], values), ...formats('en') });

export const useText = (): Spoken => use(Context);

export function Languages({ children }: { children: ReactNode }): ReactNode {
  const language = chosen(useParam('lang'), navigator.languages);
  const [loaded, setLoaded] = useState<{ language: Language; texts: Texts }>({ language: 'en', texts: en });

  useEffect(() => {
    let current = true;
    void LOADERS[language]().then((texts) => {
      if (current) setLoaded({ language, texts });
    });
    return () => {
      current = false;
    };
  }, [language]);

  useEffect(() => {
    document.documentElement.lang = loaded.language;
    document.documentElement.dir = loaded.language === 'ar' ? 'rtl' : 'ltr';
  }, [loaded.language]);

  const spoken = useMemo<Spoken>(
    () => ({
      language: loaded.language,
      t: (key, values) => fill(loaded.texts[key], values),
      ...formats(loaded.language),
    }),
    [loaded],
  );
  // nothing is shown in one language only to change to another
  return loaded.language === language ? <Context value={spoken}>{children}</Context> : null;
}

const CITATION = /\s*\[(CL-\d+)\]/g;

/** A text whose citations open the claim they stand for. */
export function Say({ k, values }: { k: Key; values?: Values }): ReactNode {
  const { t } = useText();
  const parts = t(k, values).split(CITATION);
  // the point after a citation does not begin a line
  const mark = (index: number): string => /^[.,;:،؛]/.exec(parts[index] ?? '')?.[0] ?? '';
  return parts.map((part, index) =>
    index % 2 === 0 ? (
      <Fragment key={index}>{index === 0 ? part : part.slice(mark(index).length)}</Fragment>
    ) : (
      <span key={index} className="cited">
        <ClaimRef id={part} />
        {mark(index + 1)}
      </span>
    ),
  );
}
