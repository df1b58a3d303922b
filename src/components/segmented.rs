//! One choice of a few, all in sight.

use leptos::prelude::*;

/// A group of radio buttons that looks like a switch.
#[component]
pub fn Segmented<T: Clone + PartialEq + Send + Sync + 'static>(
    /// What is chosen here.
    legend: String,
    /// The group's name in the document.
    name: &'static str,
    /// Each choice with its label.
    options: Vec<(T, String)>,
    /// The choice that holds.
    #[prop(into)]
    chosen: Signal<T>,
    /// What a choice does.
    on_choose: impl Fn(T) + Clone + 'static,
) -> impl IntoView {
    let options = options
        .into_iter()
        .map(|(value, label)| {
            let (is_chosen, on_choose) = (value.clone(), on_choose.clone());
            view! {
                <label class="segmented__option">
                    <input
                        type="radio"
                        name=name
                        prop:checked=move || chosen.get() == is_chosen
                        on:change=move |_| on_choose(value.clone())
                    />
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
