// Where the person is. The field is not React's: what is typed is never an attribute, and it is emptied as soon as it
// was read. No browser is asked where it is: they ask a third party.

import { lazy, Suspense, useRef, useState, useSyncExternalStore, type ReactNode } from 'react';

import { useShared } from '../app/state';
import { coarse as rounded, parsePosition } from '../core/geo';
import { place } from '../core/place';
import { Say, useText } from '../i18n';
import { Button, Field, Notice } from './parts';

const MapView = lazy(() => import('../map/MapView'));
/** The middle of the built-in practice city, which is nowhere. */
const TESSERA = { lat: -45, lon: 0 };

export function usePlace(): ReturnType<typeof place.coarse> {
  return useSyncExternalStore((changed) => place.subscribe(changed), place.coarse);
}

export function PlacePicker(): ReactNode {
  const { t, number } = useText();
  const { status, gatherings } = useShared();
  // a map has to begin somewhere, and where somebody is must not be asked of a third party
  const gathering = gatherings[0]?.places[0]?.at;
  const start = status?.federation.practice ? TESSERA : gathering && rounded(gathering);
  const input = useRef<HTMLInputElement>(null);
  const [wrong, setWrong] = useState(false);
  const [mapped, setMapped] = useState(false);
  const coarse = usePlace();

  const read = (): void => {
    const position = parsePosition(input.current?.value ?? '');
    setWrong(!position);
    if (!position) return;
    if (input.current) input.current.value = '';
    place.set(position);
  };

  if (coarse) {
    return (
      <div className="place-set">
        <Notice tone="good" live>
          <p>
            {t('place.set')} <span className="sensitive">{t('place.about', { lat: number(coarse.lat, 2), lon: number(coarse.lon, 2) })}</span>
          </p>
          <p className="hint">
            <Say k="place.hidden" />
          </p>
        </Notice>
        <Button icon="trash" tone="quiet" onClick={() => place.forget()}>
          {t('place.forget')}
        </Button>
      </div>
    );
  }
  return (
    <div className="place-picker">
      <Field label={t('place.label')} hint={<Say k="place.hint" />} error={wrong ? t('place.wrong') : null}>
        {({ id, describedBy, invalid }) => (
          <div className="with-button">
            <input
              ref={input}
              id={id}
              className="sensitive"
              type="text"
              inputMode="text"
              dir="ltr"
              autoComplete="off"
              spellCheck={false}
              aria-describedby={describedBy}
              aria-invalid={invalid}
              placeholder="41.15, -8.63"
              onKeyDown={(event) => {
                if (event.key !== 'Enter') return;
                event.preventDefault();
                read();
              }}
            />
            <Button onClick={read}>{t('place.use')}</Button>
          </div>
        )}
      </Field>
      <div className="row">
        {status?.federation.practice && (
          <Button icon="place" onClick={() => place.set(TESSERA)}>
            {t('place.practice')}
          </Button>
        )}
        {start && (
          <Button icon="map" tone="quiet" onClick={() => setMapped(!mapped)}>
            {mapped ? t('place.mapClose') : t('place.mapOpen')}
          </Button>
        )}
      </div>
      {mapped && start && (
        <Suspense fallback={<p role="status">{t('map.loading')}</p>}>
          <MapView center={start} radius={null} pick={(position) => place.set(position)} />
        </Suspense>
      )}
    </div>
  );
}
