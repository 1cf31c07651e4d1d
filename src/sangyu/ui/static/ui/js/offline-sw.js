// Service worker of pages used without a network: from the network, from the device when there is none. Writes are never
// answered here; the queues of worker.js and assess.js keep them. A sign-out empties the kept pages.
"use strict";
const PAGES = "worker-pages", FILES = "worker-files";
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

const key = (request) => request.url.split("#")[0];

async function page(request) {
  try {
    const answer = await fetch(request);
    if (answer.redirected || answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) { await caches.delete(PAGES); return answer; }
    if (answer.ok) { (await caches.open(PAGES)).put(key(request), answer.clone()); }
    return answer;
  } catch (error) {
    const kept = await caches.match(key(request), { cacheName: PAGES, ignoreVary: true });
    if (kept) { return kept; }
    throw error;
  }
}

async function file(request) {
  const kept = await caches.match(key(request), { cacheName: FILES, ignoreVary: true });
  const fresh = fetch(request).then(async (answer) => {
    if (answer.ok) { (await caches.open(FILES)).put(key(request), answer.clone()); }
    return answer;
  });
  if (kept) { fresh.catch(() => {}); return kept; }
  return fresh;
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin || url.pathname.endsWith("/sw.js")) { return; }
  if (url.pathname.includes("/static/")) { event.respondWith(file(event.request)); }
  else if (event.request.mode === "navigate" || url.pathname.startsWith(new URL(self.registration.scope).pathname)) { event.respondWith(page(event.request)); }
});
