import { useCallback, useEffect, useState, type ReactNode } from 'react';

import { agent, Refusal } from '../api/client';
import type { AssociateReply, Association, IncomingWave, Person } from '../api/types';
import { useShared } from '../app/state';
import { grouped, handover, isContact } from '../core/handover';
import { Say, useText } from '../i18n';
import { Qr } from '../ui/Qr';
import { Button, Choice, CopyButton, Field, Form, Notice, Panel, Refused, Sensitive, Told, useDoing } from '../ui/parts';
import { ContactField } from './Discover';

/** How often the lists are asked for while this screen is open, milliseconds. */
const LIST_MS = 3000;

interface Lists {
  people: Person[];
  waves: IncomingWave[];
  associations: Association[];
}

export function AssociationScreen(): ReactNode {
  const { t, relative } = useText();
  const { contact, setContact, now } = useShared();
  const [lists, setLists] = useState<Lists | null>(null);
  const { busy, refusal, run } = useDoing();

  const list = useCallback(async () => {
    try {
      const [people, waves, associations] = await Promise.all([agent.people(), agent.waves(), agent.associations()]);
      setLists({ people, waves, associations });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }, []);
  useEffect(() => {
    void list();
    const timer = setInterval(() => void list(), LIST_MS);
    return () => clearInterval(timer);
  }, [list]);

  const doing = (work: () => Promise<void>) => (): void =>
    void run(async () => {
      await work();
      await list();
    });
  const waiting = lists?.waves ?? [];
  const approached = lists?.associations.filter(({ id, state }) => state === 'approached' && !waiting.some((wave) => wave.id === id)) ?? [];
  return (
    <>
      <h1>{t('people.title')}</h1>
      <p className="lead">
        <Say k="people.lead" />
      </p>
      <div className="columns">
        <div className="stack">
          {(waiting.length > 0 || approached.length > 0) && (
            <Panel title={t('people.asking')} tone="calm">
              <p>
                <Say k="people.askingLead" />
              </p>
              <ContactField contact={contact} setContact={setContact} />
              <ul className="items">
                {[...waiting, ...approached].map(({ id, expires_at: expires }) => (
                  <li key={id} className="item">
                    <span>{t('people.asked', { when: relative(expires, now) })}</span>
                    <span className="row">
                      <Button tone="main" icon="check" busy={busy} disabled={!isContact(contact)} onClick={doing(() => agent.accept(id, contact.trim()))}>
                        {t('people.accept')}
                      </Button>
                      <Button tone="quiet" busy={busy} onClick={doing(() => agent.decline(id))}>
                        {t('people.decline')}
                      </Button>
                    </span>
                  </li>
                ))}
              </ul>
            </Panel>
          )}
          <Refused refusal={refusal} />
          <Panel title={t('people.met')}>
            {lists?.people.length === 0 && <p>{t('people.none')}</p>}
            <ul className="items">
              {lists?.people.map((person) => (
                <li key={person.id} className="item">
                  <span>
                    <strong>
                      <Sensitive>
                        <bdi>{person.contact}</bdi>
                      </Sensitive>
                    </strong>
                    <span className="hint">{person.kept ? t('people.kept') : t('people.forgotten')}</span>
                  </span>
                  <span className="row">
                    {!person.kept && (
                      <Button busy={busy} onClick={doing(() => agent.keep(person.id))}>
                        {t('people.keep')}
                      </Button>
                    )}
                    <Button tone="quiet" icon="trash" busy={busy} onClick={doing(() => agent.forget(person.id))}>
                      {t('people.forget')}
                    </Button>
                  </span>
                </li>
              ))}
            </ul>
          </Panel>
          <Panel title={t('people.underway')}>
            {lists?.associations.length === 0 && <p>{t('people.noneUnderway')}</p>}
            <ul className="items">
              {lists?.associations.map((association) => (
                <li key={association.id} className="item">
                  <span>
                    <strong>{t(`kind.${association.kind}`)}</strong>
                    <span className="hint">
                      {t(`state.${association.state}`)} · {t('people.ends', { when: relative(association.expires_at, now) })}
                    </span>
                  </span>
                  <Button tone="quiet" icon="trash" busy={busy} onClick={doing(() => agent.deleteAssociation(association.id))}>
                    {t('people.delete')}
                  </Button>
                </li>
              ))}
            </ul>
            <p className="hint">
              <Say k="people.deletion" />
            </p>
          </Panel>
        </div>
        <Invite changed={list} />
      </div>
    </>
  );
}

function Invite({ changed }: { changed: () => Promise<void> }): ReactNode {
  const { t, relative } = useText();
  const { contact, setContact, now } = useShared();
  const [way, setWay] = useState<'code' | 'token'>('code');
  const [made, setMade] = useState<AssociateReply | null>(null);
  const [heard, setHeard] = useState('');
  const [joined, setJoined] = useState<AssociateReply | null>(null);
  const { busy, refusal, run } = useDoing();
  const other = handover(heard);

  const make = (): void =>
    void run(async () => {
      setMade(await agent.associate({ contact: contact.trim(), make: way }));
      await changed();
    });
  const join = (): void => {
    if (!other) return;
    void run(async () => {
      setJoined(await agent.associate({ contact: contact.trim(), ...other }));
      setHeard('');
      await changed();
    });
  };
  const secret = made?.code ?? made?.token;
  return (
    <Panel title={t('invite.title')}>
      <p>
        <Say k="invite.lead" />
      </p>
      <ContactField contact={contact} setContact={setContact} />
      <Form submit={make} className="stack">
        <Choice
          legend={t('invite.way')}
          value={way}
          choose={setWay}
          shape="cards"
          options={[
            { value: 'code', label: t('invite.code'), hint: <Say k="invite.codeHint" /> },
            { value: 'token', label: t('invite.token'), hint: t('invite.tokenHint') },
          ]}
        />
        <Button tone="main" icon="people" submit wide busy={busy} disabled={!isContact(contact)}>
          {t('invite.make')}
        </Button>
      </Form>
      {made && secret && (
        <div className="made" role="group" aria-label={t('invite.made')}>
          <Sensitive>
            <Qr text={secret} label={t('invite.qr')} />
            <output className="secret" dir="ltr" data-testid="secret">
              {made.code ? grouped(made.code) : secret}
            </output>
          </Sensitive>
          <p className="hint">{t('invite.once', { when: relative(made.expires_at, now) })}</p>
          {made.warnings?.map((warning) => (
            <Told key={warning.kind} warning={warning} />
          ))}
          <CopyButton text={secret} label={t('invite.copy')} />
        </div>
      )}
      <hr />
      <Form submit={join} className="stack">
        <Field label={t('invite.heard')} hint={t('invite.heardHint')} error={heard.trim() !== '' && !other && heard.length > 40 ? t('invite.wrong') : null}>
          {({ id, describedBy, invalid }) => (
            <input id={id} className="sensitive" type="text" dir="ltr" autoComplete="off" spellCheck={false} value={heard} aria-describedby={describedBy} aria-invalid={invalid} onChange={(event) => setHeard(event.target.value)} />
          )}
        </Field>
        <Button submit wide busy={busy} disabled={!other || !isContact(contact)}>
          {t('invite.join')}
        </Button>
      </Form>
      <Refused refusal={refusal} />
      {joined && (
        <Notice tone="good" live>
          <p>{t('invite.joined')}</p>
          {joined.warnings?.map((warning) => (
            <Told key={warning.kind} warning={warning} />
          ))}
        </Notice>
      )}
    </Panel>
  );
}
