// What a request for noise comes to, lane by lane, before anything is sent (DESIGN: lanes and modes). The agent decides;
// this only shows at once what it would decide.

import type { Mode } from '../api/types';

export type Lane = 'discovery' | 'rendezvous';

/** Bundles or records in an event. */
export const SLOTS = 10;
export const LEAST = 0.3;
export const MOST = 0.8;

const FLOORS: Record<Mode, Record<Lane, number>> = {
  emergency: { rendezvous: 0.3, discovery: 0.6 },
  balanced: { rendezvous: 0.5, discovery: 0.6 },
  maximum: { rendezvous: 0.8, discovery: 0.8 },
};

/** The least noise of a mode on a lane, 0 to 1. */
export function floor(mode: Mode, lane: Lane): number {
  return FLOORS[mode][lane];
}

/** What applies where `requested` was asked for. */
export function effective(mode: Mode, requested: number, lane: Lane): number {
  const wished = Math.min(MOST, Math.max(LEAST, requested));
  return Math.max(wished, floor(mode, lane));
}

/** The most slots of ten that may be real: one for strangers, by noise between people who share a secret. */
export function mostReal(mode: Mode, requested: number, lane: Lane): number {
  if (lane === 'discovery') return 1;
  // in tenths, and rounded first: 1 - 0.7 is a little less than 0.3 in binary
  return Math.floor(Math.round((1 - effective(mode, requested, lane)) * 1000) / 100);
}

/** Which of ten positions an animation lets look real: drawn anew, so that it shows nothing of the device's. */
export function drawSlots(real: number, random: () => number): boolean[] {
  const slots = Array.from({ length: SLOTS }, (_, index) => index < real);
  for (let last = SLOTS - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [slots[last], slots[other]] = [slots[other] ?? false, slots[last] ?? false];
  }
  return slots;
}
