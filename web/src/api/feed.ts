// Cards as they come: what is known of each, which of them a person wants to see, and in which order. No I/O.

import type { Card } from './types';

export interface Feed {
  readonly cards: ReadonlyMap<string, Card>;
  /** Cards were thrown away on the way here: ask again. */
  readonly missed: boolean;
}

export const EMPTY: Feed = { cards: new Map(), missed: false };

/** A search's answer replaces what was known. */
export function found(cards: readonly Card[]): Feed {
  return { cards: new Map(cards.map((card) => [card.id, card])), missed: false };
}

/** News adds cards, and says more of those that are here. What was first seen when stays as it was. */
export function arrived(feed: Feed, cards: readonly Card[]): Feed {
  if (cards.length === 0) return feed;
  const all = new Map(feed.cards);
  for (const card of cards) {
    const known = all.get(card.id);
    all.set(card.id, known ? { ...known, ...card, first_seen: Math.min(known.first_seen, card.first_seen) } : card);
  }
  return { ...feed, cards: all };
}

export interface Filter {
  /** Classes to show; none named means all. */
  classes: ReadonlySet<string>;
  /** Part of a topic or of the words, whatever its case. */
  words: string;
  /** Similarity of at least so much, 0 to 1. */
  score: number;
  /** Only cards whose words could be read. */
  readable: boolean;
}

export const EVERYTHING: Filter = { classes: new Set(), words: '', score: 0, readable: false };

export type Order = 'newest' | 'nearest' | 'best';

const ORDERS: Record<Order, (a: Card, b: Card) => number> = {
  newest: (a, b) => b.first_seen - a.first_seen,
  nearest: (a, b) => a.distance_m - b.distance_m,
  best: (a, b) => b.score - a.score,
};

/** What passes the filter, ordered; equal ones by id, so that nothing jumps. */
export function shown(feed: Feed, filter: Filter, order: Order): Card[] {
  const words = filter.words.trim().toLocaleLowerCase();
  const says = (text: string | null | undefined): boolean => !!text && text.toLocaleLowerCase().includes(words);
  const passes = (card: Card): boolean =>
    (filter.classes.size === 0 || filter.classes.has(card.class)) &&
    card.score >= filter.score &&
    (!filter.readable || !!card.text) &&
    (words === '' || says(card.text) || card.topics.some(says));
  const by = ORDERS[order];
  return [...feed.cards.values()].filter(passes).sort((a, b) => by(a, b) || (a.id < b.id ? -1 : 1));
}
