import { afterEach, describe, expect, test, vi } from 'vitest';

import { agent, Refusal, sessions } from '../src/api/client';

interface Sent {
  path: string;
  init: RequestInit;
}

/** Answers that were taken down, in order; what was sent for them. */
function recorded(...answers: (Response | Error)[]): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    sent.push({ path, init });
    const answer = answers.shift() ?? new Response(null, { status: 204 });
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  return sent;
}

const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status });
const problem = (word: string, status: number): Response => json({ type: `urn:mosaic:problem:${word}`, title: word, status }, status);
const place = { lat: 41.153127, lon: -8.629581 };

afterEach(() => vi.unstubAllGlobals());

describe('calls', () => {
  test('no place, token or code is ever part of an address', async () => {
    const sent = recorded(json({ cards: [] }), json({ id: 'x' }), json({ id: 'x' }), new Response(null, { status: 204 }), new Response(new ArrayBuffer(3)));
    await agent.search({ location: place });
    await agent.broadcast({ context: 'secret words', location: place });
    await agent.associate({ contact: 'Ana', token: 'abcdefghijklmnopqrstuvwxyz012345' });
    await agent.enter('AbCdEfGhIjKlMnOpQrStUv');
    await agent.tile(14, 8192, 10_000, new AbortController().signal);
    for (const { path } of sent) expect(path).toMatch(/^\/v1\/[a-z/]+$/);
    expect(sent.every(({ init }) => init.method === 'POST' && init.cache === 'no-store' && init.referrerPolicy === 'no-referrer')).toBe(true);
  });

  test('what must not happen twice is sent again under the same key', async () => {
    const sent = recorded(new TypeError('connection reset'), json({ id: 'x' }));
    await agent.broadcast({ context: 'tea', location: place });
    const keys = sent.map(({ init }) => new Headers(init.headers).get('Idempotency-Key'));
    expect(keys).toHaveLength(2);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys[1]).toBe(keys[0]);
  });

  test('two different broadcasts have different keys', async () => {
    const sent = recorded(json({}), json({}));
    await agent.broadcast({ context: 'tea', location: place });
    await agent.broadcast({ context: 'tea', location: place });
    expect(new Set(sent.map(({ init }) => new Headers(init.headers).get('Idempotency-Key'))).size).toBe(2);
  });

  test('a refusal says what it was', async () => {
    recorded(problem('outside-area', 422));
    await expect(agent.search({ location: place })).rejects.toMatchObject({ word: 'outside-area' });
  });

  test('an agent that is gone is unreachable, and asked once where asking twice proves nothing', async () => {
    const sent = recorded(new TypeError('refused'));
    const refusal = await agent.status().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refusal);
    expect((refusal as Refusal).word).toBe('unreachable');
    expect(sent).toHaveLength(1);
  });

  test('a session that ended is told to the app, once for each call', async () => {
    let ended = 0;
    sessions.addEventListener('ended', () => (ended += 1));
    recorded(problem('unauthorized', 401), problem('unauthorized', 401));
    await agent.status().catch(() => undefined);
    expect(ended).toBe(1);
    expect(await agent.inside()).toBe(false);
    expect(ended).toBe(1);
  });

  test('an answer that is no JSON is a refusal, not a crash', async () => {
    recorded(new Response('<html>', { status: 500, statusText: 'broken' }));
    await expect(agent.settings()).rejects.toMatchObject({ problem: { status: 500, title: 'broken' } });
  });
});
