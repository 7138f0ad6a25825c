import { useEffect, useState, type ReactNode } from 'react';

import { agent, Refusal } from '../api/client';
import type { AggregatesReply } from '../api/types';
import { go } from '../app/router';
import { useShared } from '../app/state';
import { Say, useText } from '../i18n';
import { useClassName } from '../ui/Subject';
import { Button, Panel } from '../ui/parts';

/** Nothing found: what is known of how many there are, what comes next, and what was held back and why. */
export function Nobody(): ReactNode {
  const { t, number, moment } = useText();
  const { status, now, gatherings } = useShared();
  const [counts, setCounts] = useState<AggregatesReply['statements'] | null>(null);
  const className = useClassName();

  useEffect(() => {
    agent.aggregates().then(
      (reply) => setCounts(reply.statements),
      (error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
      },
    );
  }, []);

  const day = counts?.[0];
  const told = day?.classes.filter((count) => count.people != null).sort((a, b) => (b.people ?? 0) - (a.people ?? 0)).slice(0, 3) ?? [];
  const next = [...gatherings].filter(({ until }) => until > now).sort((a, b) => a.from - b.from)[0];
  const withheld = status?.anonymity.action !== 'nothing';
  return (
    <Panel title={t('nobody.title')}>
      <p>{t('nobody.lead')}</p>
      <dl className="facts">
        <dt>{t('nobody.count')}</dt>
        <dd>
          {day && told.length > 0 ? (
            <>
              {told.map((count) => t('nobody.people', { class: className(count.class), people: number(count.people ?? 0) })).join(' · ')}{' '}
              <span className="hint">
                <Say k="nobody.noised" values={{ epsilon: number(day.epsilon, 2), day: moment(day.day) }} />
              </span>
            </>
          ) : (
            t('nobody.tooFew')
          )}
        </dd>
        <dt>{t('nobody.crowd')}</dt>
        <dd>{status?.crowd ? <Say k="nobody.crowdIs" values={{ low: number(status.crowd.low), high: number(status.crowd.high) }} /> : t('nobody.crowdUnknown')}</dd>
        <dt>{t('nobody.gathering')}</dt>
        <dd>{next ? t('nobody.gatheringIs', { topic: next.topic, when: moment(next.from) }) : t('nobody.gatheringNone')}</dd>
        {withheld && status && (
          <>
            <dt>{t('out.withheld')}</dt>
            <dd>{t(`meter.${status.anonymity.action}`)}</dd>
          </>
        )}
      </dl>
      <div className="row">
        <Button onClick={() => go('/gathering')}>{t('nobody.goGathering')}</Button>
        <Button onClick={() => go('/broadcast')}>{t('nobody.goBroadcast')}</Button>
      </div>
    </Panel>
  );
}
