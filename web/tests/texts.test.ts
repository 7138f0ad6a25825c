import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import ledger from '../src/claims.json';
import { chosen, fill } from '../src/i18n';
import { ar } from '../src/i18n/ar';
import { de } from '../src/i18n/de';
import { en, type Key } from '../src/i18n/en';
import { claims } from '../tools/claims.mjs';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const keys = Object.keys(en) as Key[];
const marks = (text: string): string[] => (text.match(/\{\w+\}|\[CL-\d+\]|`[^`]+`/g) ?? []).sort();
const SAME_IN_ALL = new Set(['compose.placeholder', 'compose.more', 'nobody.gatheringIs']);
/** Words that a promise is made with. */
const PROMISE = /\b(cannot tell|learn|hidden from|unreadable|never leaves|only they|nobody can)\b/i;
/** They use such words and promise nothing about the system. */
const PROMISES_NOTHING = new Set([
  'filter.local', 'people.askingLead', 'quiz.gate', 'q1.ask', 'people.lead', 'warning.unsent', 'capture.hint', 'wave.next',
]);

describe.each([['de', de], ['ar', ar]] as const)('%s', (name, texts) => {
  test(`every text exists in ${name}, with the same values, commands and citations`, () => {
    expect(Object.keys(texts).sort()).toEqual([...keys].sort());
    for (const key of keys) {
      expect(texts[key].trim(), key).not.toBe('');
      expect(marks(texts[key]), key).toEqual(marks(en[key]));
    }
  });

  test(`nothing is left in English in ${name}`, () => {
    const same = keys.filter((key) => texts[key] === en[key] && !SAME_IN_ALL.has(key));
    // words that both languages share
    expect(same.filter((key) => !/^(out\.|class\.|kind\.|invite\.|feed\.live|budget\.title|mode\.maximum|card\.)/.test(key))).toEqual([]);
  });
});

test('every citation of the app stands in the ledger', () => {
  const cited = new Set(Object.values(en).flatMap((text) => [...text.matchAll(/\[(CL-\d+)\]/g)].map(([, id]) => id ?? '')));
  expect(cited.size).toBeGreaterThan(10);
  for (const id of cited) expect(ledger, `${id} is cited and unknown`).toHaveProperty(id);
});

test('what the app shows of the claims is the ledger', () => {
  expect(claims(readFileSync(here('../../docs/claims.toml'), 'utf8'))).toEqual(ledger);
});

test('a sentence with the words of a promise cites a claim', () => {
  const bare = keys.filter((key) => PROMISE.test(en[key]) && !en[key].includes('[CL-') && !PROMISES_NOTHING.has(key));
  expect(bare).toEqual([]);
});

test('every text is used, and no screen shows a text that is not there', () => {
  const files = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? files(`${folder}/${entry.name}`) : /\.tsx?$/.test(entry.name) && !/i18n\/(en|de|ar)$/.test(`${folder}/${entry.name}`.replace(/\.ts$/, '')) ? [`${folder}/${entry.name}`] : [],
    );
  const code = files(here('../src')).map((path) => readFileSync(path, 'utf8')).join('\n');
  const prefixes = [...code.matchAll(/`([\w.]+)\.\$\{/g)].map(([, prefix]) => `${prefix ?? ''}.`);
  const suffixed = [...code.matchAll(/`\$\{question\}\.\w+`/g)].length > 0;
  const unused = keys.filter(
    (key) => !code.includes(`'${key}'`) && !code.includes(`"${key}"`) && !prefixes.some((prefix) => key.startsWith(prefix)) && !(suffixed && /^q\d\./.test(key)),
  );
  expect(unused).toEqual([]);
});

test('a value is put where it is named, and what is missing stays to be seen', () => {
  expect(fill('{a} of {b}', { a: 1 })).toBe('1 of {b}');
});

test('the address chooses the language, then the browser, then English', () => {
  expect(chosen('ar', ['de'])).toBe('ar');
  expect(chosen('xx', ['fr-FR', 'de-AT'])).toBe('de');
  expect(chosen(null, ['fr'])).toBe('en');
});
