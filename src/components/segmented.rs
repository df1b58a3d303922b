//! One choice of a few, all in sight.

use leptos::prelude::*;

/// A group of radio buttons that looks like a switch.
#[component]
pub fn Segmented(
    /// What is chosen here.
    legend: String,
    /// The group's name in the document.
    name: &'static str,
    /// Each choice's value with its label.
    options: Vec<(String, String)>,
    /// The value chosen at first.
    chosen: String,
    /// What a choice does.
    on_choose: Callback<String>,
) -> impl IntoView {
    let options = options
        .into_iter()
        .map(|(value, label)| {
            let is_chosen = value == chosen;
            view! {
                <label class="segmented__option">
                    <input type="radio" name=name checked=is_chosen on:change=move |_| on_choose.run(value.clone()) />
                    <span>{label}</span>
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="segmented">
            <legend>{legend}</legend>
            <div class="segmented__row">{options}</div>
        </fieldset>
    }
}
