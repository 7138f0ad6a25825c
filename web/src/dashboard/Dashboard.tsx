import { useEffect, useState, type ReactNode } from 'react';

import type { AggregatesReply } from '../api/types';
import { Mark } from '../ui/Mark';
import { alerts, counted, NO_HOURS, samples, top, type Hourly, type Samples } from './metrics';
import { metrics, statements } from './source';

/** How often the provider is asked, milliseconds. */
const ASK_MS = 5000;

const HEALTH: readonly { name: string; label: string; unit?: 'bytes' }[] = [
  { name: 'peers_up', label: 'Other providers that answer' },
  { name: 'tables', label: 'Tables held' },
  { name: 'deposits_waiting', label: 'Deposits waiting for a replica' },
  { name: 'generations_sealed_total', label: 'Generations sealed' },
  { name: 'tables_retired_total', label: 'Tables retired' },
  { name: 'disk_bytes', label: 'On disk', unit: 'bytes' },
];

export function Dashboard(): ReactNode {
  const [now, setNow] = useState<Samples | null>(null);
  const [gone, setGone] = useState(false);
  const [hourly, setHourly] = useState<Hourly>(NO_HOURS);
  const [published, setPublished] = useState<AggregatesReply['statements'] | null>(null);

  useEffect(() => {
    const ask = async (): Promise<void> => {
      try {
        const read = samples(await metrics());
        setNow(read);
        setHourly((known) => counted(known, Date.now() / 1000, read.get('deposits_acknowledged_total') ?? 0));
        setGone(false);
      } catch {
        setGone(true);
      }
      setPublished(await statements().catch(() => null));
    };
    void ask();
    const timer = setInterval(() => void ask(), ASK_MS);
    return () => clearInterval(timer);
  }, []);

  const raised = now ? alerts(now) : [];
  return (
    <div className="operator">
      <header className="top">
        <Mark />
        <strong>Operator</strong>
      </header>
      <main id="main">
        <h1>This provider</h1>
        <p className="lead">Counts that the provider makes anyway, and what is published anyway. Nothing here is about one event, one row or one person.</p>
        <div aria-live="polite" className="stack">
          {gone && <p className="notice bad">The provider does not answer.</p>}
          {raised.map(({ grave, text }) => (
            <p key={text} className={`notice ${grave ? 'bad' : 'warn'}`}>
              {text}
            </p>
          ))}
          {now && raised.length === 0 && <p className="notice good">Nothing to look after.</p>}
        </div>
        <div className="columns">
          <section className="panel" aria-labelledby="health">
            <h2 id="health">Health</h2>
            <dl className="facts">
              {HEALTH.map(({ name, label, unit }) => {
                const value = now?.get(name);
                return (
                  <div key={name} className="fact">
                    <dt>{label}</dt>
                    <dd>{value === undefined ? 'not told' : unit === 'bytes' ? `${(value / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB` : value.toLocaleString('en')}</dd>
                  </div>
                );
              })}
            </dl>
          </section>
          <Hours hourly={hourly} />
          <Wishes published={published} />
        </div>
      </main>
    </div>
  );
}

function Hours({ hourly }: { hourly: Hourly }): ReactNode {
  const most = Math.max(1, ...hourly.counts);
  return (
    <section className="panel" aria-labelledby="hours">
      <h2 id="hours">Events acknowledged, by hour</h2>
      <svg viewBox="0 0 240 80" role="img" aria-label={`Events by hour, the newest last: ${hourly.counts.join(', ')}`} className="bars">
        {hourly.counts.map((count, index) => (
          <rect key={index} x={index * 10 + 1} y={80 - (count / most) * 78 - 2} width="8" height={(count / most) * 78 + 2} rx="1.5" />
        ))}
      </svg>
      <p className="hint">
        {hourly.counts.reduce((sum, count) => sum + count, 0).toLocaleString('en')} since this page was opened. Devices send on schedule, whether or not somebody has something to say, so this counts devices and not wishes.
      </p>
    </section>
  );
}

function Wishes({ published }: { published: AggregatesReply['statements'] | null }): ReactNode {
  const day = published?.[0];
  const categories = day ? top(day) : [];
  return (
    <section className="panel" aria-labelledby="wishes">
      <h2 id="wishes">Wishes of the last counted day</h2>
      {published === null ? (
        <p>This listener serves no statements; <code>mosaic aggregates</code> shows them.</p>
      ) : !day || categories.length === 0 ? (
        <p>Too few to say: with fewer than a thousand answers nothing is published.</p>
      ) : (
        <>
          <table>
            <thead>
              <tr>
                <th scope="col">Kind</th>
                <th scope="col">About so many people</th>
              </tr>
            </thead>
            <tbody>
              {categories.map(({ name, people }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{Math.round(people).toLocaleString('en')}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <p className="hint">
            One draw of noise for the day, ε {day.epsilon.toLocaleString('en')} of each of two aggregators; below {Math.round(day.fewest).toLocaleString('en')} nothing is said. The area is the federation’s tile {day.tile}, no finer.
          </p>
        </>
      )}
    </section>
  );
}
