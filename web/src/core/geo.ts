// Positions as people write them, and the noise that the introduction shows.

import type { Position } from '../api/types';

const NUMBER = /([+-]?\d{1,3}(?:\.\d+)?)\s*°?\s*([NSEWnsew])?/;
const PAIR = new RegExp(`^\\s*${NUMBER.source}\\s*[,;\\s]\\s*${NUMBER.source}\\s*$`);

/** Reads `41.15, -8.63`, `41.15 N 8.63 W` and the like; `null` where it is no position on Earth. */
export function parsePosition(text: string): Position | null {
  const parts = PAIR.exec(text);
  if (!parts) return null;
  const [, first = '', firstMark = '', second = '', secondMark = ''] = parts;
  const [north, east] = [firstMark.toUpperCase(), secondMark.toUpperCase()];
  if ((north && !'NS'.includes(north)) || (east && !'EW'.includes(east))) return null;
  const lat = Number(first) * (north === 'S' ? -1 : 1);
  const lon = Number(second) * (east === 'W' ? -1 : 1);
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { lat, lon } : null;
}

/** To two decimals, about a kilometre: all that the app shows of a true position, and all a map is centred on. */
export function coarse({ lat, lon }: Position): Position {
  const rounded = (value: number): number => Math.round(value * 100) / 100;
  return { lat: rounded(lat), lon: rounded(lon) };
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The scale ln 4 at 200 m of balanced mode, per metre. */
export const EPSILON_PER_M = Math.log(4) / 200;

/**
 * Planar Laplace noise (Andrés et al. 2013): a uniform angle and a radius whose distribution is the Gamma of shape 2,
 * which is the sum of two exponentials. For pictures: what leaves the device is drawn by the agent, from integers.
 */
export function laplace(random: () => number): Point {
  const exponential = (): number => -Math.log(1 - random()) / EPSILON_PER_M;
  const radius = exponential() + exponential();
  const angle = 2 * Math.PI * random();
  return { x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
}

export function mean(points: readonly Point[]): Point {
  const sum = points.reduce((all, { x, y }) => ({ x: all.x + x, y: all.y + y }), { x: 0, y: 0 });
  return { x: sum.x / points.length, y: sum.y / points.length };
}

export const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

/** A corner circle on a sphere: the ring of `radius` metres around a position, as longitudes and latitudes. */
export function circle(center: Position, radius: number, corners = 64): [number, number][] {
  const perDegree = 111_320;
  const shrink = Math.max(0.01, Math.cos((center.lat * Math.PI) / 180));
  return Array.from({ length: corners + 1 }, (_, index) => {
    const angle = (2 * Math.PI * (index % corners)) / corners;
    return [
      center.lon + (radius * Math.cos(angle)) / (perDegree * shrink),
      center.lat + (radius * Math.sin(angle)) / perDegree,
    ];
  });
}
