//! The shop's accent colour, corrected until text can be read on it and in it.

use crate::browser::{self, storage};

/// Text against its ground, at least (WCAG 2.2, success criterion 1.4.3).
const READABLE: f64 = 4.5;

/// The last correction; the page's first paint uses it.
const ACCENT: &str = "lw.accent";

/// The grounds that the accent is used on as text: see `--paper`, `--surface-2` and their like in `style/wallet.css`.
const DARKEST_LIGHT_GROUND: Colour = Colour([0xef, 0xec, 0xe4]);
const LIGHTEST_DARK_GROUND: Colour = Colour([0x27, 0x2c, 0x29]);
const WHITE: Colour = Colour([255; 3]);
const BLACK: Colour = Colour([0; 3]);

/// Sets the accent of the whole page from the programme's `#rrggbb`; what is no colour leaves the page as it is.
pub fn apply(accent: &str) {
    let Some(accent) = Colour::parse(accent) else { return };
    let ground = accent.mixed_until(BLACK, |colour| colour.contrast(WHITE) >= READABLE);
    let on_light = accent.mixed_until(BLACK, |colour| colour.contrast(DARKEST_LIGHT_GROUND) >= READABLE);
    let on_dark = accent.raised_until(|colour| colour.contrast(LIGHTEST_DARK_GROUND) >= READABLE);
    let colours = [
        ("--accent", ground),
        ("--accent-ink-light", on_light),
        ("--accent-ink-dark", on_dark),
    ];
    for (name, colour) in colours {
        browser::set_custom_property(name, &colour.hex());
    }
    storage::set(ACCENT, Some(&colours.map(|(_, colour)| colour.hex()).join(" ")));
}

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Colour([u8; 3]);

impl Colour {
    fn parse(hex: &str) -> Option<Self> {
        let digits = hex.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    fn hex(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// Relative luminance, 0 to 1 (WCAG 2.2).
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                // The browser's own, where there is one: ours would be a part of the download.
                power((part + 0.055) / 1.055, 2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Contrast ratio, 1 to 21 (WCAG 2.2).
    fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Made brighter as far as its hue allows, then mixed with white: so a dark green becomes a bright one, not a grey.
    fn raised_until(self, enough: impl Fn(Self) -> bool) -> Self {
        let strongest = self.0.into_iter().max().unwrap_or(0).max(1);
        let brightest = Self(self.0.map(|part| (u16::from(part) * 255 / u16::from(strongest)) as u8));
        let raised = self.mixed_until(brightest, &enough);
        if enough(raised) {
            raised
        } else {
            brightest.mixed_until(WHITE, enough)
        }
    }

    /// Mixed with another in steps of two percent, as little as it takes.
    fn mixed_until(self, other: Self, enough: impl Fn(Self) -> bool) -> Self {
        (0..=50)
            .map(|step| {
                let share = f64::from(step) / 50.0;
                let mix =
                    |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * share).round() as u8;
                Self(std::array::from_fn(|i| mix(self.0[i], other.0[i])))
            })
            .find(|&colour| enough(colour))
            .unwrap_or(other)
    }
}

#[cfg(target_arch = "wasm32")]
fn power(base: f64, exponent: f64) -> f64 {
    js_sys::Math::pow(base, exponent)
}

#[cfg(not(target_arch = "wasm32"))]
fn power(base: f64, exponent: f64) -> f64 {
    base.powf(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accent_becomes_readable_and_a_readable_one_stays() {
        for hex in [
            "#0b6b4b", "#ffee00", "#ffffff", "#000000", "#ff0000", "#7f7f7f", "#00ffff",
        ] {
            let accent = Colour::parse(hex).expect("a colour");
            let ground = accent.mixed_until(BLACK, |colour| colour.contrast(WHITE) >= READABLE);
            assert!(ground.contrast(WHITE) >= READABLE, "{hex} as {}", ground.hex());
            let on_dark = accent.raised_until(|colour| colour.contrast(LIGHTEST_DARK_GROUND) >= READABLE);
            assert!(
                on_dark.contrast(LIGHTEST_DARK_GROUND) >= READABLE,
                "{hex} as {}",
                on_dark.hex()
            );
        }
        let brightleaf = Colour::parse("#0b6b4b").expect("a colour");
        assert_eq!(
            brightleaf.mixed_until(BLACK, |colour| colour.contrast(WHITE) >= READABLE),
            brightleaf
        );
        assert_eq!(Colour::parse("green"), None);
    }
}
