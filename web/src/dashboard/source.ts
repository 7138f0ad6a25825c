// Where the dashboard's figures come from: the listener that serves it, on a loopback address of the provider's machine.

import type { AggregatesReply } from '../api/types';

async function got(path: string): Promise<Response> {
  // eslint-disable-next-line no-restricted-globals -- the provider's own listener, which has no session and no place
  const answer = await fetch(path, { credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer' });
  if (!answer.ok) throw new Error(answer.statusText);
  return answer;
}

/** The provider's counts, in Prometheus' text format. */
export const metrics = async (): Promise<string> => (await got('/metrics')).text();

/** What two providers published of days, as `GET /v1/aggregates` of an agent tells it. */
export const statements = async (): Promise<AggregatesReply['statements']> =>
  ((await (await got('/statements.json')).json()) as AggregatesReply).statements;
