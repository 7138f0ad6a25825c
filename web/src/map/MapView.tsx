// A map of what was released, drawn from the agent's own index of places: no tile server, no fonts from anywhere, and
// never the true position. Loaded only when somebody opens it.

import * as maplibre from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import { useEffect, useRef, useState, type ReactNode } from 'react';

import { agent, Refusal } from '../api/client';
import type { Position } from '../api/types';
import { circle } from '../core/geo';
import { Say, useText } from '../i18n';
import { Button, Notice } from '../ui/parts';
import './map.css';

maplibre.setWorkerUrl(workerUrl);

const SCHEME = 'mosaic';
/** The finest tiles that the agent draws. */
const FINEST = 16;

let missing = false;
const noIndex = new EventTarget();

maplibre.addProtocol(SCHEME, async ({ url }, { signal }) => {
  const [z = 0, x = 0, y = 0] = url.replace(`${SCHEME}://`, '').split('/').map(Number);
  try {
    return { data: await agent.tile(z, x, y, signal) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (!missing) {
      missing = true;
      noIndex.dispatchEvent(new Event('missing'));
    }
    return { data: new ArrayBuffer(0) };
  }
});

interface Props {
  /** Where to look: never finer than two decimals. */
  center: Position;
  /** Of the search, metres. */
  radius: number | null;
  pick: ((position: Position) => void) | null;
}

/** Reads tokens as colours of the theme in force: by themselves they say what each theme would have. */
function resolved(): (token: string) => string {
  return (token) => {
    const probe = document.createElement('span');
    probe.style.setProperty('color', `var(${token})`);
    document.body.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}

function style(radius: number | null, center: Position): maplibre.StyleSpecification {
  const color = resolved();
  const ring = { type: 'Feature' as const, properties: {}, geometry: { type: 'Polygon' as const, coordinates: [circle(center, radius ?? 1)] } };
  return {
    version: 8,
    sources: {
      index: { type: 'vector', tiles: [`${SCHEME}://{z}/{x}/{y}`], minzoom: 10, maxzoom: FINEST },
      search: { type: 'geojson', data: { type: 'FeatureCollection', features: radius ? [ring] : [] } },
    },
    layers: [
      { id: 'ground', type: 'background', paint: { 'background-color': color('--map-ground') } },
      { id: 'search', type: 'fill', source: 'search', paint: { 'fill-color': color('--accent'), 'fill-opacity': 0.08 } },
      { id: 'search-edge', type: 'line', source: 'search', paint: { 'line-color': color('--accent'), 'line-width': 2, 'line-dasharray': [3, 2] } },
      { id: 'cells', type: 'fill', source: 'index', 'source-layer': 'cells', paint: { 'fill-color': ['match', ['get', 'kind'], 'own', color('--real'), color('--accent')], 'fill-opacity': 0.22 } },
      { id: 'cells-edge', type: 'line', source: 'index', 'source-layer': 'cells', paint: { 'line-color': ['match', ['get', 'kind'], 'own', color('--real'), color('--accent')], 'line-width': 1.5 } },
      { id: 'places', type: 'circle', source: 'index', 'source-layer': 'places', paint: { 'circle-radius': ['interpolate', ['linear'], ['zoom'], 11, 1.2, 16, 5], 'circle-color': color('--map-place'), 'circle-opacity': 0.75 } },
    ],
  };
}

export default function MapView({ center, radius, pick }: Props): ReactNode {
  const { t } = useText();
  const box = useRef<HTMLDivElement>(null);
  const map = useRef<maplibre.Map | null>(null);
  const [without, setWithout] = useState(missing);
  const [state, setState] = useState<'loading' | 'idle'>('loading');
  const picked = useRef(pick);
  useEffect(() => {
    picked.current = pick;
  }, [pick]);

  useEffect(() => {
    const none = (): void => setWithout(true);
    noIndex.addEventListener('missing', none);
    return () => noIndex.removeEventListener('missing', none);
  }, []);

  useEffect(() => {
    if (!box.current) return;
    const made = new maplibre.Map({
      container: box.current,
      style: style(radius, center),
      center: [center.lon, center.lat],
      zoom: radius ? Math.min(15, 15.2 - Math.log2(radius / 300)) : 13,
      minZoom: 10,
      maxZoom: 17,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      fadeDuration: 0,
    });
    made.touchZoomRotate.disableRotation();
    made.getCanvas().setAttribute('aria-label', t('map.label'));
    made.on('click', ({ lngLat }) => picked.current?.({ lat: lngLat.lat, lon: lngLat.lng }));
    made.on('idle', () => setState('idle'));
    map.current = made;
    const themes = new MutationObserver(() => made.setStyle(style(radius, center)));
    themes.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    return () => {
      themes.disconnect();
      made.remove();
      map.current = null;
    };
  }, [center, radius, t]);

  return (
    <div className="map" data-state={state}>
      {without && <Notice tone="info">{t('map.noIndex')}</Notice>}
      <div ref={box} className="map-box" />
      <div className="row">
        <Button onClick={() => map.current?.zoomIn()}>{t('map.in')}</Button>
        <Button onClick={() => map.current?.zoomOut()}>{t('map.out')}</Button>
        {pick && (
          <Button
            tone="main"
            onClick={() => {
              const middle = map.current?.getCenter();
              if (middle) pick({ lat: middle.lat, lon: middle.lng });
            }}
          >
            {t('map.middle')}
          </Button>
        )}
      </div>
      <p className="hint">
        <Say k={pick ? 'map.pick' : 'map.shows'} />
      </p>
    </div>
  );
}
