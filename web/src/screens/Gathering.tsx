import { useState, type ReactNode } from 'react';

import { go } from '../app/router';
import { useShared } from '../app/state';
import { decode, encode, type Gathering } from '../core/gathering';
import { parsePosition } from '../core/geo';
import { place } from '../core/place';
import { Say, useText } from '../i18n';
import { Qr } from '../ui/Qr';
import { Button, CopyButton, Field, Form, Notice, Panel } from '../ui/parts';

export function GatheringScreen(): ReactNode {
  const { t } = useText();
  const { gatherings } = useShared();
  return (
    <>
      <h1>{t('gathering.title')}</h1>
      <p className="lead">
        <Say k="gathering.lead" />
      </p>
      <div className="columns">
        <div className="stack">
          <Read />
          {gatherings.map((gathering) => (
            <Known key={encode(gathering)} gathering={gathering} />
          ))}
        </div>
        <Make />
      </div>
    </>
  );
}

function Read(): ReactNode {
  const { t } = useText();
  const { status, gatherings, setGatherings } = useShared();
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState<'none' | 'federation' | null>(null);
  const read = (): void => {
    const gathering = decode(text);
    if (!gathering) { setWrong('none'); return; }
    // people of another federation would never be found in this one
    if (gathering.pin !== status?.federation.pin) { setWrong('federation'); return; }
    setWrong(null);
    setText('');
    setGatherings([...gatherings.filter((known) => encode(known) !== encode(gathering)), gathering]);
  };
  return (
    <Panel title={t('gathering.read')}>
      <Form submit={read} className="stack">
        <Field label={t('gathering.text')} hint={t('gathering.textHint')} error={wrong && t(`gathering.wrong.${wrong}`)}>
          {({ id, describedBy, invalid }) => (
            <textarea id={id} rows={3} dir="ltr" autoComplete="off" spellCheck={false} value={text} aria-describedby={describedBy} aria-invalid={invalid} onChange={(event) => setText(event.target.value)} />
          )}
        </Field>
        <Button submit disabled={text.trim() === ''}>
          {t('gathering.readNow')}
        </Button>
      </Form>
    </Panel>
  );
}

function Facts({ gathering }: { gathering: Gathering }): ReactNode {
  const { t, moment } = useText();
  return (
    <dl className="facts">
      <dt>{t('gathering.topic')}</dt>
      <dd>
        <bdi>{gathering.topic}</bdi>
      </dd>
      <dt>{t('gathering.place')}</dt>
      <dd>
        {gathering.places.map(({ name }) => (
          <bdi key={name}>{name}</bdi>
        ))}
      </dd>
      <dt>{t('gathering.hours')}</dt>
      <dd>{t('gathering.hoursAre', { from: moment(gathering.from), until: moment(gathering.until) })}</dd>
      <dt>{t('gathering.federation')}</dt>
      <dd>
        <bdi>{gathering.federation}</bdi> <code dir="ltr">{gathering.pin.slice(0, 16)}…</code>
      </dd>
    </dl>
  );
}

function Known({ gathering }: { gathering: Gathering }): ReactNode {
  const { t } = useText();
  const { wish, setWish, gatherings, setGatherings } = useShared();
  const take = (route: '/discover' | '/broadcast'): void => {
    const [first] = gathering.places;
    if (!first) return;
    place.set(first.at);
    setWish({ ...wish, context: gathering.topic });
    go(route);
  };
  return (
    <Panel title={t('gathering.known')}>
      <Facts gathering={gathering} />
      <div className="row">
        <Button tone="main" icon="discover" onClick={() => take('/discover')}>
          {t('gathering.look')}
        </Button>
        <Button icon="broadcast" onClick={() => take('/broadcast')}>
          {t('gathering.say')}
        </Button>
        <Button tone="quiet" icon="trash" onClick={() => setGatherings(gatherings.filter((known) => known !== gathering))}>
          {t('gathering.drop')}
        </Button>
      </div>
    </Panel>
  );
}

/** The local time that a date field holds, as unix seconds. */
const unix = (local: string): number => Math.floor(new Date(local).getTime() / 1000);

function Make(): ReactNode {
  const { t } = useText();
  const { status } = useShared();
  const [topic, setTopic] = useState('');
  const [name, setName] = useState('');
  const [at, setAt] = useState('');
  const [from, setFrom] = useState('');
  const [until, setUntil] = useState('');
  const [wrong, setWrong] = useState<'place' | 'hours' | 'words' | null>(null);
  const [made, setMade] = useState<Gathering | null>(null);

  const make = (): void => {
    const position = parsePosition(at);
    if (!status) return;
    if (topic.trim() === '' || name.trim() === '') { setWrong('words'); return; }
    if (!position) { setWrong('place'); return; }
    if (!(unix(until) > unix(from))) { setWrong('hours'); return; }
    const { pin, name: federation } = status.federation;
    const gathering = { pin, federation, topic: topic.trim(), places: [{ name: name.trim(), at: position }], from: unix(from), until: unix(until) };
    const text = encode(gathering);
    setMade(decode(text));
    setWrong(null);
  };
  const text = made && encode(made);
  return (
    <Panel title={t('gathering.make')}>
      <p>
        <Say k="gathering.public" />
      </p>
      <Form submit={make} className="stack">
        <Field label={t('gathering.topic')} hint={t('gathering.topicHint')}>
          {({ id, describedBy }) => <input id={id} type="text" maxLength={200} autoComplete="off" value={topic} aria-describedby={describedBy} onChange={(event) => setTopic(event.target.value)} />}
        </Field>
        <Field label={t('gathering.placeName')}>
          {({ id }) => <input id={id} type="text" maxLength={100} autoComplete="off" value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Field label={t('gathering.at')} hint={t('gathering.atHint')}>
          {({ id, describedBy }) => <input id={id} type="text" dir="ltr" autoComplete="off" placeholder="41.15, -8.63" value={at} aria-describedby={describedBy} onChange={(event) => setAt(event.target.value)} />}
        </Field>
        <div className="row grow">
          <Field label={t('gathering.from')}>
            {({ id }) => <input id={id} type="datetime-local" value={from} onChange={(event) => setFrom(event.target.value)} />}
          </Field>
          <Field label={t('gathering.until')}>
            {({ id }) => <input id={id} type="datetime-local" value={until} onChange={(event) => setUntil(event.target.value)} />}
          </Field>
        </div>
        {wrong && (
          <Notice tone="bad" live>
            {t(`gathering.wrong.${wrong}`)}
          </Notice>
        )}
        <Button submit icon="gathering" wide>
          {t('gathering.makeNow')}
        </Button>
      </Form>
      {made && text && (
        <div className="poster">
          <Qr text={text} label={t('gathering.qr')} />
          <Facts gathering={made} />
          <div className="row">
            <CopyButton text={text} label={t('gathering.copy')} />
            <Button onClick={() => print()}>{t('gathering.print')}</Button>
          </div>
        </div>
      )}
    </Panel>
  );
}
