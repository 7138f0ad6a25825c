// A gathering as a QR or a line of text: which federation, which public places, which topic, which hours. Whoever
// hangs it on a wall makes it public; nothing of the reader is in it, and reading it asks nobody anything.

import type { Position } from '../api/types';

const PREFIX = 'mosaic-gathering:1:';
/** A QR of this many characters is still read off paper. */
const MOST = 1200;

export interface Gathering {
  /** Digest of the federation's document, 64 hexadecimal digits. */
  readonly pin: string;
  readonly federation: string;
  /** What it is about: the words that people who come say. */
  readonly topic: string;
  readonly places: readonly { readonly name: string; readonly at: Position }[];
  /** Unix seconds. */
  readonly from: number;
  readonly until: number;
}

/** As text; a place to three decimals, about a hundred metres: a square, not a doorbell. */
export function encode(gathering: Gathering): string {
  const { pin, federation, topic, from, until } = gathering;
  const places = gathering.places.map(({ name, at }) => [name, thousandths(at.lat), thousandths(at.lon)]);
  return PREFIX + toBase64Url(new TextEncoder().encode(JSON.stringify([pin, federation, topic, places, from, until])));
}

/** Reads what somebody scanned or pasted; `null` where it is no gathering. */
export function decode(text: string): Gathering | null {
  const line = text.trim();
  if (!line.startsWith(PREFIX) || line.length > MOST) return null;
  try {
    const bytes = fromBase64Url(line.slice(PREFIX.length));
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return checked(value);
  } catch {
    return null;
  }
}

function checked(value: unknown): Gathering | null {
  if (!Array.isArray(value)) return null;
  const [pin, federation, topic, places, from, until] = value as unknown[];
  if (typeof pin !== 'string' || !/^[0-9a-f]{64}$/.test(pin)) return null;
  if (!words(federation, 100) || !words(topic, 500) || !moment(from) || !moment(until) || until <= from) return null;
  if (!Array.isArray(places) || places.length === 0 || places.length > 5) return null;
  const read = places.map((place: unknown) => {
    if (!Array.isArray(place)) return null;
    const [name, lat, lon] = place as unknown[];
    if (!words(name, 100) || typeof lat !== 'number' || typeof lon !== 'number') return null;
    return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { name, at: { lat, lon } } : null;
  });
  if (read.includes(null)) return null;
  return { pin, federation, topic, places: read.filter((place) => place !== null), from, until };
}

const words = (value: unknown, most: number): value is string =>
  typeof value === 'string' && value.trim() !== '' && value.length <= most && !hasControls(value);
const hasControls = (text: string): boolean => Array.from(text).some((letter) => letter < ' ' || letter === '\u007f');
const moment = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

function toBase64Url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function fromBase64Url(text: string): Uint8Array {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

const thousandths = (value: number): number => Math.round(value * 1000) / 1000;
