import type { ReactNode } from 'react';

import type { BroadcastWarning } from '../api/types';
import { useText, type Key } from '../i18n';
import { en } from '../i18n/en';
import { Button, Notice, Told } from './parts';

/** The sixteen classes, by the names the agent gives them. */
export const CLASSES = [
  'food & drink', 'nightlife', 'sport', 'outdoors', 'games', 'music', 'arts & culture', 'learning', 'work & tech',
  'languages & travel', 'family & kids', 'pets & animals', 'health & support', 'help & errands', 'faith & spirituality',
  'civic & causes',
] as const;

/** A class in the page's language; one that is unknown here, as the agent says it. */
export function useClassName(): (name: string) => string {
  const { t } = useText();
  return (name) => {
    const key = `class.${name}`;
    return key in en ? t(key as Key) : name;
  };
}

/** What strangers may see of words: class and topics of the public vocabulary. */
export function Subject({ of, topics }: { of: string; topics: readonly string[] }): ReactNode {
  const className = useClassName();
  return (
    <span className="subject">
      <span className="tag class">{className(of)}</span>
      {topics.map((topic) => (
        <span key={topic} className="tag" lang="en">
          {topic}
        </span>
      ))}
    </span>
  );
}

interface Props {
  warnings: readonly BroadcastWarning[];
  context?: string;
  rewrite?: (context: string) => void;
}

/** What in the words points at one person, and the words without it. */
export function Identifiers({ warnings, context, rewrite }: Props): ReactNode {
  const { t } = useText();
  return warnings.map((warning, index) => {
    const { suggestion } = warning;
    return (
      <Notice key={index} tone="warn" live>
        {warning.identifier && <p>{t(`identifier.${warning.identifier}`)}</p>}
        <Told warning={warning} />
        {suggestion && rewrite && suggestion !== context && (
          <Button onClick={() => rewrite(suggestion)}>
            {t('preview.rewrite')} <span className="sensitive">“{suggestion}”</span>
          </Button>
        )}
      </Notice>
    );
  });
}
