//! The parser that pest makes of `grammar/nn.pest`.

use pest::error::{Error, ErrorVariant};
use pest::iterators::Pairs;
use pest::{Parser, Position};
use pest_derive::Parser;

use crate::base::with_much_stack;

use super::ast::MAX_DEPTH;

#[derive(Parser)]
#[grammar = "../grammar/nn.pest"]
struct Grammar;

/// Nesting that pest manages on any stack.
const SHALLOW: usize = 16;

/// Parses the text of one item. Pest refuses what would overflow the stack, so that what the
/// language allows gets enough of it.
pub(super) fn parse_item(text: &str) -> Result<Pairs<'_, Rule>, Error<Rule>> {
    let parse = || Grammar::parse(Rule::whole_item, text);
    if cfg!(not(feature = "system")) && text.matches("else if").count() > MAX_DEPTH {
        // On the only stack there is; brackets have been counted before.
        let variant = ErrorVariant::CustomError { message: "too deep".to_owned() };
        return Err(Error::new_from_pos(variant, Position::from_start(text)));
    }
    if (SHALLOW..4 * MAX_DEPTH).contains(&nesting(text)) { with_much_stack(parse) } else { parse() }
}

/// A bound on how deep pest recurses: brackets within each other, and branches.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest + text.matches("if").count()
}
