// Asks ahead of the program, reads and keeps what the server answered, and knows whether it can be reached.
// A script of its own, before boot.js, which asks with it while the program is still on its way. In the program the same
// would be several times the bytes. src/api/network.rs says what is called, and src/api.rs sends every other request.
globalThis.network = (() => {
  // Longer than this is no answer.
  const PATIENCE_MS = 20_000;
  // After how many seconds without an answer the server is asked again; the last holds from then on.
  const AGAIN_AFTER_S = [1, 2, 4, 8, 15, 30, 60];
  // How many answers are kept at most, and how long reading one may take: some browsers' caches never answer.
  const MOST = 40;
  const RECALL_MS = 5_000;
  // Kept answers are read by the version that wrote them, or one of the same number.
  const SHAPE = "1-";
  const KEPT = "lw-data-";
  // What the shop says of itself is nobody's, and there before anybody signs in.
  const SHOP = `lw-shop-${SHAPE}`;
  // By then the first screen stands, as a rule.
  const LEISURE_MS = 1_000;
  // Less than this is not a wrong clock but a long way.
  const CLOCK_OFF_MS = 5_000;

  // What is wrong with an answer, as src/api.rs reads it.
  const NOTHING = 0;
  const UNREACHABLE = 1;
  const PORTAL = 2;
  const GATEWAY = 3;
  const UNREADABLE = 4;

  // What nobody waits for.
  const atLeisure = (work) => addEventListener("load", () => setTimeout(work, LEISURE_MS));

  // Storage may be forbidden or full; then nothing is remembered.
  const read = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const write = (name, value) => {
    try {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
    } catch {}
  };

  // Where the API is, where it is not where the wallet is: as it was at the last visit, and as config.json says now.
  const root = document.documentElement;
  const address = (path) => (path.startsWith("/api/") ? root.dataset.api + path : path);
  const known = read("lw.api");
  root.dataset.api = known ?? "";
  const configure = async () => {
    try {
      const { api } = await (await fetch("/config.json", { cache: "no-cache" })).json();
      if (typeof api !== "string" || api === known) return;
      write("lw.api", api);
      root.dataset.api = api;
      if (known) location.reload();
    } catch {}
  };
  // Only a first visit waits for that; any other begins with its first picture.
  const ready = known === null ? configure() : undefined;
  if (!ready) atLeisure(configure);

  // How far the server's clock is ahead of this device's.
  let offset = Number(read("lw.clock-offset")) || 0;
  const now = () => Date.now() + offset;
  const compareClocks = (date, asked) => {
    // The header leaves out the part of the second, and was written somewhere between asking and now.
    const found = date + 500 - (asked + Date.now()) / 2;
    if (Math.abs(found - offset) < 2_000) return;
    offset = Math.abs(found) < CLOCK_OFF_MS ? 0 : Math.round(found);
    write("lw.clock-offset", offset ? String(offset) : null);
  };

  // What was wrong with the last answer, and when the server is asked again by itself.
  let trouble = NOTHING;
  let misses = 0;
  let timer;
  // What had no answer since all was asked for again; good answers to something else say nothing of it.
  const missing = new Set();
  const tell = (name) => dispatchEvent(new Event(name));
  const later = () => setTimeout(again, AGAIN_AFTER_S[Math.min(misses++, AGAIN_AFTER_S.length - 1)] * 1_000);
  const again = () => {
    clearTimeout(timer);
    timer = undefined;
    if (!trouble && !missing.size) return;
    missing.clear();
    timer = later();
    if (!document.hidden) tell("lw-again");
  };
  const heard = (found, path) => {
    const was = trouble;
    trouble = found;
    if (found) missing.add(path);
    else missing.delete(path);
    if (missing.size) {
      timer ??= later();
    } else {
      clearTimeout(timer);
      timer = undefined;
      misses = 0;
    }
    if (found !== was) tell("lw-trouble");
    if (was && !found) tell("lw-again");
  };
  addEventListener("offline", () => heard(UNREACHABLE));
  // Until an answer says otherwise the browser is believed.
  addEventListener("online", () => heard(NOTHING));
  addEventListener("visibilitychange", again);

  // The cache of whoever is signed in here; another sign-in is another name, so that a late answer cannot reach it.
  const cacheName = (path = "") => {
    if (path.startsWith("/api/v1/programme")) return SHOP;
    if (read("lw.signed-in") === null) return "";
    let id = read("lw.data");
    if (!id?.startsWith(SHAPE)) {
      id = SHAPE + Math.random().toString(36).slice(2);
      write("lw.data", id);
    }
    return KEPT + id;
  };
  const sweep = async () => {
    try {
      for (const name of await caches.keys()) {
        const isOurs = name.startsWith(KEPT) || name.startsWith("lw-shop-");
        if (isOurs && name !== SHOP && name !== cacheName()) await caches.delete(name);
      }
    } catch {}
  };
  // Whoever signed out in another tab is not shown in this one either.
  addEventListener("storage", ({ key, oldValue }) => {
    if (key === "lw.data" && oldValue) location.reload();
  });
  atLeisure(sweep);

  const keep = async ({ path, key, name, tag, at, text }) => {
    try {
      if (!name || name !== cacheName(path)) return;
      const cache = await caches.open(name);
      await cache.put(key, new Response(text, { headers: { etag: tag, date: new Date(at).toUTCString() } }));
      const keys = await cache.keys();
      for (const oldest of keys.slice(0, -MOST)) await cache.delete(oldest);
      if (name !== cacheName(path)) await caches.delete(name);
      tell("lw-kept");
    } catch {}
  };

  const nothing = { trouble: UNREACHABLE };
  const recalled = async (key, name) => {
    try {
      const kept = name && (await caches.match(key, { cacheName: name }));
      if (!kept) return nothing;
      const { headers } = kept;
      return { trouble: NOTHING, at: Date.parse(headers.get("date")), tag: headers.get("etag"), value: await kept.json() };
    } catch {
      return nothing;
    }
  };
  const recall = (path, language) =>
    Promise.race([
      recalled(`/${language}${path}`, cacheName(path)),
      new Promise((resolve) => setTimeout(resolve, RECALL_MS, nothing)),
    ]);

  // What stands in the way of reading an answer as JSON of ours.
  const wrongWith = ({ type, status, headers }) => {
    const kind = headers.get("content-type") ?? "";
    // Our server never leads elsewhere: whoever does wants something first, as the networks of hotels do.
    if (type === "opaqueredirect" || status === 511) return PORTAL;
    if (kind.includes("json") || status === 204) return NOTHING;
    if (status >= 500) return GATEWAY;
    return kind.includes("html") ? PORTAL : UNREADABLE;
  };

  // A request that leaves now. Whoever is signed in by now is who the answer is kept for.
  const ask = (path, language) => {
    return { path, key: `/${language}${path}`, name: cacheName(path), asked: Date.now(), trouble: UNREACHABLE };
  };

  // Other files may come from the browser itself, days later, and then say nothing of the server or its clock.
  const isOfShop = ({ path }) => path.startsWith("/api/");

  // What came of it; without a response it could not be delivered.
  const answered = async (answer, response) => {
    try {
      answer.status = response.status;
      answer.tag = response.headers.get("etag") ?? "";
      answer.text = await response.text();
      answer.trouble = wrongWith(response);
      const date = Date.parse(response.headers.get("date"));
      if (!answer.trouble && date && isOfShop(answer)) compareClocks(date, answer.asked);
      answer.at = date || now();
      if (!answer.trouble && answer.status !== 204) answer.value = JSON.parse(answer.text);
    } catch (error) {
      if (error instanceof SyntaxError) answer.trouble = UNREADABLE;
    }
    if (isOfShop(answer)) heard(answer.trouble, answer.path);
    return answer;
  };

  // What boot.js asks for, as src/api.rs would; the program takes it once.
  const sent = new Map();
  const early = (path, language) => {
    const answer = ask(path, language);
    const headers = { "accept-language": language };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const options = { headers, signal, credentials: "include", redirect: "manual", cache: "no-cache" };
    const response = fetch(address(path), options).catch(() => {});
    sent.set(answer.key, response.then((response) => answered(answer, response)));
  };
  const take = (path, language) => {
    const key = `/${language}${path}`;
    const known = sent.get(key);
    sent.delete(key);
    // Another answer may have come since, and said that all is well. Whoever is left without this one is to ask again.
    return known?.then((answer) => {
      if (answer.trouble && isOfShop(answer)) heard(answer.trouble, path);
      return answer;
    });
  };

  // The style of the screens behind the first ones, where the page itself does not bring it along.
  let style;
  const styles = () =>
    (style ??= new Promise((resolve) => {
      const href = document.querySelector("script[data-css]")?.dataset.css;
      if (!href) return resolve();
      // A screen without its style is better than none; the next one asks again.
      const onerror = () => resolve((style = undefined));
      document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href, onload: resolve, onerror }));
    }));

  // Forgets all that was kept: somebody signs in, or out.
  const forget = () => {
    for (const name of ["lw.data", "lw.home-of", "lw.home"]) write(name, null);
    sweep();
  };

  return { ready, ask, answered, early, take, recall, keep, styles, forget, now, trouble: () => trouble };
})();
