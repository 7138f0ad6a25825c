// The service worker: this build's own files, so that the app opens without a network. It never answers for the
// agent's interface and never stores an answer of it.
const ASSETS = /* ASSETS */ [];
const CACHE = `mosaic-${ASSETS.join('').split('').reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7)}`;

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(ASSETS)).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  const old = (names) => names.filter((name) => name !== CACHE).map((name) => caches.delete(name));
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names))).then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== 'GET' || origin !== self.location.origin || pathname.startsWith('/v1/')) return;
  if (mode === 'navigate') {
    // the page as the agent serves it; the stored one only while no agent answers
    event.respondWith(fetch(event.request).catch(() => caches.match('/')));
  } else if (ASSETS.includes(pathname)) {
    event.respondWith(caches.match(pathname).then((kept) => kept ?? fetch(event.request)));
  }
});
