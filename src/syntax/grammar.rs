//! The parser that pest makes of `grammar/nn.pest`.

use pest_derive::Parser;

#[derive(Parser)]
#[grammar = "../grammar/nn.pest"]
pub(super) struct Grammar;
