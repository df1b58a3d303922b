// The wallet as an app of its own: it works without a network, takes a new version when somebody agrees, and can be put
// on the home screen. `boot.js` fetches this once the first screen is there, so that nobody waits for it.
//
// The program (src/browser/install.rs) reads the attributes that `tell` sets, and asks by `lw-update` and `lw-install`.

const HOUR = 3_600_000;
const DAYS = 3;

const tell = (name, value) => {
  document.documentElement.dataset[name] = value;
  dispatchEvent(new Event("lw-told"));
};

// Storage may be forbidden; then nothing is remembered, and nothing offered.
const remembered = (name) => {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
};
const remember = (name, value) => {
  try {
    localStorage.setItem(name, value);
  } catch {}
};

// How the wallet gets onto the home screen here: it is there, the browser asks, or by hand on an iPhone.
const tellWay = () => {
  const isThere = matchMedia("(display-mode: standalone), (display-mode: minimal-ui)").matches || navigator.standalone;
  tell("install", isThere ? "there" : globalThis.lwPrompt ? "ask" : "standalone" in navigator ? "by-hand" : "");
};

// Whoever comes back on a third day likes it.
const countDays = () => {
  const today = new Date().toDateString();
  const [count, last] = (remembered("lw.days") ?? "0/").split("/");
  const days = Number(count) + (last === today ? 0 : 1);
  if (days > DAYS) return;
  remember("lw.days", `${days}/${today}`);
  if (days === DAYS && !remembered("lw.install")) remember("lw.install", "offer");
};

const keepWorker = async () => {
  const { serviceWorker } = navigator;
  const registration = await serviceWorker?.register("/sw.js", { updateViaCache: "none" });
  // A browser may say yes and do nothing, as one that blocks workers does.
  if (!registration) return;

  const look = () => {
    // Without a worker before it, the first one is no new version.
    if (registration.waiting && serviceWorker.controller) tell("update", "ready");
  };
  look();
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", look));

  addEventListener("lw-update", () => {
    // Another window may have taken it already; then only the page is old.
    if (!registration.waiting) return location.reload();
    serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    registration.active?.postMessage("give-way");
    registration.waiting.postMessage("take-over");
  });

  let asked = Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || Date.now() - asked < HOUR) return;
    asked = Date.now();
    // Without a network it is asked another time.
    registration.update().catch(() => {});
  });
};

// The second file did not arrive. It may be the network; or the server has another version by now, whose page knows
// other names. Then the next step leads to that page, and at once where nothing else can be done.
export const mend = async () => {
  const { wasm } = document.querySelector("script[data-wasm]").dataset;
  const page = await fetch("/", { cache: "reload" });
  const text = await page.text();
  if (!text.includes("data-wasm") || text.includes(wasm)) return;
  if (document.querySelector("main > .live > .failed")) return location.reload();
  // The program hears no click on a link any more, so that the browser follows it.
  const leave = (event) => event.target.closest?.("a[href]") && event.stopImmediatePropagation();
  addEventListener("click", leave, { capture: true });
};

addEventListener("beforeinstallprompt", tellWay);
addEventListener("appinstalled", () => {
  remember("lw.install", "no");
  tell("install", "there");
});
addEventListener("lw-install", async () => {
  const prompt = globalThis.lwPrompt;
  globalThis.lwPrompt = undefined;
  // Whatever somebody answers, they are not asked again by themselves.
  remember("lw.install", "no");
  await prompt?.prompt();
  tellWay();
});

countDays();
tellWay();
// Without a worker the wallet works like any page.
keepWorker().catch(() => {});
