// The noise visualiser: the ten slots of one event, which of them are mine, and how sure an attacker could be.

import { useEffect, useMemo, useState, type ReactNode } from 'react';

import type { Mode } from '../api/types';
import { drawSlots, effective, mostReal, SLOTS, type Lane } from '../core/noise';
import { Say, useText } from '../i18n';
import { Choice } from './parts';

/** Every so often the slots are drawn anew, as each event's are. Milliseconds. */
const EVENT_MS = 3000;
const COLUMNS = 5;
const STEP = 22;

/** Uniform in [0, 1), from the browser's generator. */
export const uniform = (): number => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;

function useStill(): boolean {
  const query = useMemo(() => matchMedia('(prefers-reduced-motion: reduce)'), []);
  const [still, setStill] = useState(query.matches);
  useEffect(() => {
    const changed = (): void => setStill(query.matches);
    query.addEventListener('change', changed);
    return () => query.removeEventListener('change', changed);
  }, [query]);
  return still;
}

export function Slots({ mode, requested, speaking }: { mode: Mode; requested: number; speaking: boolean }): ReactNode {
  const { t, percent, number } = useText();
  const [lane, setLane] = useState<Lane>('discovery');
  const [mine, setMine] = useState(false);
  const still = useStill();
  const real = speaking ? mostReal(mode, requested, lane) : 0;
  const [drawn, setDrawn] = useState<{ real: number; slots: boolean[] }>(() => ({ real, slots: drawSlots(real, uniform) }));
  // a change is seen at once, not with the next event
  const slots = drawn.real === real ? drawn.slots : drawSlots(real, uniform);
  if (drawn.real !== real) setDrawn({ real, slots });

  useEffect(() => {
    if (still) return;
    const timer = setInterval(() => setDrawn({ real, slots: drawSlots(real, uniform) }), EVENT_MS);
    return () => clearInterval(timer);
  }, [real, still]);

  const share = real / SLOTS;
  return (
    <div className="slots" data-testid="slots" data-real={real}>
      <div className="slots-picture">
        <svg viewBox={`-1 -1 ${COLUMNS * STEP} ${2 * STEP}`} role="img" aria-label={t('slots.label', { real: number(real) })}>
          {slots.map((isReal, index) => (
            <rect
              key={index}
              className={`slot ${mine && isReal ? 'real' : ''}`}
              x={(index % COLUMNS) * STEP}
              y={Math.floor(index / COLUMNS) * STEP}
              width="18"
              height="18"
              rx="4.5"
            />
          ))}
        </svg>
        <button type="button" className="quiet" aria-pressed={mine} onClick={() => setMine(!mine)}>
          {mine ? t('slots.asAttacker') : t('slots.asMe')}
        </button>
      </div>
      <div className="slots-words">
        <Choice
          legend={t('slots.lane')}
          hideLegend
          value={lane}
          choose={setLane}
          options={[
            { value: 'discovery', label: t('slots.discovery') },
            { value: 'rendezvous', label: t('slots.rendezvous') },
          ]}
        />
        <p className="slots-posterior" aria-live="polite">
          <strong>{speaking ? percent(share) : percent(0)}</strong> {t('slots.posterior')}
        </p>
        <p className="hint">
          <Say k={speaking ? (lane === 'discovery' ? 'slots.whyDiscovery' : 'slots.whyRendezvous') : 'slots.silent'} />{' '}
          {speaking && t('slots.effective', { noise: percent(effective(mode, requested, lane)) })}
        </p>
      </div>
    </div>
  );
}
