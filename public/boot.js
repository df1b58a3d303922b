// Runs before the first paint, so that neither theme nor direction nor accent flashes, and sends for the program.
// A classic script on purpose: a module would wait until the page has been parsed, and painted.
(() => {
  const root = document.documentElement;
  const { js, wasm } = document.currentScript.dataset;

  // Storage may be forbidden; then the system's own choices hold.
  const remembered = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };

  const languages = document.querySelector('meta[name="languages"]').content.split(" ");
  const language =
    [remembered("lw.language"), ...navigator.languages]
      .map((tag) => languages.find((known) => known === tag || known === tag?.split("-")[0]))
      .find(Boolean) ?? languages[0];
  root.lang = language;
  root.dir = ["ar", "fa", "he", "ur"].includes(language) ? "rtl" : "ltr";

  const theme = remembered("lw.theme");
  if (theme === "light" || theme === "dark") {
    root.dataset.theme = theme;
    const bars = document.querySelectorAll('meta[name="theme-color"]');
    const { content } = [...bars].find((bar) => bar.media.includes(theme));
    for (const bar of bars) bar.content = content;
  }

  const textSize = remembered("lw.text-size");
  if (textSize === "125" || textSize === "150") root.dataset.textSize = textSize;

  // The programme's colour as the wallet corrected it last time: accent, its ink on light paper, on dark paper.
  const accent = remembered("lw.accent")?.split(" ") ?? [];
  ["--accent", "--accent-ink-light", "--accent-ink-dark"].forEach((name, i) => {
    if (CSS.supports("color", accent[i] ?? "")) root.style.setProperty(name, accent[i]);
  });

  // Home as `snapshot.js` took it, if it did for this language and program. It is there before the page is laid out.
  const isSignedIn = remembered("lw.signed-in") !== null;
  const isHome = isSignedIn && location.pathname === "/";
  const isSeen = isHome && remembered("lw.home-of")?.startsWith(`${language} ${wasm} `);
  root.dataset.shell = isSeen ? "seen" : isHome ? "home" : isSignedIn ? "page" : "signin";
  const showSeen = (_, observer) => {
    const home = document.querySelector("#shell > [data-shell=seen]");
    if (!home) return;
    observer.disconnect();
    home.innerHTML = remembered("lw.home");
    // The policy lets scripts set styles, and no markup.
    for (const { style, dataset } of home.querySelectorAll("[data-part]")) style.setProperty("--part", `${dataset.part}%`);
  };
  if (isSeen) new MutationObserver(showSeen).observe(root, { childList: true, subtree: true });

  // English stands in the page itself; here is every other language that the wallet has.
  const failure = {
    fa: ["کیف شما باز نشد", "اتصال خود را بررسی کنید و دوباره امتحان کنید. امتیازهای شما محفوظ است.", "تلاش دوباره"],
  };

  const showFailure = (error) => {
    console.error(error);
    const message = document.getElementById("load-failed");
    const parts = message.querySelectorAll("h1, p, button");
    failure[language]?.forEach((text, i) => (parts[i].textContent = text));
    message.querySelector("button").addEventListener("click", () => location.reload());
    document.getElementById("shell")?.remove();
    message.hidden = false;
  };

  // The program calls for it too, when it has no texts to say it with.
  addEventListener("lw-no-texts", () => showFailure("The texts did not arrive."), { once: true });

  // The browser would offer at once to put the wallet on the home screen; the wallet waits until something went well.
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    globalThis.lwPrompt = event;
  });
  const more = () => Promise.all([import("/install.js"), import("/snapshot.js")]).catch(console.warn);
  addEventListener("lw-ready", more, { once: true });
  addEventListener("lw-missing", () => import("/install.js").then(({ mend }) => mend()).catch(console.warn));

  const parsed = new Promise((resolve) => {
    if (document.readyState === "loading") addEventListener("DOMContentLoaded", resolve);
    else resolve();
  });

  // Sending takes a slow phone a while, and it hears no tap meanwhile.
  const breathe = () => new Promise((resolve) => setTimeout(resolve));

  // Everything else would keep home as it was last seen waiting. Nothing is drawn in a window behind others.
  const drawn = async () => {
    await new Promise((resolve) => {
      requestAnimationFrame(() => requestAnimationFrame(resolve));
      setTimeout(resolve, 200);
    });
    for (const image of document.querySelectorAll("#shell [data-src]")) image.src = image.dataset.src;
    await breathe();
  };

  // What home has beside the status, as src/data.rs asks for it.
  const HOME = [
    "/api/v1/rewards?availability=ready&sort=recommended&limit=3",
    "/api/v1/me/redemptions?state=reserved&limit=50",
  ];

  // What the wallet begins with travels beside the program, not after it. The program mounts as soon as it is
  // initialised, so the page must stand by then; fetching need not wait for that.
  const start = async () => {
    if (isSeen) await drawn();
    const loaded = import(js);
    if (root.dataset.shell === "page") network.styles();
    network.early(`/locales/${language}.json`, language);
    await network.ready;
    network.early("/api/v1/programme", language);
    if (isSignedIn) network.early("/api/v1/me/status", language);
    if (isHome) {
      await breathe();
      for (const part of HOME) network.early(part, language);
    }
    const [program] = await Promise.all([loaded, parsed]);
    await program.default({ module_or_path: wasm });
  };
  start().catch((error) => parsed.then(() => showFailure(error)));
})();
