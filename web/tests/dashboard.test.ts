import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { alerts, counted, HOURS, NO_HOURS, samples, top } from '../src/dashboard/metrics';

describe('counts of a provider', () => {
  test('an exposition is read by its names', () => {
    const text = '# HELP x y\n# TYPE mosaic_provider_ready gauge\nmosaic_provider_ready 1\nmosaic_provider_disk_bytes 7.5e3 1700000000\nother 3\nmosaic_provider_bad nan\n';
    expect([...samples(text)]).toEqual([['ready', 1], ['disk_bytes', 7500]]);
  });

  test('no text makes it fail', () => {
    fc.assert(fc.property(fc.string(), (text) => void samples(text)));
  });

  test('a day has 24 hours, each event is counted once, and what is older rolls out (L6-21)', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ wait: fc.nat(7200), grown: fc.nat(50) }), { minLength: 1, maxLength: 60 }), (steps) => {
        let [now, value, hourly] = [1_700_000_000, 0, counted(NO_HOURS, 1_700_000_000, 0)];
        const grown: { hour: number; by: number }[] = [];
        for (const step of steps) {
          now += step.wait;
          value += step.grown;
          grown.push({ hour: Math.floor(now / 3600), by: step.grown });
          hourly = counted(hourly, now, value);
        }
        const still = grown.filter(({ hour }) => hour > Math.floor(now / 3600) - HOURS);
        expect(hourly.counts).toHaveLength(HOURS);
        expect(hourly.counts.reduce((sum, count) => sum + count, 0)).toBe(still.reduce((sum, { by }) => sum + by, 0));
      }),
    );
  });

  test('a provider that began anew counts from nought', () => {
    const hourly = [0, 10, 3].reduce((known, value) => counted(known, 3600 * 500_000, value), NO_HOURS);
    expect(hourly.counts.at(-1)).toBe(13);
  });
});

test('ten kinds at most, equal ones by name, and none that is too few (L6-23)', () => {
  const classes = Array.from({ length: 14 }, (_, index) => ({ class: `c${String(index).padStart(2, '0')}`, parts: [], people: index < 12 ? 100 : index === 12 ? 500 : null }));
  const shown = top({ classes, day: 0, epsilon: 1, fewest: 100, nothing: null, reports: 1000, tile: 1 });
  expect(shown.map(({ name }) => name)).toEqual(['c12', 'c00', 'c01', 'c02', 'c03', 'c04', 'c05', 'c06', 'c07', 'c08']);
  expect(top({ classes, day: 0, epsilon: 1, fewest: 101, nothing: null, reports: 1000, tile: 1 })).toHaveLength(1);
});

test('a component that fails is told', () => {
  const well = new Map([['ready', 1], ['peers_up', 2]]);
  expect(alerts(well)).toEqual([]);
  for (const [name, value] of [['ready', 0], ['peers_up', 1], ['evidence_total', 1], ['records_full_total', 4]] as const) {
    expect(alerts(new Map([...well, [name, value]])), name).toHaveLength(1);
  }
});
