import { useEffect, useId, useRef, type ReactNode } from 'react';
import { createPortal } from 'react-dom';

import { useText } from '../i18n';
import { Icon } from './Icon';

interface Props {
  title: string;
  open: boolean;
  close: () => void;
  children: ReactNode;
}

/** A modal dialog: the browser keeps focus inside, Escape closes, and focus returns where it was. */
export function Dialog({ title, open, close, children }: Props): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const { t } = useText();

  useEffect(() => {
    const element = dialog.current;
    if (open && element && !element.open) element.showModal();
  }, [open]);

  if (!open) return null;
  // in the body, so that it may be cited from the middle of a sentence
  return createPortal(
    <dialog ref={dialog} aria-labelledby={heading} onClose={close} className="dialog">
      <header>
        <h2 id={heading}>{title}</h2>
        <button type="button" className="quiet icon-only" aria-label={t('close')} onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </header>
      <div className="dialog-body">{children}</div>
    </dialog>,
    document.body,
  );
}
