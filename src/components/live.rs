//! Puts markup on the page, follows the state that it was made of, and hears what is pressed in it.

use leptos::html;
use leptos::prelude::*;
use maud::Markup;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// Shows markup that is made anew whenever a signal that it read changes. The same markup again changes nothing, so
/// that neither focus nor scrolling suffers when an answer says what was known.
pub fn live(markup: impl Fn() -> Markup + Send + Sync + 'static) -> AnyView {
    host(Box::new(move || markup().into_string()), None)
}

/// Like [`live`]; a press on an element with `data-action` calls `on_action` with that attribute's value.
pub fn live_with(markup: impl Fn() -> Markup + Send + Sync + 'static, on_action: impl Fn(&str) + 'static) -> AnyView {
    host(Box::new(move || markup().into_string()), Some(Box::new(on_action)))
}

/// One host for every kind of markup: taking boxes, it is compiled once.
fn host(markup: Box<dyn Fn() -> String + Send + Sync>, on_action: Option<Box<dyn Fn(&str)>>) -> AnyView {
    let node = NodeRef::<html::Div>::new();
    let text = Memo::new(move |_| markup());
    Effect::new(move |_| {
        if let Some(node) = node.get() {
            node.set_inner_html(&text.read());
            fill_parts(&node);
        }
    });
    let on_click = move |event: leptos::ev::MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let action = target
            .and_then(|target| target.closest("[data-action]").ok().flatten())
            .and_then(|element| element.get_attribute("data-action"));
        if let (Some(action), Some(on_action)) = (action, &on_action) {
            on_action(&action);
        }
    };
    view! { <div class="live" node_ref=node on:click=on_click></div> }.into_any()
}

/// Gives every element its `data-part` (whole percent) as the custom property that the stylesheet draws with. Set
/// through CSSOM, since a strict policy lets no `style` attribute of parsed markup through.
fn fill_parts(within: &Element) {
    let Ok(elements) = within.query_selector_all("[data-part]") else {
        return;
    };
    for element in (0..elements.length()).filter_map(|at| elements.get(at)) {
        let Ok(element) = element.dyn_into::<HtmlElement>() else {
            continue;
        };
        if let Some(part) = element.get_attribute("data-part") {
            let _ = element.style().set_property("--part", &(part + "%"));
        }
    }
}
