// What an operator sees of their own provider: counts that it makes anyway (Prometheus' text format) and statements that
// are public anyway. No route of an event, a row or an address is asked for, and there is none.

import type { AggregatesReply } from '../api/types';

/** Samples by name. Those with labels are left out: the dashboard has no use for them. */
export type Samples = ReadonlyMap<string, number>;

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)\s+(\S+)(?:\s+-?\d+)?$/;
const PREFIX = 'mosaic_provider_';

/** Reads an exposition; a line that is none is passed over, as scrapers do with what they do not know. */
export function samples(text: string): Samples {
  const read = new Map<string, number>();
  for (const line of text.split('\n')) {
    const parts = LINE.exec(line.trim());
    const [, name = '', value = ''] = parts ?? [];
    const number = Number(value);
    if (name.startsWith(PREFIX) && value !== '' && Number.isFinite(number)) read.set(name.slice(PREFIX.length), number);
  }
  return read;
}

const HOUR = 3600;
/** Hours that are shown (L6-21). */
export const HOURS = 24;

/** Growth of a counter by hour: the newest last. */
export interface Hourly {
  /** Number of the hour since 1970 that the last bucket is. */
  readonly hour: number;
  readonly counts: readonly number[];
  readonly last: number | null;
}

export const NO_HOURS: Hourly = { hour: 0, counts: Array.from({ length: HOURS }, () => 0), last: null };

/** Adds what a counter grew by until `now` (unix seconds). A counter that fell began anew, and counts from nought. */
export function counted(hourly: Hourly, now: number, value: number): Hourly {
  const hour = Math.floor(now / HOUR);
  const passed = hourly.last === null ? HOURS : Math.min(HOURS, Math.max(0, hour - hourly.hour));
  const counts = [...hourly.counts.slice(passed), ...Array.from({ length: passed }, () => 0)];
  const grown = hourly.last === null ? 0 : value >= hourly.last ? value - hourly.last : value;
  counts[HOURS - 1] = (counts[HOURS - 1] ?? 0) + grown;
  return { hour: Math.max(hour, hourly.hour), counts, last: value };
}

export interface Category {
  readonly name: string;
  readonly people: number;
}

/** The ten most wished-for classes of a statement (L6-23): equal ones by name, and none that is too few to say. */
export function top(statement: AggregatesReply['statements'][number]): Category[] {
  return statement.classes
    .flatMap(({ class: name, people }) => (people != null && people >= statement.fewest ? [{ name, people }] : []))
    .sort((a, b) => b.people - a.people || (a.name < b.name ? -1 : 1))
    .slice(0, 10);
}

export interface Alert {
  readonly grave: boolean;
  readonly text: string;
}

/** What an operator should look after (L6-29), gravest first. */
export function alerts(now: Samples): Alert[] {
  const of = (name: string): number => now.get(name) ?? 0;
  const found: Alert[] = [];
  if (now.has('ready') && of('ready') === 0) found.push({ grave: true, text: 'The provider does not take requests yet, or no more.' });
  if (of('evidence_total') > 0) found.push({ grave: true, text: `Evidence against providers: ${of('evidence_total').toLocaleString('en')}. See “Evidence” in the handbook.` });
  if (now.has('peers_up') && of('peers_up') < 2) found.push({ grave: true, text: `Other providers that answer: ${of('peers_up').toLocaleString('en')}. Deposits need a second one.` });
  if (of('records_full_total') > 0) found.push({ grave: false, text: `Records refused because their row was full: ${of('records_full_total').toLocaleString('en')}.` });
  if (of('deposits_waiting') > 1000) found.push({ grave: false, text: `Deposits that wait for a replica: ${of('deposits_waiting').toLocaleString('en')}.` });
  return found;
}
