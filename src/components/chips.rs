//! A row of choices that narrow a list.

use leptos::prelude::*;

/// One choice: what it says, whether it is on, what pressing it does.
pub type Chip = (String, Signal<bool>, Callback<()>);

/// A group of buttons that stay pressed.
#[component]
pub fn Chips(
    /// What the group is for.
    label: String,
    /// The choices.
    chips: Vec<Chip>,
) -> impl IntoView {
    let chips = chips
        .into_iter()
        .map(|(label, is_on, press)| {
            let pressed = Signal::derive(move || if is_on.get() { "true" } else { "false" });
            view! {
                <button type="button" class="chip num" aria-pressed=pressed on:click=move |_| press.run(())>{label}</button>
            }
        })
        .collect_view();
    view! { <div class="chips" role="group" aria-label=label>{chips}</div> }
}
