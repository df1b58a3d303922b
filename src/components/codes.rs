//! Codes that a till can scan, drawn as one SVG path each. Black on white, whatever the theme: scanners want that.

use barcoders::sym::code128::Code128;
use fast_qr::{ECL, QRBuilder};
use maud::{Markup, html};

/// How many light modules a scanner needs around a QR code.
const QR_MARGIN: usize = 4;

/// How many light modules a scanner needs before and after a bar code.
const BARCODE_MARGIN: usize = 10;

/// A QR code that says a text; nothing where the text is too long for one.
pub fn qr(text: &str, label: &str) -> Markup {
    let Ok(code) = QRBuilder::new(text).ecl(ECL::M).build() else {
        return Markup::default();
    };
    let rows = (0..code.size).map(|y| {
        let row = &code.data[y * code.size..][..code.size];
        runs(row.iter().map(|module| module.value()), QR_MARGIN, y + QR_MARGIN, 1)
    });
    let side = code.size + 2 * QR_MARGIN;
    drawing("qr", label, side, side, &rows.collect::<String>())
}

/// A Code 128 that says a text: pairs of digits in set C, anything else in set B. Nothing where it cannot say it.
pub fn barcode(text: &str, label: &str) -> Markup {
    let is_pairs = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_digit());
    // The letter before the text names the set, as the library wants it.
    let set = if is_pairs { "\u{106}" } else { "\u{181}" };
    let Ok(code) = Code128::new([set, text].concat()) else {
        return Markup::default();
    };
    let bars = code.encode();
    let path = runs(bars.iter().map(|bar| *bar == 1), BARCODE_MARGIN, 0, 1);
    drawing("barcode", label, bars.len() + 2 * BARCODE_MARGIN, 1, &path)
}

fn drawing(class: &str, label: &str, width: usize, height: usize, path: &str) -> Markup {
    html! {
        svg class=(class) role="img" aria-label=(label) viewBox={ "0 0 " (width) " " (height) } preserveAspectRatio="none"
            shape-rendering="crispEdges" {
            path d=(path) {}
        }
    }
}

/// The dark stretches of a row as rectangles of a path.
fn runs(modules: impl Iterator<Item = bool>, left: usize, top: usize, height: usize) -> String {
    let mut path = String::new();
    let mut dark_from = None;
    for (at, is_dark) in modules.chain([false]).enumerate() {
        match (is_dark, dark_from) {
            (true, None) => dark_from = Some(at),
            (false, Some(from)) => {
                let (x, width) = (left + from, at - from);
                path += &format!("M{x} {top}h{width}v{height}h-{width}z");
                dark_from = None;
            }
            _ => (),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dark_stretches_become_rectangles() {
        let row = [true, true, false, true];
        assert_eq!(runs(row.into_iter(), 4, 2, 1), "M4 2h2v1h-2zM7 2h1v1h-1z");
        assert_eq!(runs([false; 3].into_iter(), 4, 2, 1), "");
    }

    #[test]
    fn a_barcode_takes_digits_in_pairs_and_anything_else_letter_by_letter() {
        let width = |text: &str| {
            let drawn = barcode(text, "").into_string();
            let width = drawn
                .split("viewBox=\"0 0 ")
                .nth(1)
                .and_then(|rest| rest.split(' ').next());
            width.and_then(|width| width.parse::<usize>().ok())
        };
        // Start, data, check and stop have eleven modules each, the stop two more, and the margins twenty.
        let modules = |characters: usize| (characters + 3) * 11 + 2 + 20;
        assert_eq!(width("51210231486412345678"), Some(modules(10)));
        assert_eq!(width("K7F49QX2"), Some(modules(8)));
        assert_eq!(width("ключ"), None);
    }

    #[test]
    fn a_qr_code_has_its_three_corners_and_its_margin() {
        let drawn = qr("K7F49QX2", "Code").into_string();
        assert!(drawn.contains("viewBox=\"0 0 29 29\""), "{drawn}");
        for corner in ["M4 4h7", "M18 4h7", "M4 24h7"] {
            assert!(drawn.contains(corner), "{corner} in {drawn}");
        }
    }
}
