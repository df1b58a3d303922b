//! How this person likes the wallet on this device.

use leptos::prelude::*;

use crate::api::ApiError;
use crate::browser::{self, storage};

const THEME: &str = "lw.theme";
const LANGUAGE: &str = "lw.language";
const TEXT_SIZE: &str = "lw.text-size";

/// How large the wallet can be written, in percent of what the browser has; the first is as it has it.
pub const TEXT_SIZES: [&str; 3] = ["100", "125", "150"];

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// The theme of a name that [`Theme::name`] gave; the system's own for any other.
    pub fn named(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The attribute's value; none for the system's own choice.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }
}

/// How this person likes the wallet; `boot.js` reads the same names before the first paint.
#[derive(Clone, Copy)]
pub struct Preferences {
    theme: RwSignal<Theme>,
    text_size: RwSignal<String>,
    language: RwSignal<String>,
    /// Why the language that was chosen last could not be had.
    refused: RwSignal<Option<ApiError>>,
}

impl Preferences {
    /// Reads what was chosen before; the language is the one that the page was started in.
    pub fn provide(language: String) -> Self {
        let theme = Theme::named(&storage::get(THEME).unwrap_or_default());
        let preferences = Self {
            theme: RwSignal::new(theme),
            text_size: RwSignal::new(storage::get(TEXT_SIZE).unwrap_or_else(|| TEXT_SIZES[0].to_owned())),
            language: RwSignal::new(language),
            refused: RwSignal::new(None),
        };
        provide_context(preferences);
        preferences
    }

    /// Light or dark, as it is now.
    pub fn theme(&self) -> Theme {
        self.theme.get_untracked()
    }

    /// Chooses light or dark, from now on.
    pub fn set_theme(&self, theme: Theme) {
        storage::set(THEME, theme.name());
        browser::set_theme(theme.name());
        self.theme.set(theme);
    }

    /// How large everything is written, as it is now: one of [`TEXT_SIZES`].
    pub fn text_size(&self) -> String {
        self.text_size.get_untracked()
    }

    /// Chooses how large everything is written, from now on.
    pub fn set_text_size(&self, percent: &str) {
        let percent = Some(percent).filter(|percent| *percent != TEXT_SIZES[0]);
        storage::set(TEXT_SIZE, percent);
        browser::set_text_size(percent);
        self.text_size.set(percent.unwrap_or(TEXT_SIZES[0]).to_owned());
    }

    /// The language chosen; follows every change.
    pub fn language(&self) -> String {
        self.language.get()
    }

    /// The language chosen, as it is now.
    pub fn language_untracked(&self) -> String {
        self.language.get_untracked()
    }

    /// Stays with a language, since another could not be had.
    pub fn keep_language(&self, language: &str, error: ApiError) {
        storage::set(LANGUAGE, Some(language));
        // Nothing is to be fetched for it, so nobody is told.
        language.clone_into(&mut self.language.write_untracked());
        self.refused.set(Some(error));
    }

    /// Why the language that was chosen last could not be had; follows every change.
    pub fn refused_language(&self) -> Option<ApiError> {
        self.refused.get()
    }

    /// Whoever leaves the screen that said so has read it.
    pub fn forget_refusal(&self) {
        *self.refused.write_untracked() = None;
    }

    /// Chooses a language, from now on. The wallet then fetches its texts and shows itself anew.
    pub fn set_language(&self, language: &str) {
        storage::set(LANGUAGE, Some(language));
        self.refused.set(None);
        self.language.set(language.to_owned());
    }
}

/// The preferences that [`Preferences::provide`] made.
pub fn use_preferences() -> Preferences {
    expect_context()
}
