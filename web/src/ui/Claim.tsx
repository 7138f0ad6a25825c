import { useState, type ReactNode } from 'react';

import ledger from '../claims.json';
import { useText } from '../i18n';
import { Dialog } from './Dialog';

interface Claim {
  sentence: string;
  status: string;
  limits: string;
}
const CLAIMS: Record<string, Claim | undefined> = ledger;

/** A citation. What does not hold says so beside its number; a tap tells what the claim is and where it stops. */
export function ClaimRef({ id }: { id: string }): ReactNode {
  const { t } = useText();
  const [open, setOpen] = useState(false);
  const claim = CLAIMS[id];
  if (!claim) return null;
  const status = claim.status === 'holds' ? null : t(claim.status === 'open' ? 'claim.open' : 'claim.fails');
  return (
    <>
      {' '}
      <button type="button" className="claim" aria-label={t('claim.about', { id })} onClick={() => setOpen(true)}>
        {id}
        {status && ` · ${status}`}
      </button>
      <Dialog title={t('claim.title', { id })} open={open} close={() => setOpen(false)}>
        <p lang="en" dir="ltr" className="lead">
          {claim.sentence}
        </p>
        <p>{status ? t('claim.unproved') : t('claim.holds')}</p>
        <h3>{t('claim.limits')}</h3>
        <p lang="en" dir="ltr">
          {claim.limits}
        </p>
      </Dialog>
    </>
  );
}
