//! Making control characters visible, since names, strings and files may contain escape sequences that a terminal
//! would obey.

use std::borrow::Cow;

/// The text with every control character but line ends and tabs as something visible: escape sequences, which
/// move the cursor or change colours and titles, and characters that turn the direction of writing round.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\r' if rest.peek() == Some(&'\n') => {}
            // The pictures of the first 32 characters stand in order.
            '\0'..='\x1f' if is_obeyed(character) => {
                shown.extend(char::from_u32(0x2400 + u32::from(character)));
            }
            '\x7f' => shown.push('\u{2421}'),
            _ if is_obeyed(character) => shown.push(char::REPLACEMENT_CHARACTER),
            _ => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

fn is_obeyed(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\t')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert!(matches!(visible("σ = 漢\n\tx"), Cow::Borrowed(_)));
        assert_eq!(visible("a\x1b[2Jb\x07\0\x7f"), "a␛[2Jb␇␀␡");
        assert_eq!(visible("\u{9b}31m \u{202e}dab"), "\u{fffd}31m \u{fffd}dab");
        assert_eq!(visible("one\r\ntwo\rthree"), "one\ntwo␍three");
        let all: String = (0..0x11_0000).filter_map(char::from_u32).collect();
        assert!(!visible(&all).contains(is_obeyed));
    }
}
