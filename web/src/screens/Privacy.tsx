import { useEffect, useState, type ReactNode } from 'react';

import { agent, Refusal } from '../api/client';
import type { AnonymityView, Mode, Receipt, ReceiptsReply, SettingsBody } from '../api/types';
import { go } from '../app/router';
import { useShared } from '../app/state';
import { effective, LEAST, MOST } from '../core/noise';
import { Say, useText } from '../i18n';
import { Slots } from '../ui/Slots';
import { AgentWords, Button, Choice, Gauge, Notice, Panel, Range, Refused, Switch, Told, useDoing } from '../ui/parts';

const MODES: readonly Mode[] = ['emergency', 'balanced', 'maximum'];
const IDLE = [1, 5, 15, 60] as const;

export function PrivacyScreen(): ReactNode {
  const { t } = useText();
  const { status } = useShared();
  return (
    <>
      <h1>{t('privacy.title')}</h1>
      <p className="lead">
        <Say k="privacy.lead" />
      </p>
      <Button icon="eye" onClick={() => go('/onboarding')}>
        {t('welcome.go')}
      </Button>
      <div className="columns">
        <div className="stack">
          <Meter />
          <LastEvent />
          <Budget />
        </div>
        <div className="stack">
          <SettingsPanel />
          <Federation />
          {status && status.warnings.length > 0 && (
            <Panel title={t('privacy.warnings')}>
              {status.warnings.map((warning) => (
                <Notice key={warning.kind} tone="warn">
                  <Told warning={warning} />
                </Notice>
              ))}
            </Panel>
          )}
        </div>
      </div>
    </>
  );
}

/** What each attacker would conclude: the agent's own computation, with where it stops. */
function Meter(): ReactNode {
  const { t, number } = useText();
  const { status } = useShared();
  if (!status) return null;
  const { anonymity } = status;
  return (
    <Panel title={t('meter.title')}>
      <p>
        <Say k="meter.lead" />
      </p>
      {anonymity.views.map((view) => (
        <View key={view.view} view={view} />
      ))}
      <p>
        <strong>{t(`meter.${anonymity.action}`)}</strong> {t('meter.floor', { floor: number(anonymity.floor, 1) })}
      </p>
    </Panel>
  );
}

function View({ view }: { view: AnonymityView }): ReactNode {
  const { t, percent, number } = useText();
  const { probability, effective: identities } = view;
  return (
    <div className="view">
      <h3>{t(`view.${view.view}`)}</h3>
      {probability == null ? (
        <p>{t('meter.unsent')}</p>
      ) : (
        <Gauge
          label={t('meter.sure')}
          value={probability}
          of={1}
          text={identities == null ? percent(probability) : t('meter.asGoodAs', { share: percent(probability), identities: number(identities, 1) })}
        />
      )}
      <p className="hint">
        <Say k={`view.${view.view}Hint`} />
      </p>
      <details>
        <summary>{t('meter.basis')}</summary>
        <p>
          <AgentWords>{view.basis}</AgentWords>
        </p>
      </details>
    </div>
  );
}

function LastEvent(): ReactNode {
  const { t, percent, relative, number } = useText();
  const { status } = useShared();
  const [reply, setReply] = useState<ReceiptsReply | null>(null);
  const released = status?.events_released;
  useEffect(() => {
    agent.receipts().then(setReply, (error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
    });
  }, [released]);
  const last = reply?.receipts.at(-1);
  const conclude = (receipt: Receipt): ReactNode => (
    <dl className="facts">
      <dt>{t('event.left')}</dt>
      <dd>{relative(receipt.released_at, status?.now ?? receipt.released_at)}</dd>
      <dt>{t('event.real')}</dt>
      <dd>{t('event.realIs', { real: number(receipt.real_slots) })}</dd>
      <dt>{t('event.one')}</dt>
      <dd>{percent(receipt.one_provider)}</dd>
      <dt>{t('event.opened')}</dt>
      <dd>{receipt.opened == null ? t('event.nothing') : percent(receipt.opened)}</dd>
    </dl>
  );
  return (
    <Panel title={t('event.title')}>
      <p>
        <Say k="event.lead" />
      </p>
      {last ? conclude(last) : <p>{t('event.none')}</p>}
    </Panel>
  );
}

function Budget(): ReactNode {
  const { t, number, relative } = useText();
  const { status } = useShared();
  if (!status) return null;
  const { ledger, answers } = status;
  return (
    <Panel title={t('budget.title')}>
      <p>
        <Say k="budget.lead" />
      </p>
      <Gauge label={t('budget.places')} value={ledger.left} of={ledger.weekly} text={t('budget.left', { left: number(ledger.left, 1), of: number(ledger.weekly, 1) })} />
      <p className="hint">{t('budget.renews', { when: relative(ledger.renews_at, status.now) })}</p>
      {ledger.zones.map(({ reason, releases }) => (
        <p key={reason}>
          {t(`zone.${reason}`)} <span className="hint">{t('budget.zones', { count: number(releases) })}</span>
        </p>
      ))}
      <Gauge label={t('budget.answers')} value={answers.epsilon_used} of={answers.epsilon_total} text={t('budget.used', { used: number(answers.epsilon_used, 2), of: number(answers.epsilon_total, 1) })} />
    </Panel>
  );
}

/** Every field of the configuration; what is changed applies with the next event. */
function SettingsPanel(): ReactNode {
  const { t, percent, hours, number, minutes } = useText();
  const { settings, status, change, idleMinutes, setIdleMinutes, capture, setCapture } = useShared();
  const { busy, refusal, run } = useDoing();
  const [draft, setDraft] = useState<SettingsBody>({});
  if (!settings || !status) return null;
  const mode = (draft['privacy.mode'] ?? settings['privacy.mode']) as Mode;
  const requested = draft['noise.default'] ?? settings['noise.default'] ?? effective(mode, LEAST, 'rendezvous');
  const floor = draft['anonymity.floor'] ?? settings['anonymity.floor'] ?? status.anonymity.floor;
  const ttl = draft['ttl.default'] ?? settings['ttl.default'];
  const set = (body: SettingsBody): void => setDraft({ ...draft, ...body });
  const now = (body: SettingsBody): void => void run(() => change(body));
  const save = (): void =>
    void run(async () => {
      await change(draft);
      setDraft({});
    });
  return (
    <Panel title={t('settings.title')}>
      <div className="stack">
        <Choice
          legend={t('mode.title')}
          shape="cards"
          value={mode}
          choose={(next) => now({ 'privacy.mode': next })}
          options={MODES.map((value) => ({ value, label: t(`mode.${value}`), hint: <Say k={`mode.${value}Hint`} /> }))}
        />
        <Slots mode={mode} requested={requested} speaking={status.broadcasts > 0} />
        <Range label={t('settings.noise')} value={requested} min={LEAST} max={MOST} step={0.05} show={percent} change={(value) => set({ 'noise.default': value })} hint={t('noise.effective', { requested: percent(requested), discovery: percent(effective(mode, requested, 'discovery')), rendezvous: percent(effective(mode, requested, 'rendezvous')) })} />
        <Range label={t('settings.ttl')} value={ttl} min={24} max={168} step={1} show={hours} change={(value) => set({ 'ttl.default': value })} />
        <Range label={t('settings.floor')} value={floor} min={1} max={10} step={0.5} show={(value) => number(value, 1)} change={(value) => set({ 'anonymity.floor': value })} hint={<Say k="settings.floorHint" />} />
        <Button tone="main" busy={busy} disabled={Object.keys(draft).length === 0} onClick={save}>
          {t('settings.save')}
        </Button>
        <Switch label={t('settings.risk')} hint={<Say k="risk.hint" />} on={settings['risk.level'] === 'high'} change={(on) => now({ 'risk.level': on ? 'high' : 'normal' })} />
        <Switch label={t('settings.aggregate')} hint={<Say k="settings.aggregateHint" />} on={settings.aggregate === 'on'} change={(on) => now({ aggregate: on ? 'on' : 'off' })} />
        <Refused refusal={refusal} />
        <h3>{t('settings.screen')}</h3>
        <Switch label={t('capture.toggle')} hint={t('capture.hint')} on={capture} change={setCapture} />
        <Choice
          legend={t('settings.idle')}
          value={String(idleMinutes)}
          choose={(value) => setIdleMinutes(Number(value))}
          options={IDLE.map((value) => ({ value: String(value), label: minutes(value) }))}
        />
        <p className="hint">
          <Say k="settings.storage" />
        </p>
      </div>
    </Panel>
  );
}

function Federation(): ReactNode {
  const { t } = useText();
  const { status } = useShared();
  if (!status) return null;
  return (
    <Panel title={t('federation.title')}>
      <p>
        <bdi>{status.federation.name}</bdi> · {t(`reach.${status.reach}`)}
      </p>
      <ul className="items">
        {status.providers.map((provider) => (
          <li key={provider.id} className="item">
            <span>
              <bdi>{provider.operator}</bdi> <span className="hint">{provider.jurisdiction}</span>
            </span>
            <span className={`tag ${provider.up ? 'good' : 'bad'}`}>{provider.up ? t('federation.up') : t('federation.down')}</span>
          </li>
        ))}
      </ul>
      <p className="hint">
        {t('federation.pin')} <code dir="ltr">{status.federation.pin}</code>
      </p>
    </Panel>
  );
}
