//! The page itself.

use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlElement};

/// The page, where there is one.
pub fn document() -> Option<Document> {
    web_sys::window()?.document()
}

fn root() -> Option<HtmlElement> {
    document()?.document_element()?.dyn_into().ok()
}

/// Says which language the page is in, and which way it runs.
pub fn set_page_language(language: &str, direction: &str) {
    if let Some(root) = root() {
        root.set_lang(language);
        root.set_dir(direction);
    }
}

/// Light, dark, or (`None`) as the system has it.
pub fn set_theme(theme: Option<&str>) {
    let Some(root) = root() else { return };
    let _ = match theme {
        Some(theme) => root.set_attribute("data-theme", theme),
        None => root.remove_attribute("data-theme"),
    };
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

/// Moves the focus without scrolling.
pub fn focus(element: &HtmlElement) {
    let options = web_sys::FocusOptions::new();
    options.set_prevent_scroll(true);
    let _ = element.focus_with_options(&options);
}

/// Takes the static shell away once the program has something to show in its place.
pub fn remove_shell() {
    if let Some(shell) = document().and_then(|document| document.get_element_by_id("shell")) {
        shell.remove();
    }
}
