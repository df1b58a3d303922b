// The service worker: it keeps the files that the wallet is made of, so that it opens at once, and without a network.
//
// A new version installs itself beside the one that serves, and waits until somebody agrees to it or the wallet was
// closed. Nothing is ever answered for /api/: what is known of a member, and since when, is the program's own business.

// The build fills in both lines: the version, and each file's address with the SHA-256 of its content. The names of
// files cannot say what is in them. Left empty, as while developing, nothing is kept.
const VERSION = "";
const FILES = {};

const SHELL = `lw-shell-${VERSION}`;
const PICTURES = "lw-pictures";
const MOST_PICTURES = 60;

// The page stands at every address but these: the API, pictures, the server's own health, and whatever is a file.
const PAGE = "/";
const NO_PAGE = /^\/(api|media|healthz|readyz)(\/|$)|\.[^/]*$/;

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));
addEventListener("message", ({ data }) => {
  if (data === "take-over") skipWaiting();
  if (data === "give-way") giveWay();
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin || pathname.startsWith("/api/")) return;
  const path = request.mode === "navigate" && !NO_PAGE.test(pathname) ? PAGE : pathname;
  if (path in FILES) event.respondWith(file(path, request));
  else if (path.startsWith("/media/")) event.respondWith(picture(event));
});

// Whoever takes over waits until nothing is being answered here, which may be as long as a bad network takes.
let asking = new AbortController();

function giveWay() {
  asking.abort();
  asking = new AbortController();
}

// All files or none: a file that does not arrive, or is another one, fails the whole, and the version before goes on.
// What has arrived by then stays for the next try.
async function install() {
  // While developing there is nothing to agree to.
  if (!VERSION) return skipWaiting();
  const cache = await caches.open(SHELL);
  const keep = async (path) => {
    // Most files are the same in many versions. A kept one bears its hash, so it is the right one.
    const response = (await caches.match(key(path))) ?? (await fetched(path));
    if (!response) throw new Error(`${path} is not the file of this version`);
    await cache.put(key(path), response);
  };
  await Promise.all(Object.keys(FILES).map(keep));
}

async function activate() {
  const isOld = (name) => name.startsWith("lw-shell-") && name !== SHELL;
  const names = await caches.keys();
  await Promise.all(names.filter(isOld).map((name) => caches.delete(name)));
  // The page that brought this worker along works without a network from here on, not only after a reload.
  await clients.claim();
}

async function file(path, request) {
  return (await caches.match(key(path), { cacheName: SHELL })) ?? mend(path, request);
}

// The browser has thrown a file away: it is got again, and kept.
async function mend(path, request) {
  const response = await fetched(path);
  if (response) {
    const cache = await caches.open(SHELL);
    await cache.put(key(path), response.clone());
    return response;
  }
  // The server has a newer version by now. Files of two versions do not fit together: from here on all are the
  // server's, until the worker of that version takes over.
  await caches.delete(SHELL);
  return fetch(request);
}

// A file as this version has it; nothing where the server, or somebody on the way to it, has another one.
async function fetched(path) {
  // The browser's own cache may have it already, or an older one: then the server is asked.
  for (const cache of ["default", "reload"]) {
    const response = await fetch(path, { cache, signal: asking.signal });
    if (response.ok && !response.redirected && (await hash(response.clone())) === FILES[path]) {
      return path === PAGE ? calm(response) : response;
    }
  }
  return undefined;
}

// The page asks for the program ahead of its first picture, for those to whom it comes over a network. From here it
// would only keep that picture waiting.
async function calm(page) {
  const text = await page.text();
  return new Response(text.replace(/<link[^>]*preload[^>]*>/g, ""), page);
}

async function hash(response) {
  const digest = await crypto.subtle.digest("SHA-256", await response.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function key(path) {
  return `${path}?${FILES[path]}`;
}

// A picture's address never changes what it shows, so one that was seen is never asked for again.
async function picture(event) {
  const cache = await caches.open(PICTURES);
  const kept = await cache.match(event.request, { ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(event.request, { signal: asking.signal });
  // A public Wi-Fi answers with a page of its own, which must not be kept as a picture.
  const isPicture = response.headers.get("content-type")?.startsWith("image/");
  if (response.status === 200 && response.type === "basic" && isPicture) {
    event.waitUntil(keepPicture(cache, event.request, response.clone()));
  }
  return response;
}

async function keepPicture(cache, request, response) {
  await cache.put(request, response);
  // The oldest come first.
  const all = await cache.keys();
  await Promise.all(all.slice(0, -MOST_PICTURES).map((oldest) => cache.delete(oldest)));
}
