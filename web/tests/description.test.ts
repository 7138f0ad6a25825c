import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript';
import { expect, test } from 'vitest';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

test('the types are those of the description; `npm run types` makes them anew', async () => {
  const description = JSON.parse(readFileSync(here('../../docs/openapi.json'), 'utf8')) as OpenAPI3;
  const made = astToString(await openapiTS(description, { defaultNonNullable: false }));
  const kept = readFileSync(here('../src/api/schema.d.ts'), 'utf8');
  expect(kept.slice(kept.indexOf('export interface paths'))).toBe(made.slice(made.indexOf('export interface paths')));
});

test('every path that the client calls is described', () => {
  const described = Object.keys((JSON.parse(readFileSync(here('../../docs/openapi.json'), 'utf8')) as OpenAPI3).paths ?? {});
  const client = readFileSync(here('../src/api/client.ts'), 'utf8');
  const called = [...client.matchAll(/'(?:GET|POST|PUT|PATCH|DELETE)', ['`](\/v1\/[^'`]+)['`]/g)].map(([, path]) => (path ?? '').replace(/\$\{id\(which\)\}/g, '{id}'));
  expect(called.length).toBeGreaterThan(20);
  expect(called.filter((path) => !described.includes(path))).toEqual([]);
});
