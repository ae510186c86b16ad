//! A picture as an SVG file.

use std::fmt::Write;

use super::drawing::{Anchor, Colour, Drawing, Shape, Text};
use super::raster;
use crate::base::visible::visible;

/// The drawing as the text of an SVG file.
pub fn svg(drawing: &Drawing) -> String {
    let Drawing { width, height, .. } = drawing;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"Helvetica, Arial, sans-serif\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for shape in &drawing.shapes {
        out.push_str(&element(shape));
        out.push('\n');
    }
    out.push_str("</svg>\n");
    out
}

fn element(shape: &Shape) -> String {
    match shape {
        Shape::Box { x, y, width, height, colour } => format!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{}\"/>",
            hex(*colour)
        ),
        Shape::Line { points, width, colour } => {
            let mut path = String::new();
            for (at, (x, y)) in points.iter().enumerate() {
                let _ = write!(path, "{}{x:.1} {y:.1}", if at == 0 { 'M' } else { 'L' });
            }
            // A line of no length with round ends is a dot.
            if points.len() == 1 {
                path.push_str("h0");
            }
            format!(
                "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" stroke-linecap=\"round\" \
                 stroke-linejoin=\"round\"/>",
                hex(*colour)
            )
        }
        Shape::Dots { points, radius, colour, opacity } => {
            let mut path = String::new();
            for (x, y) in points {
                let _ = write!(path, "M{x:.1} {y:.1}h0");
            }
            format!(
                "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-opacity=\"{opacity}\" \
                 stroke-linecap=\"round\"/>",
                hex(*colour),
                radius * 2.0
            )
        }
        Shape::Text(text) => text_element(text),
        Shape::Bitmap { x, y, width, height, bitmap } => format!(
            "<image x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>",
            base64(&raster::encode(bitmap))
        ),
    }
}

fn text_element(text: &Text) -> String {
    let (x, y) = (text.x, text.y);
    let anchor = match text.anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let weight = if text.bold { " font-weight=\"bold\"" } else { "" };
    let halo = if text.has_halo { " stroke=\"white\" stroke-width=\"3\" paint-order=\"stroke\"" } else { "" };
    let turn = if text.turned { format!(" transform=\"rotate(-90 {x:.1} {y:.1})\"") } else { String::new() };
    format!(
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{}\" text-anchor=\"{anchor}\" fill=\"{}\"{weight}{halo}{turn}>{}</text>",
        text.size,
        hex(text.colour),
        escaped(&text.text)
    )
}

fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Bytes as text of 64 different characters.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let number = (0..3).fold(0u32, |number, at| number << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let digit = char::from(DIGITS[(number >> (18 - 6 * at) & 63) as usize]);
            out.push(if at <= group.len() { digit } else { '=' });
        }
    }
    out
}

/// As XML and HTML want it. Two characters stand in no XML, in whatever spelling.
pub fn escaped(text: &str) -> String {
    let text = visible(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64() {
        let texts = ["", "M", "Ma", "Man", "Many"].map(|text| super::base64(text.as_bytes()));
        assert_eq!(texts, ["", "TQ==", "TWE=", "TWFu", "TWFueQ=="]);
    }
}
