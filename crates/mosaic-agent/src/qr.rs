//! What one device shows and another reads with its camera, as a picture that needs no library to be drawn.

use std::fmt::Write as _;

use qrcode::{Color, QrCode};

/// Modules that stay white around the code (ISO/IEC 18004 wants four).
const QUIET: usize = 4;

/// The QR code of a text as SVG; `None` for a text that fits in none, which ours all do.
pub(crate) fn svg(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    let width = code.width();
    let side = width + 2 * QUIET;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\""
    );
    let colors = code.to_colors();
    for (at, _) in colors.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
        write!(svg, "M{} {}h1v1h-1z", at % width + QUIET, at / width + QUIET).ok()?;
    }
    svg.push_str("\"/></svg>");
    Some(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read back: the modules of the picture are those of the code.
    #[test]
    fn a_picture_shows_every_module() {
        let text = "mosaic:meet?token=7dQ0x3mEoYcB2kVtR8sZ1wJfHnLpG5aU";
        let (svg, code) = (svg(text).unwrap(), QrCode::new(text).unwrap());
        let dark = code.to_colors().iter().filter(|color| **color == Color::Dark).count();
        assert_eq!(svg.matches("h1v1h-1z").count(), dark);
        assert!(svg.contains(&format!("viewBox=\"0 0 {0} {0}\"", code.width() + 8)));
        assert!(svg.contains("M4 4h1v1h-1z"), "the finder pattern begins behind the quiet zone");
    }
}
