// Calls to the person's own agent: same origin, session by cookie, never a token or a place in a URL.

import type * as T from './types';

/** A refusal of the agent (RFC 9457), or what stands for one where no agent answered. */
export class Refusal extends Error {
  constructor(readonly problem: T.ProblemBody) {
    super(problem.title);
  }

  /** The last word of the problem's type: `invalid-position`. */
  get word(): string {
    return this.problem.type.split(':').at(-1) ?? 'internal';
  }
}

/** Nobody answered. Not a problem of the agent's: it may have been stopped. */
export const UNREACHABLE = 'unreachable';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface Options {
  body?: unknown;
  /** Asking twice would do it twice: sent under a key of its own, so that one retry is safe. */
  once?: boolean;
  signal?: AbortSignal;
}

/** Told when the agent no longer knows the session. */
export const sessions = new EventTarget();

async function send(method: Method, path: string, { body, once, signal }: Options): Promise<Response> {
  const headers = new Headers({ Accept: 'application/json' });
  if (body !== undefined) headers.set('Content-Type', 'application/json');
  if (once) headers.set('Idempotency-Key', crypto.randomUUID());
  const init: RequestInit = {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
    credentials: 'same-origin',
    cache: 'no-store',
    referrerPolicy: 'no-referrer',
    redirect: 'error',
    signal: signal ?? null,
  };
  const attempt = (): Promise<Response> => fetch(path, init);
  const unreachable = (error: unknown): never => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Refusal({ type: `urn:mosaic:problem:${UNREACHABLE}` as T.ProblemBody['type'], title: UNREACHABLE, status: 0 });
  };
  try {
    return await attempt();
  } catch (error) {
    if (!once) return unreachable(error);
    return attempt().catch(unreachable);
  }
}

async function refusal(response: Response): Promise<Refusal> {
  const fallback: T.ProblemBody = { type: 'urn:mosaic:problem:internal', title: response.statusText, status: response.status };
  const problem = (await response.json().catch(() => fallback)) as T.ProblemBody;
  return new Refusal({ ...fallback, ...problem });
}

async function answered(method: Method, path: string, options: Options = {}): Promise<Response> {
  const response = await send(method, path, options);
  if (response.ok) return response;
  if (response.status === 401 && !path.startsWith('/v1/session')) sessions.dispatchEvent(new Event('ended'));
  throw await refusal(response);
}

async function call<Answer>(method: Method, path: string, options: Options = {}): Promise<Answer> {
  return (await answered(method, path, options)).json() as Promise<Answer>;
}

async function act(method: Method, path: string, options: Options = {}): Promise<void> {
  await answered(method, path, options);
}

/** Ids of the API are hexadecimal; anything else would be a mistake of ours, and stays out of a path. */
const id = (value: string): string => encodeURIComponent(value);

export const agent = {
  /** Exchanges the one-use code of the address for a session. */
  enter: (code: string) => act('POST', '/v1/session', { body: { code } }),
  /** Whether there is a session. */
  inside: async (): Promise<boolean> => {
    try {
      await act('GET', '/v1/session');
      return true;
    } catch (error) {
      if (error instanceof Refusal && error.problem.status === 401) return false;
      throw error;
    }
  },
  leave: () => act('DELETE', '/v1/session'),

  status: () => call<T.Status>('GET', '/v1/status'),
  settings: () => call<T.Settings>('GET', '/v1/config'),
  change: (body: T.SettingsBody) => call<T.Settings>('PUT', '/v1/config', { body }),

  preview: (context: string, signal: AbortSignal) => call<T.Preview>('POST', '/v1/preview', { body: { context }, signal }),
  broadcasts: async () => (await call<{ broadcasts: T.Broadcast[] }>('GET', '/v1/broadcasts')).broadcasts,
  broadcast: (body: T.BroadcastBody) => call<T.BroadcastReply>('POST', '/v1/broadcast', { body, once: true }),
  stricter: (which: string, body: { noise_ratio?: number; ttl_hours?: number }) =>
    call<T.Broadcast>('PATCH', `/v1/broadcasts/${id(which)}`, { body }),
  withdraw: (which: string) => act('DELETE', `/v1/broadcasts/${id(which)}`),

  search: (body: T.ProximityBody) => call<T.ProximityReply>('POST', '/v1/proximity', { body }),
  // by id: the word `all` means those that match what this person broadcasts, which may be nothing
  wave: (cards: readonly string[], contact: string) =>
    call<T.WaveReply>('POST', '/v1/wave', { body: { cards, contact }, once: true }),
  openDoor: () => call<T.OpenDoorReply>('POST', '/v1/open-door', { once: true }),
  aggregates: () => call<T.AggregatesReply>('GET', '/v1/aggregates'),

  waves: async () => (await call<{ waves: T.IncomingWave[] }>('GET', '/v1/waves')).waves,
  associations: async () => (await call<{ associations: T.Association[] }>('GET', '/v1/associations')).associations,
  associate: (body: T.AssociateBody) => call<T.AssociateReply>('POST', '/v1/associate', { body, once: true }),
  accept: (which: string, contact: string) =>
    act('POST', `/v1/associations/${id(which)}/accept`, { body: { contact }, once: true }),
  decline: (which: string) => act('POST', `/v1/associations/${id(which)}/decline`, { once: true }),
  deleteAssociation: (which: string) => act('DELETE', `/v1/associations/${id(which)}`),
  people: async () => (await call<{ people: T.Person[] }>('GET', '/v1/people')).people,
  keep: (which: string) => act('POST', `/v1/people/${id(which)}/keep`, { once: true }),
  forget: (which: string) => act('DELETE', `/v1/people/${id(which)}`),

  receipts: () => call<T.ReceiptsReply>('GET', '/v1/receipts'),

  /** One tile of the agent's own place index. The place asked about is in the body, as in every call. */
  tile: async (z: number, x: number, y: number, signal: AbortSignal): Promise<ArrayBuffer> =>
    (await answered('POST', '/v1/map/tile', { body: { z, x, y }, signal })).arrayBuffer(),
};
