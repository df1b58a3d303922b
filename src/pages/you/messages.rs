//! What one wants to be written to about, and how: each a switch that is saved at once, and can be taken back.

use leptos::prelude::*;
use leptos::task::spawn_local;
use loyalty_contract::ProblemCode;
use loyalty_contract::account::ProfileChange;
use loyalty_contract::members::{Channel, Consents};
use maud::{Markup, html};

use crate::api::{self, ApiError, Way};
use crate::components::failure::{RETRY, error_notice, load_failed};
use crate::components::form::switch;
use crate::components::icon::icon;
use crate::components::live::live_with;
use crate::components::page_heading::BackBar;
use crate::components::skeleton;
use crate::data::{Load, use_remembered};
use crate::intl::t;
use crate::routes::Route;
use crate::state::use_session;

/// What a shop may write about.
pub const PURPOSES: [&str; 3] = ["offers", "reminders", "surveys"];

const CHANNELS: [(&str, Channel); 4] = [
    ("email", Channel::Email),
    ("sms", Channel::Sms),
    ("push", Channel::Push),
    ("post", Channel::Post),
];

/// How an address is written to.
pub fn channel_of(address: &str) -> Channel {
    if address.contains('@') {
        Channel::Email
    } else {
        Channel::Sms
    }
}

fn channels<'a>(consents: &'a Consents, purpose: &str) -> &'a [Channel] {
    match purpose {
        "offers" => &consents.offers,
        "reminders" => &consents.reminders,
        _ => &consents.surveys,
    }
}

/// Whether somebody agreed to be written to about something in some way.
pub fn has(consents: &Consents, purpose: &str, channel: Channel) -> bool {
    channels(consents, purpose).contains(&channel)
}

/// Agrees to it, or takes that back.
pub fn toggle(consents: &mut Consents, purpose: &str, channel: Channel) {
    let agreed = match purpose {
        "offers" => &mut consents.offers,
        "reminders" => &mut consents.reminders,
        "surveys" => &mut consents.surveys,
        _ => return,
    };
    if agreed.contains(&channel) {
        agreed.retain(|known| *known != channel);
    } else {
        // In the order in which the server keeps them, so that what was saved is known to be what was wanted.
        agreed.insert(agreed.partition_point(|known| *known < channel), channel);
    }
}

/// What a shop may write about, with what that means in a sentence, on or off.
pub fn purpose_switch(action: &str, purpose: &str, is_on: bool) -> Markup {
    let (label, help) = words(purpose);
    switch(action, &label, &help, is_on)
}

fn words(purpose: &str) -> (String, String) {
    match purpose {
        "offers" => (t::messages::offers(), t::messages::offers_help()),
        "reminders" => (t::messages::reminders(), t::messages::reminders_help()),
        _ => (t::messages::surveys(), t::messages::surveys_help()),
    }
}

fn way(channel: Channel) -> String {
    match channel {
        Channel::Email => t::messages::email(),
        Channel::Sms => t::messages::sms(),
        Channel::Push => t::messages::push(),
        Channel::Post => t::messages::post(),
    }
}

/// What was changed last, to be said and taken back.
#[derive(Clone)]
enum Said {
    /// Saved: by which switch, and how it stands now.
    Saved { action: String, is_on: bool },
    /// Not saved: it is as it was.
    Failed(ApiError),
}

/// The switches.
#[component]
pub fn MessagesPage() -> impl IntoView {
    let source = use_remembered().profile;
    source.want();
    let session = use_session();
    // What is wanted, until the server has it.
    let wanted = RwSignal::new(None::<Consents>);
    let said = RwSignal::new(None::<Said>);

    let switches = move || {
        let list = |consents: &Consents, address: &str| {
            let consents = wanted.get().unwrap_or_else(|| consents.clone());
            matrix(&consents, channel_of(address))
        };
        match source.get() {
            Load::Loading => skeleton::cards(),
            Load::Failed(error) => load_failed(&error),
            Load::Ready(held) | Load::Stale(held, _) => list(&held.profile.consents, &held.profile.address),
        }
    };
    let turn = move |action: &str, _: String| {
        if action == RETRY {
            source.refresh();
            return;
        }
        let Some(held) = source.value() else { return };
        let Some((purpose, channel)) = read(action) else { return };
        let is_saving = wanted.read_untracked().is_some();
        let mut consents = wanted.get_untracked().unwrap_or(held.profile.consents);
        toggle(&mut consents, purpose, channel);
        said.set(Some(Said::Saved {
            action: action.to_owned(),
            is_on: has(&consents, purpose, channel),
        }));
        wanted.set(Some(consents));
        if is_saving {
            // What saves already goes on until all of it is saved.
            return;
        }
        spawn_local(async move {
            while let (Some(Some(consents)), Some(held)) = (wanted.try_get_untracked(), source.value_untracked()) {
                if held.profile.consents == consents {
                    wanted.set(None);
                    return;
                }
                let change = ProfileChange {
                    consents: Some(consents),
                    ..ProfileChange::default()
                };
                let answer = match api::profile::update_profile(&held.tag, &change).await {
                    // Something else was changed elsewhere: what is wanted here holds all the same.
                    Err(error) if error.code() == Some(ProblemCode::ProfileChanged) => {
                        api::profile::get_profile(Way::Ask).await.map(|known| known.value)
                    }
                    answer => answer,
                };
                match answer {
                    Ok(held) => source.take(held),
                    Err(ApiError::SignedOut) => return session.ended(),
                    Err(error) => {
                        if wanted.try_set(None).is_none() {
                            said.set(Some(Said::Failed(error)));
                        }
                        return;
                    }
                }
            }
        });
    };
    let outcome = move || {
        html! {
            div.undo role="status" {
                @match said.get() {
                    None => {},
                    Some(Said::Failed(error)) => (error_notice(&error)),
                    Some(Said::Saved { action, is_on }) => {
                        @if let Some((purpose, channel)) = read(&action) {
                            div.notice data-tone="success" {
                                (icon("check"))
                                div.notice__text { p { (saved(purpose, channel, is_on)) } }
                                div.notice__actions {
                                    button.button type="button" data-action=(action) { (t::messages::undo()) }
                                }
                            }
                        }
                    },
                }
            }
        }
    };
    view! {
        <BackBar title=t::messages::title() to=Route::You />
        <p class="muted">{t::messages::help()}</p>
        {live_with(switches, turn)}
        {live_with(outcome, turn)}
    }
}

fn saved(purpose: &str, channel: Channel, is_on: bool) -> String {
    let (what, how) = (words(purpose).0, way(channel));
    if is_on {
        t::messages::turned_on(&how, &what)
    } else {
        t::messages::turned_off(&how, &what)
    }
}

/// Every purpose by the ways that there are: how the address is written to, and any that was agreed to before.
fn matrix(consents: &Consents, own: Channel) -> Markup {
    html! {
        @for (name, channel) in CHANNELS {
            @if channel == own || PURPOSES.iter().any(|purpose| has(consents, purpose, channel)) {
                section.card {
                    h2.sentence { (way(channel)) }
                    div.list {
                        @for purpose in PURPOSES {
                            (purpose_switch(&[purpose, "-", name].concat(), purpose, has(consents, purpose, channel)))
                        }
                    }
                }
            }
        }
    }
}

/// Which switch an action is.
fn read(action: &str) -> Option<(&'static str, Channel)> {
    let (purpose, name) = action.split_once('-')?;
    let purpose = PURPOSES.into_iter().find(|known| *known == purpose)?;
    let (_, channel) = CHANNELS.into_iter().find(|(known, _)| *known == name)?;
    Some((purpose, channel))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_a_switch_twice_changes_nothing_else() {
        let before = Consents {
            offers: vec![Channel::Email],
            reminders: vec![],
            surveys: vec![Channel::Post],
        };
        let mut after = before.clone();
        toggle(&mut after, "reminders", Channel::Sms);
        toggle(&mut after, "reminders", Channel::Email);
        assert_eq!(after.reminders, [Channel::Email, Channel::Sms]);
        toggle(&mut after, "reminders", Channel::Sms);
        toggle(&mut after, "reminders", Channel::Email);
        toggle(&mut after, "anything else", Channel::Email);
        assert_eq!(after, before);
        assert_eq!(read("surveys-post"), Some(("surveys", Channel::Post)));
        assert_eq!(read("retry"), None);
    }
}
