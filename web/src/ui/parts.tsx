// The few controls the screens are made of. Native ones wherever there is one: they are what assistive technology knows.

import { useId, useRef, useState, type ReactNode, type SubmitEvent } from 'react';

import { Refusal } from '../api/client';
import type { Warning } from '../api/types';
import { useShared } from '../app/state';
import { copyBriefly } from '../core/clipboard';
import { Say, useText, type Key } from '../i18n';
import { en } from '../i18n/en';
import { Icon, type IconName } from './Icon';

export function Panel({ title, children, tone }: { title?: string; children: ReactNode; tone?: 'calm' | 'warn' }): ReactNode {
  const heading = useId();
  return (
    <section className={`panel ${tone ?? ''}`} aria-labelledby={title ? heading : undefined}>
      {title && <h2 id={heading}>{title}</h2>}
      {children}
    </section>
  );
}

interface NoticeProps {
  tone: 'info' | 'warn' | 'good' | 'bad';
  children: ReactNode;
  /** Said aloud at once by a screen reader. */
  live?: boolean;
}

export function Notice({ tone, children, live }: NoticeProps): ReactNode {
  return (
    <div className={`notice ${tone}`} role={live ? (tone === 'bad' ? 'alert' : 'status') : undefined}>
      <Icon name={tone === 'info' ? 'privacy' : tone === 'good' ? 'check' : 'alarm'} />
      <div>{children}</div>
    </div>
  );
}

/** Words of the agent's, which are English whatever the page's language is. */
export function AgentWords({ children }: { children: ReactNode }): ReactNode {
  return (
    <span lang="en" dir="ltr" className="agent-words">
      {children}
    </span>
  );
}

/** Only for who looks at the screen: not rendered while captures are shielded, not printed, hidden when out of view. */
export function Sensitive({ children }: { children: ReactNode }): ReactNode {
  const { capture } = useShared();
  const { t } = useText();
  if (capture) return <span className="shielded">{t('capture.hidden')}</span>;
  return <span className="sensitive">{children}</span>;
}

/** A warning in the page's language, with the agent's own words, which may say more, where that is another one. */
export function Told({ warning }: { warning: Warning }): ReactNode {
  const { t, language } = useText();
  if (language === 'en') return <p>{warning.text.charAt(0).toUpperCase() + warning.text.slice(1)}</p>;
  return (
    <>
      <p>{t(`warning.${warning.kind}`)}</p>
      <p>
        <AgentWords>{warning.text}</AgentWords>
      </p>
    </>
  );
}

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string | null;
  children: (ids: { id: string; describedBy: string | undefined; invalid: boolean }) => ReactNode;
}

export function Field({ label, hint, error, children }: FieldProps): ReactNode {
  const id = useId();
  const describedBy = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, describedBy, invalid: !!error })}
      {hint && (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps<Value extends string> {
  legend: string;
  value: Value;
  options: readonly { value: Value; label: string; hint?: ReactNode }[];
  choose: (value: Value) => void;
  shape?: 'row' | 'cards';
  hideLegend?: boolean;
}

/** One of a few, all of them in view. */
export function Choice<Value extends string>({ legend, value, options, choose, shape = 'row', hideLegend }: ChoiceProps<Value>): ReactNode {
  const name = useId();
  return (
    <fieldset className={`choice ${shape}`}>
      <legend className={hideLegend ? 'unseen' : undefined}>{legend}</legend>
      <div className="options">
        {options.map((option) => (
          <label key={option.value} className="option">
            <input type="radio" name={name} checked={option.value === value} onChange={() => choose(option.value)} />
            <span>
              <span className="option-label">{option.label}</span>
              {option.hint && <span className="option-hint">{option.hint}</span>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface RangeProps {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  show: (value: number) => string;
  change: (value: number) => void;
  hint?: ReactNode;
}

export function Range({ label, value, min, max, step, show, change, hint }: RangeProps): ReactNode {
  const id = useId();
  return (
    <div className="field range">
      <div className="range-head">
        <label htmlFor={id}>{label}</label>
        <output htmlFor={id}>{show(value)}</output>
      </div>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-valuetext={show(value)}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => change(event.target.valueAsNumber)}
      />
      {hint && (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
    </div>
  );
}

interface SwitchProps {
  label: string;
  on: boolean;
  change: (on: boolean) => void;
  hint?: ReactNode;
}

export function Switch({ label, on, change, hint }: SwitchProps): ReactNode {
  const id = useId();
  return (
    <div className="switch-row">
      <div>
        <span id={id} className="option-label">
          {label}
        </span>
        {hint && <p className="hint">{hint}</p>}
      </div>
      <button type="button" role="switch" aria-checked={on} aria-labelledby={id} className="switch" onClick={() => change(!on)} />
    </div>
  );
}

/** A share of a whole, as a bar that a screen reader reads as a meter. */
export function Gauge({ label, value, of, text }: { label: string; value: number; of: number; text: string }): ReactNode {
  const share = of > 0 ? Math.min(1, Math.max(0, value / of)) : 0;
  return (
    <div className="gauge">
      <div className="range-head">
        <span>{label}</span>
        <output>{text}</output>
      </div>
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={of} aria-valuenow={value} aria-valuetext={text}>
        <rect className="gauge-track" width="100" height="4" />
        <rect className="gauge-fill" width={share * 100} height="4" />
      </svg>
    </div>
  );
}

interface ButtonProps {
  children: ReactNode;
  icon?: IconName;
  tone?: 'main' | 'plain' | 'quiet' | 'danger';
  wide?: boolean;
  busy?: boolean;
  disabled?: boolean;
  submit?: boolean;
  onClick?: () => void;
}

export function Button({ children, icon, tone = 'plain', wide, busy, disabled, submit, onClick }: ButtonProps): ReactNode {
  return (
    <button
      type={submit ? 'submit' : 'button'}
      className={`${tone} ${wide ? 'wide' : ''}`}
      aria-busy={busy}
      disabled={disabled === true || busy === true}
      onClick={onClick}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export function CopyButton({ text, label }: { text: string; label: string }): ReactNode {
  const { t } = useText();
  const [said, setSaid] = useState('');
  const copy = async (): Promise<void> => {
    setSaid((await copyBriefly(text, () => setSaid(t('copy.cleared')))) ? t('copy.done') : t('copy.failed'));
  };
  return (
    <span className="copy">
      <Button icon="copy" onClick={() => void copy()}>
        {label}
      </Button>
      <span role="status" className="hint">
        {said}
      </span>
    </span>
  );
}

/** A form that never navigates and that no browser fills in or remembers. */
export function Form({ submit, children, className }: { submit: () => void; children: ReactNode; className?: string }): ReactNode {
  const submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    submit();
  };
  return (
    <form className={className} autoComplete="off" noValidate onSubmit={submitted}>
      {children}
    </form>
  );
}

/** What a refusal means, in the page's language where it is known there, with the agent's own words beside it. */
export function Refused({ refusal }: { refusal: Refusal | null }): ReactNode {
  const { t, minutes } = useText();
  if (!refusal) return null;
  const { detail, retry_after_seconds: wait, title } = refusal.problem;
  const key = `problem.${refusal.word}`;
  const known = key in en;
  return (
    <Notice tone="bad" live>
      <p>{known ? <Say k={key as Key} /> : <AgentWords>{title}</AgentWords>}</p>
      {detail && (
        <p>
          <AgentWords>{detail}</AgentWords>
        </p>
      )}
      {wait ? <p>{t('problem.wait', { time: minutes(Math.ceil(wait / 60)) })}</p> : null}
    </Notice>
  );
}

interface Doing {
  busy: boolean;
  refusal: Refusal | null;
  /** Runs it unless something runs already; whether it succeeded. */
  run: (work: () => Promise<void>) => Promise<boolean>;
  clear: () => void;
}

/** One thing at a time, with what was refused. */
export function useDoing(): Doing {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const running = useRef(false);
  const run = async (work: () => Promise<void>): Promise<boolean> => {
    if (running.current) return false;
    running.current = true;
    setBusy(true);
    setRefusal(null);
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      setRefusal(error);
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { busy, refusal, run, clear: () => setRefusal(null) };
}
