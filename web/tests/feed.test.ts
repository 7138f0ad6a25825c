import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { arrived, EMPTY, EVERYTHING, found, shown } from '../src/api/feed';
import { raised } from '../src/app/state';
import { afterEnd, frame, pause } from '../src/api/socket';
import type { Card } from '../src/api/types';

const card = fc.record({
  id: fc.stringMatching(/^[0-9a-f]{32}$/),
  class: fc.constantFrom('food & drink', 'sport', 'music'),
  topics: fc.array(fc.constantFrom('coffee', 'tea', 'football'), { maxLength: 3 }),
  text: fc.option(fc.string(), { nil: null }),
  distance_m: fc.nat(5000),
  uncertainty_m: fc.nat(1000),
  first_seen: fc.nat(1_000_000),
  score: fc.double({ min: 0, max: 1, noNaN: true }),
  window_start: fc.nat(),
}) as fc.Arbitrary<Card>;

describe('the feed', () => {
  test('knows every card that came, once', () => {
    fc.assert(
      fc.property(fc.array(fc.array(card)), (news) => {
        const feed = news.reduce(arrived, EMPTY);
        expect(new Set(feed.cards.keys())).toEqual(new Set(news.flat().map(({ id }) => id)));
      }),
    );
  });

  test('keeps when a card was first seen', () => {
    fc.assert(
      fc.property(card, fc.nat(1_000_000), (first, later) => {
        const feed = arrived(found([first]), [{ ...first, first_seen: later, text: 'read at last' }]);
        expect(feed.cards.get(first.id)).toMatchObject({ text: 'read at last', first_seen: Math.min(first.first_seen, later) });
      }),
    );
  });

  test('shows newest first, and the same cards in the same order whatever order they came in', () => {
    fc.assert(
      fc.property(fc.uniqueArray(card, { selector: ({ id }) => id }), (cards) => {
        const order = shown(found(cards), EVERYTHING, 'newest');
        expect(order).toHaveLength(cards.length);
        for (let row = 1; row < order.length; row += 1) {
          expect(order[row - 1]?.first_seen).toBeGreaterThanOrEqual(order[row]?.first_seen ?? 0);
        }
        expect(shown(found([...cards].reverse()), EVERYTHING, 'newest')).toEqual(order);
      }),
    );
  });

  test('shows nothing that the filter hides, and all that it does not', () => {
    fc.assert(
      fc.property(fc.uniqueArray(card, { selector: ({ id }) => id }), fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), (cards, score, readable) => {
        const filter = { classes: new Set(['sport']), words: 'FOOT', score, readable };
        const passes = (each: Card): boolean =>
          each.class === 'sport' && each.score >= score && (!readable || !!each.text) && (each.topics.includes('football') || !!each.text?.toLowerCase().includes('foot'));
        expect(new Set(shown(found(cards), filter, 'nearest'))).toEqual(new Set(cards.filter(passes)));
      }),
    );
  });
});

test('an alert of a kind is told once, and again when it says something else', () => {
  const first = raised([], { kind: 'no-tor', text: 'a' });
  const seen = first.map((alert) => ({ ...alert, seen: true }));
  expect(raised(seen, { kind: 'no-tor', text: 'a' })).toBe(seen);
  expect(raised(seen, { kind: 'no-tor', text: 'b' })).toEqual([{ kind: 'no-tor', text: 'b', seen: false }]);
  expect(raised(seen, { kind: 'unsent', text: 'a' })).toHaveLength(2);
});

describe('the socket', () => {
  test('what is no frame is none', () => {
    fc.assert(fc.property(fc.anything(), (value) => typeof value === 'string' || frame(value) === null));
    fc.assert(fc.property(fc.string(), (text) => void frame(text)));
    expect(['null', '[]', '{"type":7}', '{'].map(frame)).toEqual([null, null, null, null]);
    expect(frame('{"type":"missed","news":"proximity.update","count":3}')).toMatchObject({ type: 'missed', count: 3 });
  });

  test('after a rotation it opens at once, without a session never, else later and later', () => {
    expect([afterEnd(4000, 9), afterEnd(4001, 1)]).toEqual(['at-once', 'never']);
    expect([1, 2, 3, 4, 5, 6, 60].map(pause)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });
});
