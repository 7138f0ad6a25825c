import { useState, type ReactNode } from 'react';

import { Preferences } from '../app/Shell';
import { Say, useText } from '../i18n';
import { Mark } from '../ui/Mark';
import { Button, Field, Form, Notice } from '../ui/parts';

/** Why somebody is outside. */
export type Outside = 'closed' | 'locked' | 'ended' | 'refused' | 'unreachable';

/** The door: what to type in a terminal, and a field for what it prints. */
export function Lock({ why, enter }: { why: Outside; enter: (text: string | null) => Promise<void> }): ReactNode {
  const { t } = useText();
  const [text, setText] = useState('');
  return (
    <main className="alone">
      <Mark />
      <h1>{t('door.title')}</h1>
      {why !== 'closed' && (
        <Notice tone={why === 'locked' ? 'good' : 'warn'} live>
          {t(`door.${why}`)}
        </Notice>
      )}
      <p>
        <Say k="door.how" />
      </p>
      <pre dir="ltr" tabIndex={0} aria-label={t('door.command')}>
        <code>mosaic open</code>
      </pre>
      <Form
        submit={() => {
          setText('');
          void enter(text);
        }}
      >
        <Field label={t('door.code')} hint={t('door.codeHint')}>
          {({ id, describedBy }) => (
            <div className="with-button">
              <input id={id} type="password" dir="ltr" autoComplete="off" spellCheck={false} value={text} aria-describedby={describedBy} onChange={(event) => setText(event.target.value)} />
              <Button tone="main" submit disabled={text.trim() === ''}>
                {t('door.enter')}
              </Button>
            </div>
          )}
        </Field>
      </Form>
      <Button tone="quiet" onClick={() => void enter(null)}>
        {t('door.again')}
      </Button>
      <Preferences />
    </main>
  );
}
