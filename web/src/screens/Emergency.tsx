import { useState, type ReactNode } from 'react';

import { agent } from '../api/client';
import { useShared } from '../app/state';
import { Say, useText } from '../i18n';
import { Dialog } from '../ui/Dialog';
import { Button, Notice, Refused, useDoing } from '../ui/parts';

/** What helps at once: hide, take back, or be found faster and more visibly. */
export function EmergencyDialog({ open, close }: { open: boolean; close: () => void }): ReactNode {
  const { t } = useText();
  const { settings, change, lock } = useShared();
  const { busy, refusal, run } = useDoing();
  const [done, setDone] = useState(false);
  const mode = settings?.['privacy.mode'];

  const takeBack = (): Promise<boolean> =>
    run(async () => {
      const out = await agent.broadcasts();
      await Promise.all(out.map(({ id }) => agent.withdraw(id)));
      lock();
    });
  const setMode = (next: 'emergency' | 'balanced'): Promise<boolean> =>
    run(async () => {
      await change({ 'privacy.mode': next });
      setDone(true);
    });

  return (
    <Dialog title={t('emergency.title')} open={open} close={() => { setDone(false); close(); }}>
      <div className="stack">
        <section className="way">
          <h3>{t('emergency.hide')}</h3>
          <p>{t('emergency.hideHow')}</p>
          <Button tone="main" icon="lock" wide onClick={lock}>
            {t('emergency.hideNow')}
          </Button>
        </section>
        <section className="way">
          <h3>{t('emergency.withdraw')}</h3>
          <p>
            <Say k="emergency.withdrawHow" />
          </p>
          <Button icon="trash" wide busy={busy} onClick={() => void takeBack()}>
            {t('emergency.withdrawNow')}
          </Button>
        </section>
        <section className="way">
          <h3>{t('emergency.fast')}</h3>
          <p>
            <Say k="emergency.fastHow" />
          </p>
          {mode === 'emergency' ? (
            <Button wide busy={busy} onClick={() => void setMode('balanced')}>
              {t('emergency.fastEnd')}
            </Button>
          ) : (
            <Button tone="danger" icon="alarm" wide busy={busy} onClick={() => void setMode('emergency')}>
              {t('emergency.fastNow')}
            </Button>
          )}
        </section>
        {done && (
          <Notice tone="good" live>
            {t('saved')}
          </Notice>
        )}
        <Refused refusal={refusal} />
        <section className="way">
          <h3>{t('emergency.duress')}</h3>
          <p>
            <Say k="emergency.duressHow" />
          </p>
        </section>
      </div>
    </Dialog>
  );
}
