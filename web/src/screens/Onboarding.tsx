// Two minutes of trying it: one's own noise averaged away by a naive design, then not by ours; then three questions.
// The field is a picture. Nothing on it is anybody's place, and nothing leaves the page.

import { useState, type KeyboardEvent, type MouseEvent, type ReactNode } from 'react';

import { go } from '../app/router';
import { distance, laplace, mean, type Point } from '../core/geo';
import { Say, useText } from '../i18n';
import { Button, Choice, Notice, Panel } from '../ui/parts';
import { uniform } from '../ui/Slots';

const STEPS = ['naive', 'ours', 'decoys', 'questions'] as const;
type Step = (typeof STEPS)[number];

export function OnboardingScreen(): ReactNode {
  const { t, number } = useText();
  const [step, setStep] = useState<Step>('naive');
  const [home, setHome] = useState<Point>({ x: -140, y: 90 });
  const at = STEPS.indexOf(step);
  const next = (): void => setStep(STEPS[at + 1] ?? 'questions');
  const back = (): void => setStep(STEPS[at - 1] ?? 'naive');
  return (
    <>
      <h1>{t('onboarding.title')}</h1>
      <p className="lead">{t('onboarding.lead')}</p>
      <p className="steps" role="status">
        {t('onboarding.step', { step: number(at + 1), of: number(STEPS.length) })}
      </p>
      {step === 'naive' && <Averaging key="naive" ours={false} home={home} setHome={setHome} next={next} />}
      {step === 'ours' && <Averaging key="ours" ours home={home} setHome={setHome} next={next} />}
      {step === 'decoys' && <Guessing next={next} />}
      {step === 'questions' && <Questions />}
      <div className="row">
        {at > 0 && (
          <Button tone="quiet" onClick={back}>
            {t('onboarding.back')}
          </Button>
        )}
        <Button tone="quiet" onClick={() => go('/broadcast')}>
          {t('onboarding.leave')}
        </Button>
      </div>
    </>
  );
}

interface AveragingProps {
  ours: boolean;
  home: Point;
  setHome: (home: Point) => void;
  next: () => void;
}

/** Half the side of the picture, metres. */
const HALF = 600;
const ENOUGH = 20;

function Averaging({ ours, home, setHome, next }: AveragingProps): ReactNode {
  const { t, number, metres } = useText();
  const [noises, setNoises] = useState<Point[]>([]);
  // ours draws once for a place and remembers (CL-05); the naive design draws each time
  const say = (times: number): void =>
    setNoises((known) => {
      const kept = known[0] ?? laplace(uniform);
      return [...known, ...Array.from({ length: times }, () => (ours ? kept : laplace(uniform)))].slice(0, 400);
    });
  const points = noises.map(({ x, y }) => ({ x: home.x + x, y: home.y + y }));
  const guess = points.length > 0 ? mean(points) : null;
  const off = guess && distance(guess, home);
  const place = (event: MouseEvent<SVGSVGElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    setHome({ x: ((event.clientX - box.left) / box.width) * 2 * HALF - HALF, y: ((event.clientY - box.top) / box.height) * 2 * HALF - HALF });
    setNoises([]);
  };
  const moved = (event: KeyboardEvent<SVGSVGElement>): void => {
    const steps: Record<string, Point> = { ArrowLeft: { x: -50, y: 0 }, ArrowRight: { x: 50, y: 0 }, ArrowUp: { x: 0, y: -50 }, ArrowDown: { x: 0, y: 50 } };
    const by = steps[event.key];
    if (!by) return;
    event.preventDefault();
    const inside = (value: number): number => Math.min(HALF - 50, Math.max(50 - HALF, value));
    setHome({ x: inside(home.x + by.x), y: inside(home.y + by.y) });
    setNoises([]);
  };
  return (
    <Panel title={t(ours ? 'onboarding.ours' : 'onboarding.naive')}>
      <p>
        <Say k={ours ? 'onboarding.oursText' : 'onboarding.naiveText'} />
      </p>
      <div className="averaging">
        <svg viewBox={`${-HALF} ${-HALF} ${2 * HALF} ${2 * HALF}`} role="application" tabIndex={0} aria-label={t('onboarding.field')} onClick={place} onKeyDown={moved} data-testid="field">
          {[150, 300, 450].map((radius) => (
            <circle key={radius} className="ring" cx={home.x} cy={home.y} r={radius} />
          ))}
          {points.map(({ x, y }, index) => (
            <circle key={index} className="said" cx={x} cy={y} r="13" />
          ))}
          <path className="home" d={`M${home.x} ${home.y - 34}l34 28v40h-68v-40z`} />
          {guess && (
            <g className="guess">
              <circle cx={guess.x} cy={guess.y} r="46" />
              <path d={`M${guess.x - 70} ${guess.y}h140M${guess.x} ${guess.y - 70}v140`} />
            </g>
          )}
        </svg>
        <div className="stack">
          <ul className="legend">
            <li>
              <span className="key home" aria-hidden="true" /> {t('onboarding.keyHome')}
            </li>
            <li>
              <span className="key said" aria-hidden="true" /> {t('onboarding.keySaid')}
            </li>
            <li>
              <span className="key guess" aria-hidden="true" /> {t('onboarding.keyGuess')}
            </li>
          </ul>
          <div className="row">
            <Button tone="main" onClick={() => say(1)}>
              {t('onboarding.say')}
            </Button>
            <Button onClick={() => say(ENOUGH)}>{t('onboarding.sayMore', { count: number(ENOUGH) })}</Button>
          </div>
          <p className="slots-posterior" role="status" data-testid="off">
            {off === null ? t('onboarding.nothing') : (
              <>
                <strong>{metres(Math.round(off))}</strong> {t('onboarding.off', { count: number(points.length) })}
              </>
            )}
          </p>
          <Button tone={points.length > ENOUGH ? 'main' : 'plain'} disabled={points.length <= ENOUGH} onClick={next}>
            {t('onboarding.next')}
          </Button>
        </div>
      </div>
    </Panel>
  );
}

function Guessing({ next }: { next: () => void }): ReactNode {
  const { t, number } = useText();
  const [real, setReal] = useState(() => Math.floor(uniform() * 10));
  const [tried, setTried] = useState<{ tries: number; right: number; last: number | null; was: number | null }>({ tries: 0, right: 0, last: null, was: null });
  const guess = (index: number): void => {
    setTried((known) => ({ tries: known.tries + 1, right: known.right + (index === real ? 1 : 0), last: index, was: real }));
    setReal(Math.floor(uniform() * 10));
  };
  return (
    <Panel title={t('onboarding.decoys')}>
      <p>
        <Say k="onboarding.decoysText" />
      </p>
      <div className="tiles" role="group" aria-label={t('onboarding.tiles')}>
        {Array.from({ length: 10 }, (_, index) => (
          <button key={index} type="button" className={`tile ${tried.was === index ? 'real' : ''} ${tried.last === index ? 'tried' : ''}`} aria-label={t('onboarding.tile', { tile: number(index + 1) })} onClick={() => guess(index)} />
        ))}
      </div>
      <p role="status">{tried.tries === 0 ? t('onboarding.guess') : t('onboarding.guessed', { right: number(tried.right), tries: number(tried.tries) })}</p>
      <p className="hint">
        <Say k="onboarding.decoysLimit" />
      </p>
      <Button tone="main" onClick={next}>
        {t('onboarding.next')}
      </Button>
    </Panel>
  );
}

/** Which answer is right, by question. */
const RIGHT = { q1: 'b', q2: 'c', q3: 'a' } as const;
type Question = keyof typeof RIGHT;
const QUESTIONS = Object.keys(RIGHT) as Question[];

function Questions(): ReactNode {
  const { t } = useText();
  const [answers, setAnswers] = useState<Partial<Record<Question, 'a' | 'b' | 'c'>>>({});
  const passed = QUESTIONS.every((question) => answers[question] === RIGHT[question]);
  return (
    <Panel title={t('quiz.title')}>
      <div className="stack">
        {QUESTIONS.map((question) => {
          const answer = answers[question];
          return (
            <div key={question} className="question">
              <Choice
                legend={t(`${question}.ask`)}
                shape="cards"
                value={answer ?? ('' as 'a')}
                choose={(value) => setAnswers({ ...answers, [question]: value })}
                options={(['a', 'b', 'c'] as const).map((value) => ({ value, label: t(`${question}.${value}`) }))}
              />
              {answer && (
                <Notice tone={answer === RIGHT[question] ? 'good' : 'warn'} live>
                  <p>
                    {t(answer === RIGHT[question] ? 'quiz.right' : 'quiz.wrong')} <Say k={`${question}.why`} />
                  </p>
                </Notice>
              )}
            </div>
          );
        })}
        <Button tone="main" wide disabled={!passed} onClick={() => go('/broadcast')}>
          {t('quiz.done')}
        </Button>
        {!passed && <p className="hint">{t('quiz.gate')}</p>}
      </div>
    </Panel>
  );
}
