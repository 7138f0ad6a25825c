import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { codeIn, routeOf } from '../src/app/router';
import { isPanic } from '../src/app/guard';
import { decode, encode, type Gathering } from '../src/core/gathering';
import { circle, coarse, distance, laplace, mean, parsePosition } from '../src/core/geo';
import { grouped, handover, isContact } from '../src/core/handover';
import { drawSlots, effective, floor, mostReal, type Lane } from '../src/core/noise';
import { place } from '../src/core/place';
import { reveal, rowAfter, span } from '../src/core/virtual';
import { formats } from '../src/i18n/format';

/** A generator that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const MODES = ['emergency', 'balanced', 'maximum'] as const;
const LANES: readonly Lane[] = ['discovery', 'rendezvous'];

describe('noise', () => {
  test('what applies is never below the floor nor below what was asked for', () => {
    fc.assert(
      fc.property(fc.constantFrom(...MODES), fc.constantFrom(...LANES), fc.double({ min: 0.3, max: 0.8, noNaN: true }), (mode, lane, asked) => {
        const applies = effective(mode, asked, lane);
        expect(applies).toBeGreaterThanOrEqual(floor(mode, lane));
        expect(applies).toBeGreaterThanOrEqual(asked);
        expect(applies).toBeLessThanOrEqual(0.8);
      }),
    );
  });

  test('the most real slots are those of CL-02: one for strangers; seven, five and two', () => {
    expect(MODES.map((mode) => mostReal(mode, 0.3, 'rendezvous'))).toEqual([7, 5, 2]);
    expect(MODES.map((mode) => mostReal(mode, 0.3, 'discovery'))).toEqual([1, 1, 1]);
    // one less 0.7 is a little less than 0.3 in binary, and still three tenths
    expect(mostReal('balanced', 0.7, 'rendezvous')).toBe(3);
  });

  test('slots are drawn evenly: each of ten positions as often as any other', () => {
    // seed 7, 10,000 draws; chi-square of 9 degrees stays below its 99.9 % point, 27.88
    const random = seeded(7);
    const counts = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 10_000; draw += 1) {
      const at = drawSlots(1, random).indexOf(true);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    expect(counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(27.88);
    expect(drawSlots(7, random).filter(Boolean)).toHaveLength(7);
  });
});

describe('positions', () => {
  test('what is written with digits is read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -900_000, max: 900_000 }), fc.integer({ min: -1_800_000, max: 1_800_000 }), (lat, lon) => {
        const [north, east] = [lat / 10_000, lon / 10_000];
        expect(parsePosition(`${north.toFixed(4)}, ${east.toFixed(4)}`)).toEqual({ lat: north, lon: east });
      }),
    );
  });

  test.each([
    ['41.15 N 8.63 W', { lat: 41.15, lon: -8.63 }],
    ['41.15;-8.63', { lat: 41.15, lon: -8.63 }],
    ['45° S, 0° E', { lat: -45, lon: 0 }],
    ['91, 0', null],
    ['0, 181', null],
    ['here', null],
    ['1,2,3', null],
    ['41.15 E 8.63 N', null],
    ['', null],
  ])('%s', (text, position) => {
    const read = parsePosition(text);
    expect(read && { lat: read.lat + 0, lon: read.lon + 0 }).toEqual(position);
  });

  test('no text makes it fail', () => {
    fc.assert(fc.property(fc.string(), (text) => void parsePosition(text)));
  });

  test('what is shown of a place is the same for all places of its hundredth of a degree', () => {
    const shown = coarse({ lat: 41.153127, lon: -8.629581 });
    expect(shown).toEqual({ lat: 41.15, lon: -8.63 });
    expect(JSON.stringify(shown)).not.toMatch(/3127|9581/);
  });

  test('the place goes when it is told to, and nobody can change it from outside', () => {
    place.set({ lat: 1.23456, lon: 2 });
    const held = place.exact();
    if (held) held.lat = 9;
    expect(place.exact()).toEqual({ lat: 1.23456, lon: 2 });
    place.forget();
    expect([place.exact(), place.coarse()]).toEqual([null, null]);
  });

  test('a circle keeps its radius', () => {
    const ring = circle({ lat: 60, lon: 10 }, 500);
    for (const [lon, lat] of ring) {
      const away = Math.hypot((lon - 10) * 111_320 * Math.cos(Math.PI / 3), (lat - 60) * 111_320);
      expect(away).toBeCloseTo(500, 3);
    }
    expect(ring[0]).toEqual(ring.at(-1));
  });
});

describe('the introduction tells the truth', () => {
  test('fresh noise averages away', () => {
    // seed 3, 2,000 draws of mean length 2/ε = 289 m: the mean is off by about 289 · √1.5 / √2000 = 8 m
    const random = seeded(3);
    const draws = Array.from({ length: 2000 }, () => laplace(random));
    expect(distance(mean(draws), { x: 0, y: 0 })).toBeLessThan(40);
    const length = draws.reduce((sum, draw) => sum + distance(draw, { x: 0, y: 0 }), 0) / draws.length;
    // 2/ε, within five standard errors of √2/ε / √2000
    expect(Math.abs(length - 400 / Math.log(4))).toBeLessThan(5 * ((Math.SQRT2 * 200) / Math.log(4) / Math.sqrt(2000)));
  });

  test('remembered noise does not', () => {
    const one = laplace(seeded(5));
    expect(distance(mean(Array.from({ length: 500 }, () => one)), one)).toBeLessThan(1e-6);
  });
});

describe('the list', () => {
  test('every row in view is drawn, and never more than the view and some', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.integer({ min: 1, max: 200 }), fc.nat(1_000_000), fc.nat(2000), (rows, height, top, view) => {
        const { first, end } = span(rows, height, top, view);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(end).toBeLessThanOrEqual(rows);
        expect(end - first).toBeLessThanOrEqual(Math.ceil(view / height) + 14);
        for (const at of [top, top + view - 1]) {
          const row = Math.floor(at / height);
          if (view > 0 && row >= 0 && row < rows) expect(row >= first && row < end).toBe(true);
        }
      }),
    );
  });

  test('keys reach every row and leave none of them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.constantFrom('ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'Home', 'End'), fc.nat(), (rows, key, from) => {
        const row = rowAfter(key, from % rows, rows, 8);
        expect(row !== null && row >= 0 && row < rows).toBe(true);
      }),
    );
    expect(rowAfter('Tab', 0, 10, 3)).toBeNull();
    expect([reveal(0, 100, 50, 400), reveal(9, 100, 0, 400), reveal(1, 100, 0, 400)]).toEqual([0, 600, null]);
  });
});

describe('gatherings', () => {
  const words = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }).filter((text) => text.trim() !== '' && !/\p{Cc}/u.test(text));
  const gathering = fc.record({
    pin: fc.stringMatching(/^[0-9a-f]{64}$/),
    federation: words,
    topic: words,
    places: fc.array(fc.record({ name: words, at: fc.record({ lat: fc.integer({ min: -90_000, max: 90_000 }).map((n) => n / 1000), lon: fc.integer({ min: -180_000, max: 180_000 }).map((n) => n / 1000) }) }), { minLength: 1, maxLength: 2 }),
    from: fc.integer({ min: 1, max: 2_000_000_000 }),
  });

  test('what is written on a sheet is what is read from it', () => {
    fc.assert(
      fc.property(gathering, fc.integer({ min: 1, max: 86_400 }), (made, length) => {
        const whole: Gathering = { ...made, until: made.from + length };
        const text = encode(whole);
        fc.pre(text.length <= 1200);
        expect(decode(text)).toEqual(JSON.parse(JSON.stringify(whole)));
      }),
    );
  });

  test('a place on a sheet has three decimals', () => {
    const text = encode({ pin: 'a'.repeat(64), federation: 'f', topic: 't', places: [{ name: 'p', at: { lat: 41.153127, lon: -8.629581 } }], from: 1, until: 2 });
    expect(decode(text)?.places[0]?.at).toEqual({ lat: 41.153, lon: -8.63 });
  });

  test('nothing else is a gathering, and nothing makes it fail', () => {
    fc.assert(fc.property(fc.string(), (text) => decode(text) === null));
    fc.assert(fc.property(fc.jsonValue(), (value) => decode(`mosaic-gathering:1:${btoa(encodeURIComponent(JSON.stringify(value)))}`) === null));
    const good = encode({ pin: 'a'.repeat(64), federation: 'f', topic: 't', places: [{ name: 'p', at: { lat: 1, lon: 2 } }], from: 5, until: 6 });
    expect(decode(good)).not.toBeNull();
    expect(decode(good.slice(0, -3))).toBeNull();
  });
});

describe('what people hand over', () => {
  test('codes and tokens, however they are grouped', () => {
    expect(handover('1234 5678-9012 3456')).toEqual({ code: '1234567890123456' });
    expect(handover(' abcdefghijklmnopqrstuvwxyz012345 ')).toEqual({ token: 'abcdefghijklmnopqrstuvwxyz012345' });
    expect([handover('123'), handover('abc'), handover('')]).toEqual([null, null, null]);
    expect(grouped('1234567890123456')).toBe('1234 5678 9012 3456');
  });

  test('a contact has 1 to 300 bytes', () => {
    expect([isContact('Ana'), isContact('ش'.repeat(150)), isContact('ش'.repeat(151)), isContact('  ')]).toEqual([true, true, false, false]);
  });

  test('the one-use code is taken from an address or by itself', () => {
    expect(codeIn('http://127.0.0.1:7001/#AbCdEfGhIjKlMnOpQrStUv')).toBe('AbCdEfGhIjKlMnOpQrStUv');
    expect(codeIn('AbCdEfGhIjKlMnOpQrStUv')).toBe('AbCdEfGhIjKlMnOpQrStUv');
    expect([codeIn('#'), codeIn('main'), codeIn('<script>alert(1)</script>')]).toEqual([null, null, null]);
  });
});

test('three presses of Escape within a second and a half hide everything', () => {
  expect(isPanic([0, 700, 1500])).toBe(true);
  expect(isPanic([0, 700, 1501])).toBe(false);
  expect(isPanic([0, 1])).toBe(false);
  expect(isPanic([0, 5000, 5100, 5200])).toBe(true);
});

test('an address that is no screen shows the first one', () => {
  expect([routeOf('/privacy'), routeOf('/'), routeOf('/nothing')]).toEqual(['/privacy', '/broadcast', '/broadcast']);
});

test('numbers and times are written as the language writes them', () => {
  expect(formats('en').metres(1500)).toBe('1.5 km');
  expect(formats('de').number(1234.5, 1)).toBe('1.234,5');
  expect(formats('en').relative(160, 100)).toBe('in 1 minute');
  expect(formats('ar').percent(0.5)).not.toBe('');
});
