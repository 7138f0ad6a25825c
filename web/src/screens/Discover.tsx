import { lazy, Suspense, useMemo, useState, type ReactNode } from 'react';

import { agent } from '../api/client';
import { EVERYTHING, shown, type Filter, type Order } from '../api/feed';
import type { Card, WaveReply } from '../api/types';
import { go } from '../app/router';
import { useShared } from '../app/state';
import { isContact } from '../core/handover';
import { place } from '../core/place';
import { Say, useText } from '../i18n';
import { Dialog } from '../ui/Dialog';
import { Icon } from '../ui/Icon';
import { PlacePicker, usePlace } from '../ui/PlacePicker';
import { CLASSES, Subject, useClassName } from '../ui/Subject';
import { Button, Choice, Field, Form, Notice, Panel, Range, Refused, Sensitive, useDoing } from '../ui/parts';
import { VirtualFeed } from '../ui/VirtualFeed';
import { Nobody } from './Nobody';

const MapView = lazy(() => import('../map/MapView'));
/** Windows to look back over, seconds. */
const WINDOWS = [1800, 7200, 21_600, 86_400] as const;
/** Pixels of a row of the feed. */
const ROW = 124;

export function DiscoverScreen(): ReactNode {
  const { t, number, metres, hours, minutes } = useText();
  const { feed, live, searched, complete, search, wish, setWish } = useShared();
  const [filter, setFilter] = useState<Filter>(EVERYTHING);
  const [order, setOrder] = useState<Order>('newest');
  const [view, setView] = useState<'list' | 'map'>('list');
  const [detail, setDetail] = useState<Card | null>(null);
  const here = usePlace();
  const className = useClassName();
  const { busy, refusal, run } = useDoing();
  const cards = useMemo(() => shown(feed, filter, order), [feed, filter, order]);

  const look = (): void => {
    const location = place.exact();
    if (!location) return;
    const context = wish.context.trim();
    void run(() => search({ location, radius: wish.radius, window: wish.window, limit: 200, ...(context ? { context } : {}) }));
  };

  return (
    <>
      <h1>{t('discover.title')}</h1>
      <p className="lead">
        <Say k="discover.lead" />
      </p>
      <div className="columns">
        <div className="stack">
          <Panel title={t('discover.where')}>
            <Form submit={look} className="stack">
              <PlacePicker />
              <Field label={t('discover.context')} hint={t('discover.contextHint')}>
                {({ id, describedBy }) => (
                  <input id={id} className="sensitive" type="text" maxLength={500} autoComplete="off" spellCheck={false} value={wish.context} aria-describedby={describedBy} onChange={(event) => setWish({ ...wish, context: event.target.value })} />
                )}
              </Field>
              <Range label={t('discover.radius')} value={wish.radius} min={100} max={5000} step={100} show={metres} change={(radius) => setWish({ ...wish, radius })} />
              <Field label={t('discover.window')}>
                {({ id }) => (
                  <select id={id} value={wish.window} onChange={(event) => setWish({ ...wish, window: Number(event.target.value) })}>
                    {WINDOWS.map((window) => (
                      <option key={window} value={window}>
                        {window < 3600 ? minutes(window / 60) : hours(window / 3600)}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              <Button tone="main" icon="discover" submit wide busy={busy} disabled={!here}>
                {t('discover.look')}
              </Button>
              <Refused refusal={refusal} />
            </Form>
          </Panel>
          <Door />
        </div>
        <div className="stack">
          {searched && (
            <>
              <p className="feed-state" role="status">
                <span className={`dot ${live ? 'live' : ''}`} aria-hidden="true" />
                {live ? t('feed.live') : t('feed.waiting')} · {complete ? t('feed.complete') : t('feed.reading')} · {t('feed.count', { shown: number(cards.length), all: number(feed.cards.size) })}
              </p>
              {feed.cards.size > 0 && <WaveAtAll cards={shown(feed, EVERYTHING, 'best').map(({ id }) => id)} />}
              {feed.cards.size > 0 && <Filters filter={filter} setFilter={setFilter} order={order} setOrder={setOrder} />}
              <Choice
                legend={t('feed.view')}
                hideLegend
                value={view}
                choose={setView}
                options={[{ value: 'list', label: t('feed.list') }, { value: 'map', label: t('feed.map') }]}
              />
              {view === 'map' && here && (
                <Suspense fallback={<p role="status">{t('map.loading')}</p>}>
                  <MapView center={here} radius={wish.radius} pick={null} />
                </Suspense>
              )}
              {feed.cards.size === 0 && <Nobody />}
              {feed.cards.size > 0 && cards.length === 0 && <Notice tone="info">{t('feed.filtered')}</Notice>}
              {view === 'list' && cards.length > 0 && (
                <VirtualFeed
                  label={t('feed.label')}
                  items={cards}
                  keyOf={(card) => card.id}
                  nameOf={(card) => [className(card.class), ...card.topics, metres(card.distance_m)].join(', ')}
                  height={ROW}
                  busy={busy}
                  open={setDetail}
                >
                  {(card) => <CardRow card={card} />}
                </VirtualFeed>
              )}
            </>
          )}
          {!searched && (
            <Notice tone="info">
              <p>{t('discover.before')}</p>
              <p>
                <Say k="discover.reads" />
              </p>
            </Notice>
          )}
        </div>
      </div>
      <CardDetail card={detail} close={() => setDetail(null)} />
    </>
  );
}

function CardRow({ card }: { card: Card }): ReactNode {
  const { t, metres, percent, moment } = useText();
  return (
    <div className="card">
      <Sensitive>
        <Subject of={card.class} topics={card.topics.slice(0, 3)} />
        <span className="card-text">{card.text ? <bdi>{card.text}</bdi> : <em>{t('card.noText')}</em>}</span>
      </Sensitive>
      <span className="card-facts">
        <span>{t('card.distance', { distance: metres(card.distance_m), uncertainty: metres(card.uncertainty_m) })}</span>
        <span>{moment(card.first_seen)}</span>
        <span>{t('card.score', { score: percent(card.score) })}</span>
      </span>
    </div>
  );
}

function CardDetail({ card, close }: { card: Card | null; close: () => void }): ReactNode {
  const { t, metres, percent, moment } = useText();
  return (
    <Dialog title={t('card.title')} open={card !== null} close={close}>
      {card && (
        <div className="stack">
          <Sensitive>
            <Subject of={card.class} topics={card.topics} />
            <p className="card-words">{card.text ? <bdi>{card.text}</bdi> : t('card.noText')}</p>
          </Sensitive>
          <dl className="facts">
            <dt>{t('card.where')}</dt>
            <dd>{t('card.distance', { distance: metres(card.distance_m), uncertainty: metres(card.uncertainty_m) })}</dd>
            <dt>{t('card.when')}</dt>
            <dd>{t('card.window', { from: moment(card.window_start), until: moment(card.window_start + 7200) })}</dd>
            <dt>{t('card.similarity')}</dt>
            <dd>{percent(card.score)}</dd>
          </dl>
          <p>
            <Say k="card.decoy" />
          </p>
        </div>
      )}
    </Dialog>
  );
}

interface FiltersProps {
  filter: Filter;
  setFilter: (filter: Filter) => void;
  order: Order;
  setOrder: (order: Order) => void;
}

function Filters({ filter, setFilter, order, setOrder }: FiltersProps): ReactNode {
  const { t, percent } = useText();
  const className = useClassName();
  const toggle = (name: string): void => {
    const classes = new Set(filter.classes);
    if (!classes.delete(name)) classes.add(name);
    setFilter({ ...filter, classes });
  };
  return (
    <details className="filters">
      <summary>
        <Icon name="list" /> {t('filter.title')}
      </summary>
      <div className="stack">
        <p className="hint">{t('filter.local')}</p>
        <Choice
          legend={t('filter.order')}
          value={order}
          choose={setOrder}
          options={[{ value: 'newest', label: t('filter.newest') }, { value: 'nearest', label: t('filter.nearest') }, { value: 'best', label: t('filter.best') }]}
        />
        <Field label={t('filter.words')}>
          {({ id }) => <input id={id} type="search" autoComplete="off" value={filter.words} onChange={(event) => setFilter({ ...filter, words: event.target.value })} />}
        </Field>
        <Range label={t('filter.score')} value={filter.score} min={0} max={1} step={0.1} show={percent} change={(score) => setFilter({ ...filter, score })} />
        <label className="check">
          <input type="checkbox" checked={filter.readable} onChange={(event) => setFilter({ ...filter, readable: event.target.checked })} />
          <span>{t('filter.readable')}</span>
        </label>
        <fieldset className="chips">
          <legend>{t('filter.classes')}</legend>
          {CLASSES.map((name) => (
            <label key={name} className="chip">
              <input type="checkbox" checked={filter.classes.has(name)} onChange={() => toggle(name)} />
              <span>{className(name)}</span>
            </label>
          ))}
        </fieldset>
      </div>
    </details>
  );
}

/** One tap for all of them: waving at some would need to know which are real, and nobody does. */
function WaveAtAll({ cards }: { cards: readonly string[] }): ReactNode {
  const { t, number, relative } = useText();
  const { contact, setContact, now } = useShared();
  const [told, setTold] = useState<WaveReply | null>(null);
  const { busy, refusal, run } = useDoing();
  const wave = (): void => void run(async () => setTold(await agent.wave(cards, contact.trim())));
  return (
    <Panel title={t('wave.title')} tone="calm">
      <p>
        <Say k="wave.lead" />
      </p>
      <Form submit={wave} className="stack">
        <ContactField contact={contact} setContact={setContact} />
        <Button tone="main" icon="wave" submit wide busy={busy} disabled={!isContact(contact)}>
          {t('wave.all', { count: number(cards.length) })}
        </Button>
      </Form>
      <Refused refusal={refusal} />
      {told && (
        <Notice tone="good" live>
          <p>
            {t('wave.done', { count: number(told.associations.length), skipped: number(told.skipped) })} {told.associations.length > 0 && t('wave.leaves', { when: relative(told.leaves_by, now) })}
          </p>
          <p>{t('wave.next')}</p>
          <Button onClick={() => go('/association')}>{t('wave.people')}</Button>
        </Notice>
      )}
    </Panel>
  );
}

export function ContactField({ contact, setContact }: { contact: string; setContact: (contact: string) => void }): ReactNode {
  const { t } = useText();
  return (
    <Field label={t('contact.label')} hint={<Say k="contact.hint" />} error={contact !== '' && !isContact(contact) ? t('contact.wrong') : null}>
      {({ id, describedBy, invalid }) => (
        <input id={id} className="sensitive" type="text" autoComplete="off" spellCheck={false} value={contact} placeholder={t('contact.placeholder')} aria-describedby={describedBy} aria-invalid={invalid} onChange={(event) => setContact(event.target.value)} />
      )}
    </Field>
  );
}

function Door(): ReactNode {
  const { t, relative } = useText();
  const { status, refresh } = useShared();
  const { busy, refusal, run } = useDoing();
  const until = status?.open_door_until;
  return (
    <Panel title={t('door2.title')}>
      <p>
        <Say k="door2.lead" />
      </p>
      {until ? (
        <Notice tone="info" live>
          {t('door2.open', { when: relative(until, status.now) })}
        </Notice>
      ) : (
        <Button icon="door" wide busy={busy} onClick={() => void run(async () => { await agent.openDoor(); await refresh(); })}>
          {t('door2.book')}
        </Button>
      )}
      <Refused refusal={refusal} />
    </Panel>
  );
}
