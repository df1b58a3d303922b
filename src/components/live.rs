//! Puts markup on the page, follows the state that it was made of, and hears what people do in it.
//!
//! What they do is called by the `data-action` of the element that they do it to: pressing a button, sending a form,
//! typing or choosing in a field.

use std::rc::Rc;

use leptos::html;
use leptos::prelude::*;
use maud::Markup;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use crate::browser::document;
use crate::state::watch;

type Act = Box<dyn Fn(&str, String)>;

/// Shows markup that is made anew whenever a signal that it read changes. The same markup again changes nothing, and
/// the focus stays where it was, so an answer that says what was known disturbs nobody.
pub fn live(markup: impl Fn() -> Markup + 'static) -> AnyView {
    host(Box::new(move || markup().into_string()), Box::new(|_, _| ()))
}

/// Like [`live`]; calls `act` with what somebody did in it, and what the field then says.
pub fn live_with(markup: impl Fn() -> Markup + 'static, act: impl Fn(&str, String) + 'static) -> AnyView {
    host(Box::new(move || markup().into_string()), Box::new(act))
}

/// One host for every kind of markup: taking boxes, it is compiled once.
fn host(markup: Box<dyn Fn() -> String>, act: Act) -> AnyView {
    let node = NodeRef::<html::Div>::new();
    // Nothing is known of what it shows at first: it may be the element of the screen before, used again.
    let mut shown = None::<String>;
    watch(move || {
        let text = markup();
        if let Some(node) = node.get()
            && shown.as_deref() != Some(&text)
        {
            replace(&node, &text);
            shown = Some(text);
        }
    });
    let act = Rc::new(act);
    let on = move |of: &'static str| {
        let act = Rc::clone(&act);
        move |event: &web_sys::Event| hear(event, of, &act)
    };
    let (press, enter, send) = (
        on("button[data-action]"),
        on("input[data-action], select[data-action], textarea[data-action]"),
        on("form[data-action]"),
    );
    view! {
        <div
            class="live"
            node_ref=node
            on:click=move |event| press(&event)
            on:input=move |event| enter(&event)
            on:submit=move |event| {
                event.prevent_default();
                send(&event);
            }
        ></div>
    }
    .into_any()
}

/// Calls `act` if the event comes from such an element.
fn hear(event: &web_sys::Event, of: &str, act: &Act) {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(element) = target.and_then(|target| target.closest(of).ok().flatten()) else {
        return;
    };
    if let Some(action) = element.get_attribute("data-action") {
        act(&action, document::value_of(&element));
    }
}

/// Puts new markup in the place of the old, and the focus back on what bears the same name.
fn replace(node: &HtmlElement, markup: &str) {
    let focused = document::focused_within(node);
    node.set_inner_html(markup);
    fill_parts(node);
    if let Some(selector) = focused {
        document::focus_again(node, &selector);
    }
}

/// Gives every element its `data-part` (whole percent) as the custom property that the stylesheet draws with. Set
/// through CSSOM, since a strict policy lets no `style` attribute of parsed markup through.
fn fill_parts(within: &Element) {
    let Ok(elements) = within.query_selector_all("[data-part]") else {
        return;
    };
    for element in (0..elements.length()).filter_map(|at| elements.get(at)) {
        if let Ok(element) = element.dyn_into::<HtmlElement>() {
            document::set_part(&element, &element.get_attribute("data-part").unwrap_or_default());
        }
    }
}
