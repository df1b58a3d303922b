//! The page itself.

use wasm_bindgen::JsCast;
use web_sys::{
    Document, Element, HtmlElement, HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement, UrlSearchParams,
};

/// The page, where there is one.
pub fn document() -> Option<Document> {
    web_sys::window()?.document()
}

fn root() -> Option<HtmlElement> {
    document()?.document_element()?.dyn_into().ok()
}

/// A language in the region that the browser names with it (`en-GB` for `en`), or as it is.
pub fn regional(language: &str) -> String {
    let preferred = web_sys::window()
        .map(|window| window.navigator().languages())
        .unwrap_or_default();
    preferred
        .iter()
        .filter_map(|tag| tag.as_string())
        .find(|tag| tag.split('-').next() == Some(language))
        .unwrap_or_else(|| language.to_owned())
}

/// Says which language the page is in, and which way it runs.
pub fn set_page_language(language: &str, direction: &str) {
    if let Some(root) = root() {
        root.set_lang(language);
        root.set_dir(direction);
    }
}

/// What the browser paints around the page, as `index.html` has it for each scheme.
const PAPER: [(&str, &str); 2] = [("light", "#f6f4ef"), ("dark", "#101311")];

/// Light, dark, or (`None`) as the system has it; the browser's own bars follow.
pub fn set_theme(theme: Option<&str>) {
    set_or_remove_attribute("html", "data-theme", theme);
    for (scheme, _) in PAPER {
        let bar = ["meta[name=theme-color][media*=", scheme, "]"].concat();
        let colour = PAPER.iter().find(|(known, _)| *known == theme.unwrap_or(scheme));
        set_or_remove_attribute(&bar, "content", colour.map(|(_, colour)| *colour));
    }
}

/// How large everything is written, in percent; `None` as the browser has it.
pub fn set_text_size(percent: Option<&str>) {
    set_or_remove_attribute("html", "data-text-size", percent);
}

/// Shows the page from its top.
pub fn scroll_up() {
    if let Some(window) = web_sys::window() {
        window.scroll_to_with_x_and_y(0.0, 0.0);
    }
}

/// What the address of the page says after its `?`, where there is an address.
pub fn query() -> Option<UrlSearchParams> {
    let search = web_sys::window()?.location().search().ok()?;
    UrlSearchParams::new_with_str(&search).ok()
}

/// Where the page was got from, such as `https://wallet.example`.
pub fn origin() -> String {
    web_sys::window()
        .and_then(|window| window.location().origin().ok())
        .unwrap_or_default()
}

/// The address of something that the API has, which may be on another host than the page: `public/network.js` knows.
pub fn from_api(path: &str) -> String {
    let api = root().and_then(|root| root.get_attribute("data-api"));
    [&api.unwrap_or_default(), path].concat()
}

/// The path of the page's address.
pub fn path() -> String {
    web_sys::window()
        .and_then(|window| window.location().pathname().ok())
        .unwrap_or_default()
}

/// Sets a CSS custom property for the whole page; through CSSOM, which a strict policy allows.
pub fn set_custom_property(name: &str, value: &str) {
    if let Some(root) = root() {
        let _ = root.style().set_property(name, value);
    }
}

/// What the tab and the browser's history show.
pub fn set_title(title: &str) {
    if let Some(document) = document() {
        document.set_title(title);
    }
}

/// Moves the focus without scrolling; in a text field, to the end of what it says.
pub fn focus(element: &HtmlElement) {
    let options = web_sys::FocusOptions::new();
    options.set_prevent_scroll(true);
    let _ = element.focus_with_options(&options);
    if let Some(field) = element.dyn_ref::<HtmlInputElement>() {
        // Not every kind of field has a selection to set; a value that is written again ends with the caret.
        let value = field.value();
        field.set_value("");
        field.set_value(&value);
    }
}

/// Whether the static shell shows home as it was last seen.
pub fn shows_what_was_seen() -> bool {
    root().and_then(|root| root.get_attribute("data-shell")).as_deref() == Some("seen")
}

/// Takes the static shell away once the program has something to show in its place.
pub fn remove_shell() {
    if let Some(shell) = document().and_then(|document| document.get_element_by_id("shell")) {
        shell.remove();
    }
}

/// The element of this id.
pub fn element(id: &str) -> Option<HtmlElement> {
    document()?.get_element_by_id(id)?.dyn_into().ok()
}

/// Moves the focus to the field of this id once the page is laid out anew.
pub fn focus_field(id: &'static str) {
    leptos::prelude::request_animation_frame(move || {
        if let Some(element) = element(id) {
            focus(&element);
        }
    });
}

/// What has the focus, if it lies within an element: as a selector of what bears the same name.
pub fn focused_within(within: &Element) -> Option<String> {
    let element = document()?
        .active_element()
        .filter(|element| within.contains(Some(element)))?;
    ["id", "data-action", "href"].into_iter().find_map(|name| {
        let value = element.get_attribute(name)?;
        let option = element.get_attribute("value").filter(|_| element.has_attribute("name"));
        let option = option.map_or(String::new(), |option| ["[value=\"", &option, "\"]"].concat());
        Some(["[", name, "=\"", &value, "\"]", &option].concat())
    })
}

/// Puts the focus on the element that [`focused_within`] named, made anew.
pub fn focus_again(within: &Element, selector: &str) {
    let element = within.query_selector(selector).ok().flatten();
    if let Some(element) = element.and_then(|element| element.dyn_into().ok()) {
        super::focus(&element);
    }
}

/// What a field says: the text typed, the value chosen; nothing for what is no field.
pub fn value_of(element: &Element) -> String {
    if let Some(input) = element.dyn_ref::<HtmlInputElement>() {
        input.value()
    } else if let Some(select) = element.dyn_ref::<HtmlSelectElement>() {
        select.value()
    } else if let Some(area) = element.dyn_ref::<HtmlTextAreaElement>() {
        area.value()
    } else {
        String::new()
    }
}

/// Makes the field of this id say something else, without disturbing who has the focus.
pub fn set_value(id: &str, value: &str) {
    let Some(field) = element(id).filter(|field| value_of(field) != value) else {
        return;
    };
    if let Some(input) = field.dyn_ref::<HtmlInputElement>() {
        input.set_value(value);
    } else if let Some(select) = field.dyn_ref::<HtmlSelectElement>() {
        select.set_value(value);
    }
}

/// Sets an attribute of the element of this id.
pub fn set_attribute(id: &str, name: &str, value: &str) {
    if let Some(element) = element(id) {
        let _ = element.set_attribute(name, value);
    }
}

/// Sets an attribute of the first element that a selector finds, or takes it away.
pub fn set_or_remove_attribute(selector: &str, name: &str, value: Option<&str>) {
    let found = document().and_then(|document| document.query_selector(selector).ok().flatten());
    if let Some(element) = found {
        let _ = match value {
            Some(value) => element.set_attribute(name, value),
            None => element.remove_attribute(name),
        };
    }
}

/// How far an element is filled, in whole percent; the stylesheet draws with it.
pub fn set_part(element: &HtmlElement, percent: &str) {
    let _ = element.style().set_property("--part", &[percent, "%"].concat());
}

/// Whether anybody can see the page.
pub fn is_visible() -> bool {
    document().is_some_and(|document| !document.hidden())
}

/// Opens the browser's own window for printing.
pub fn print() {
    if let Some(window) = web_sys::window() {
        let _ = window.print();
    }
}

/// Lets the page itself say that the wallet did not open: `boot.js` has words for it when the program has none.
pub fn show_that_nothing_opened() {
    tell("lw-no-texts");
}

/// Tells the scripts beside the program that something happened.
pub fn tell(name: &str) {
    if let (Some(window), Ok(event)) = (web_sys::window(), web_sys::Event::new(name)) {
        let _ = window.dispatch_event(&event);
    }
}
