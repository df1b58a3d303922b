// Home as it was last seen, so that the next opening shows the last known balance in its first picture, before the
// program is there. `boot.js` shows it and fetches this script later; `network.js` forgets it with all that was kept.

const STATUS = "/api/v1/me/status";
// Answers come together; what they change is on the screen by then.
const REST_MS = 500;

const { wasm } = document.querySelector("script[data-wasm]").dataset;

// What only the program can bring to life, or what is true for this moment alone.
const FLEETING = ".aside, [role=status], .skip-link";
const ATTRIBUTES = ["id", "style", "data-enter"];

const markup = (app, icons) => {
  const copy = app.cloneNode(true);
  // What nobody sees without scrolling need not be drawn first.
  const parts = copy.querySelectorAll(".column > *");
  app.querySelectorAll(".column > *").forEach((part, i) => {
    if (part.getBoundingClientRect().top + scrollY > innerHeight) parts[i].remove();
  });
  for (const element of copy.querySelectorAll(FLEETING)) element.remove();
  for (const element of copy.querySelectorAll("*")) {
    for (const name of ATTRIBUTES) element.removeAttribute(name);
    // A tap on a link is followed; the keyboard and a screen reader wait for the program.
    if (element.matches("a, button")) element.tabIndex = -1;
  }
  // Pictures come when the rest is drawn.
  for (const image of copy.querySelectorAll("img")) {
    image.dataset.src = image.getAttribute("src");
    image.removeAttribute("src");
  }
  // The icons come along: another file would come later.
  for (const use of copy.querySelectorAll("use")) {
    const href = use.getAttribute("href");
    const icon = icons.getElementById(href.split("#")[1]);
    const drawing = document.createElementNS(icon.namespaceURI, "g");
    // The style knows some of them by it, to turn them where one reads from right to left.
    drawing.setAttribute("href", href);
    drawing.append(...icon.cloneNode(true).childNodes);
    use.parentNode.setAttribute("viewBox", icon.getAttribute("viewBox"));
    use.replaceWith(drawing);
  }
  return copy.outerHTML;
};

// Which home it is: the language, the program, and the balance by its tag.
const current = async () => {
  const language = document.documentElement.lang;
  const { tag } = await network.recall(STATUS, language);
  return `${language} ${wasm} ${tag}`;
};

// Storage may be forbidden or full; then home is not seen before the program is there.
const take = async () => {
  try {
    const seen = await current();
    const icons = new DOMParser().parseFromString(await (await fetch("/icons.svg")).text(), "image/svg+xml");
    // From here on nothing is waited for: whoever signs out meanwhile leaves nothing behind.
    const app = document.querySelector("#app > .app");
    if (location.pathname !== "/" || !app?.querySelector(".worth__money") || app.querySelector(".remembered")) return;
    localStorage.setItem("lw.home", markup(app, icons));
    localStorage.setItem("lw.home-of", seen);
  } catch {}
};

let timer;
const look = async () => {
  clearTimeout(timer);
  timer = setTimeout(take, REST_MS);
  try {
    // A balance that is no longer the last one known is not shown again.
    if (localStorage.getItem("lw.home-of") !== (await current())) localStorage.removeItem("lw.home-of");
  } catch {}
};
addEventListener("lw-kept", look);
look();
