import { useCallback, useEffect, useState, type ReactNode } from 'react';

import { agent, Refusal } from '../api/client';
import type { Broadcast, BroadcastReply, Mode, Preview } from '../api/types';
import { go } from '../app/router';
import { useShared } from '../app/state';
import { effective, LEAST, MOST } from '../core/noise';
import { place } from '../core/place';
import { Say, useText } from '../i18n';
import { Identifiers, Subject } from '../ui/Subject';
import { PlacePicker, usePlace } from '../ui/PlacePicker';
import { Slots } from '../ui/Slots';
import { Button, Choice, Field, Form, Notice, Panel, Range, Refused, Sensitive, Switch, useDoing } from '../ui/parts';

const MODES: readonly Mode[] = ['emergency', 'balanced', 'maximum'];
/** The preview follows the typing at this distance, milliseconds. */
const PREVIEW_MS = 250;

export function BroadcastScreen(): ReactNode {
  const { t } = useText();
  const { status, settings, refresh, change, wish } = useShared();
  const [out, setOut] = useState<Broadcast[] | null>(null);
  const [noise, setNoise] = useState<number | null>(null);
  const [context, setContext] = useState(wish.context);
  const { busy, refusal, run } = useDoing();
  const mode = (settings?.['privacy.mode'] ?? 'balanced') as Mode;
  const requested = noise ?? settings?.['noise.default'] ?? status?.noise.requested ?? effective(mode, LEAST, 'rendezvous');

  const list = useCallback(async () => {
    try {
      setOut(await agent.broadcasts());
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }, []);
  useEffect(() => void list(), [list, status?.broadcasts]);

  const on = (out?.length ?? 0) > 0;
  const off = (): void => {
    void run(async () => {
      for (const { id } of out ?? []) await agent.withdraw(id);
      await list();
      await refresh();
    });
  };

  return (
    <>
      <h1>{t('broadcast.title')}</h1>
      <p className="lead">
        <Say k="broadcast.lead" />
      </p>
      <Welcome />
      <div className="columns">
        <div className="stack">
          <Panel>
            <Switch
              label={on ? t('broadcast.on') : t('broadcast.off')}
              hint={<Say k={on ? 'broadcast.onHint' : 'broadcast.offHint'} />}
              on={on}
              change={(next) => (next ? document.getElementById('context')?.focus() : off())}
            />
            <Refused refusal={refusal} />
          </Panel>
          {out?.map((broadcast) => (
            <Out key={broadcast.id} broadcast={broadcast} busy={busy} changed={list} />
          ))}
          <Compose context={context} setContext={setContext} mode={mode} requested={requested} setNoise={setNoise} setMode={(next) => void run(() => change({ 'privacy.mode': next }))} sent={async () => { await list(); await refresh(); }} />
        </div>
        <Panel title={t('slots.title')}>
          <p>
            <Say k="slots.lead" />
          </p>
          <Slots mode={mode} requested={requested} speaking={on || context.trim() !== ''} />
        </Panel>
      </div>
    </>
  );
}

let welcomed = false;

/** An invitation, once each time the app is opened: nothing is remembered in between. */
function Welcome(): ReactNode {
  const { t } = useText();
  const [shown, setShown] = useState(!welcomed);
  if (!shown) return null;
  const end = (): void => {
    welcomed = true;
    setShown(false);
  };
  return (
    <section className="welcome" aria-labelledby="welcome">
      <h2 id="welcome">{t('welcome.title')}</h2>
      <p>{t('welcome.text')}</p>
      <div className="row">
        <Button tone="main" onClick={() => { end(); go('/onboarding'); }}>
          {t('welcome.go')}
        </Button>
        <Button tone="quiet" onClick={end}>
          {t('welcome.skip')}
        </Button>
      </div>
    </section>
  );
}

interface ComposeProps {
  context: string;
  setContext: (context: string) => void;
  mode: Mode;
  requested: number;
  setNoise: (noise: number) => void;
  setMode: (mode: Mode) => void;
  sent: () => Promise<void>;
}

function Compose({ context, setContext, mode, requested, setNoise, setMode, sent }: ComposeProps): ReactNode {
  const { t, percent, hours, number } = useText();
  const { settings } = useShared();
  const [ttl, setTtl] = useState<number | null>(null);
  const [high, setHigh] = useState<boolean | null>(null);
  const [sure, setSure] = useState(false);
  const [told, setTold] = useState<BroadcastReply | null>(null);
  const { busy, refusal, run, clear } = useDoing();
  const preview = usePreview(context);
  const here = usePlace();
  const hoursToLive = ttl ?? settings?.['ttl.default'] ?? 48;
  const risky = high ?? settings?.['risk.level'] === 'high';

  const send = (): void => {
    const location = place.exact();
    if (!location || context.trim() === '') return;
    void run(async () => {
      const reply = await agent.broadcast({
        context: context.trim(),
        location,
        noise_ratio: requested,
        ttl_hours: hoursToLive,
        risk: risky ? 'high' : 'normal',
        ...(sure ? { confirm_identifiers: true } : {}),
      });
      setTold(reply);
      setContext('');
      setSure(false);
      await sent();
    });
  };

  return (
    <Panel title={t('compose.title')}>
      <Form submit={send} className="stack">
        <Field label={t('compose.context')} hint={t('compose.left', { count: number(500 - Array.from(context).length) })}>
          {({ describedBy }) => (
            <textarea
              id="context"
              aria-label={t('compose.context')}
              className="sensitive"
              rows={2}
              maxLength={500}
              autoComplete="off"
              spellCheck={false}
              value={context}
              placeholder={t('compose.placeholder')}
              aria-describedby={describedBy}
              onChange={(event) => {
                setContext(event.target.value.replace(/[\n\r]/g, ' '));
                setSure(false);
                setTold(null);
                clear();
              }}
            />
          )}
        </Field>
        <PreviewOf preview={preview} context={context} rewrite={setContext} />
        <PlacePicker />
        <div>
          <Choice legend={t('mode.title')} value={mode} choose={setMode} options={MODES.map((value) => ({ value, label: t(`mode.${value}`) }))} />
          <p className="hint" aria-live="polite">
            <Say k={`mode.${mode}Hint`} />
          </p>
        </div>
        <Range
          label={t('noise.label')}
          value={requested}
          min={LEAST}
          max={MOST}
          step={0.05}
          show={percent}
          change={setNoise}
          hint={<NoiseInForce mode={mode} requested={requested} />}
        />
        <details>
          <summary>{t('compose.more', { ttl: hours(hoursToLive), risk: t(risky ? 'risk.high' : 'risk.normal') })}</summary>
          <div className="stack">
            <Range label={t('ttl.label')} value={hoursToLive} min={24} max={168} step={1} show={hours} change={setTtl} hint={<Say k="ttl.hint" />} />
            <Switch label={t('risk.label')} hint={<Say k="risk.hint" />} on={risky} change={setHigh} />
            {risky && (
              <Notice tone="info">
                <ul>
                  <li>{t('opsec.posts')}</li>
                  <li>{t('opsec.moment')}</li>
                  <li>{t('opsec.network')}</li>
                  <li>{t('opsec.offset')}</li>
                </ul>
              </Notice>
            )}
          </div>
        </details>
        {(preview?.to_confirm === true || refusal?.word === 'identifying-words') && (
          <label className="check">
            <input type="checkbox" checked={sure} onChange={(event) => setSure(event.target.checked)} />
            <span>{t('compose.sure')}</span>
          </label>
        )}
        <Refused refusal={refusal} />
        <Button tone="main" icon="broadcast" submit wide busy={busy} disabled={context.trim() === '' || !here}>
          {t('compose.send')}
        </Button>
        {!here && <p className="hint">{t('compose.needPlace')}</p>}
        {told && <Told reply={told} />}
      </Form>
    </Panel>
  );
}

function NoiseInForce({ mode, requested }: { mode: Mode; requested: number }): ReactNode {
  const { t, percent } = useText();
  return (
    <>
      <span data-testid="noise-effective">
        {t('noise.effective', {
          requested: percent(requested),
          discovery: percent(effective(mode, requested, 'discovery')),
          rendezvous: percent(effective(mode, requested, 'rendezvous')),
        })}
      </span>{' '}
      <Say k="noise.floor" />
    </>
  );
}

/** What the agent would make of the words, a moment after the last letter; nothing is stored or sent for it. */
function usePreview(context: string): Preview | null {
  const [preview, setPreview] = useState<Preview | null>(null);
  useEffect(() => {
    if (context.trim() === '') return;
    const asked = new AbortController();
    const timer = setTimeout(() => {
      agent
        .preview(context.trim(), asked.signal)
        .then(setPreview)
        // a preview that does not come is no preview: sending says what is wrong
        .catch(() => undefined);
    }, PREVIEW_MS);
    return () => {
      clearTimeout(timer);
      asked.abort();
    };
  }, [context]);
  return context.trim() === '' ? null : preview;
}

function PreviewOf({ preview, context, rewrite }: { preview: Preview | null; context: string; rewrite: (context: string) => void }): ReactNode {
  const { t } = useText();
  if (!preview) return <p className="hint">{t('preview.empty')}</p>;
  return (
    <div className="preview" aria-live="polite">
      <p className="hint">{t('preview.seen')}</p>
      <Sensitive>
        <Subject of={preview.class} topics={preview.topics} />
      </Sensitive>
      <p className="hint">
        <Say k="preview.who" />
      </p>
      <Identifiers warnings={preview.warnings ?? []} context={context} rewrite={rewrite} />
    </div>
  );
}

/** What became of it: what was really released, and why less than was asked for. */
function Told({ reply }: { reply: BroadcastReply }): ReactNode {
  const { t, relative, percent, number } = useText();
  const { now } = useShared();
  return (
    <Notice tone="good" live>
      <p>
        <strong>{t('told.title')}</strong> {t('told.leaves', { when: relative(reply.next_send_at, now) })}
      </p>
      <ul>
        <li>{t('told.noise', { requested: percent(reply.noise.requested), effective: percent(reply.noise.effective.discovery) })}</li>
        <li>{reply.granularity === 'zone' ? t('told.zone') : t('told.fine')}</li>
        {reply.zone_reason && <li>{t(`zone.${reply.zone_reason}`)}</li>}
        {reply.inclusion && <li>{reply.inclusion.shown ? t('told.shown') : t('told.notShown')}</li>}
        {reply.not_before && <li>{t('told.notBefore', { when: relative(reply.not_before, now) })}</li>}
        <li>{t('told.ledger', { left: number(reply.ledger_left, 1) })}</li>
      </ul>
      <Identifiers warnings={reply.warnings ?? []} />
    </Notice>
  );
}

function Out({ broadcast, busy, changed }: { broadcast: Broadcast; busy: boolean; changed: () => Promise<void> }): ReactNode {
  const { t, relative, percent } = useText();
  const doing = useDoing();
  const { now } = useShared();
  const raise = Math.min(MOST, Math.round((broadcast.noise.requested + 0.1) * 100) / 100);
  return (
    <Panel title={t('out.title')}>
      <Sensitive>
        <Subject of={broadcast.class} topics={broadcast.topics} />
      </Sensitive>
      <dl className="facts">
        <dt>{t('out.ends')}</dt>
        <dd>{relative(broadcast.expires_at, now)}</dd>
        <dt>{t('out.noise')}</dt>
        <dd>{t('out.noiseIs', { requested: percent(broadcast.noise.requested), effective: percent(broadcast.noise.effective.discovery) })}</dd>
        <dt>{t('out.place')}</dt>
        <dd>{broadcast.granularity === 'zone' ? t('told.zone') : t('told.fine')}</dd>
        {broadcast.inclusion && !broadcast.inclusion.shown && (
          <>
            <dt>{t('out.withheld')}</dt>
            <dd>
              <Say k="out.notShown" />
            </dd>
          </>
        )}
        {broadcast.anonymity && broadcast.anonymity.action !== 'nothing' && (
          <>
            <dt>{t('out.withheld')}</dt>
            <dd>{t(`meter.${broadcast.anonymity.action}`)}</dd>
          </>
        )}
      </dl>
      <div className="row">
        <Button icon="trash" tone="danger" busy={busy || doing.busy} onClick={() => void doing.run(async () => { await agent.withdraw(broadcast.id); await changed(); })}>
          {t('out.withdraw')}
        </Button>
        {broadcast.noise.requested < MOST && (
          <Button busy={doing.busy} onClick={() => void doing.run(async () => { await agent.stricter(broadcast.id, { noise_ratio: raise }); await changed(); })}>
            {t('out.stricter', { noise: percent(raise) })}
          </Button>
        )}
      </div>
      <Refused refusal={doing.refusal} />
    </Panel>
  );
}
