//! `nnc ir`: a program as a stage of the compiler sees it.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{Failure, input, say};
use crate::base::order::PutInOrder;
use crate::base::SourceMap;
use crate::compile::{self, Stage};
use crate::opt::{Applied, Exactness, LAWS, Purpose};
use crate::runtime::program::{Diagnostics, Files};

/// Print what the compiler made of a program.
#[derive(Args)]
#[command(after_help = "\
Stages:
  ast    the syntax tree
  ir     forward graphs: what losses and metrics need
  grad   with gradients and updates, as they were made
  opt    simplified, for the batch size of the program
  plan   kernels and buffers
  loops  loop nests
  clif   Cranelift's intermediate form
  asm    machine code by Cranelift
  avx2   machine code of the kernels for processors with AVX2
  avx512 the same for processors with AVX-512

Examples:
  nnc ir models/xor.nn --stage opt
  nnc ir models/xor.nn --stage opt --stats --without compose
  nnc ir --laws")]
pub struct Ir {
    /// The program; `-` for standard input.
    #[arg(required_unless_present = "laws")]
    file: Option<PathBuf>,
    /// The stage to print.
    #[arg(long, value_name = "STAGE", default_value = "ir",
          value_parser = PossibleValuesParser::new(Stage::ALL.map(Stage::name)))]
    stage: String,
    /// Leave out a law of simplification, from stage `opt` on; may be given several times.
    #[arg(long, value_name = "LAW", value_parser = PossibleValuesParser::new(LAWS.iter().map(|law| law.name)))]
    without: Vec<String>,
    /// Count the laws that were applied, from stage `opt` on.
    #[arg(long)]
    stats: bool,
    /// List the laws of simplification, instead of a program: what each says, by how much its sides may differ,
    /// and when it is applied.
    #[arg(long, conflicts_with_all = ["file", "without", "stats"])]
    laws: bool,
}

impl Ir {
    pub fn carry_out(self) -> Result<(), Failure> {
        let Some(file) = &self.file else {
            say(&table_of_laws());
            return Ok(());
        };
        let stage = Stage::from_name(&self.stage).unwrap_or(Stage::Ir);
        if stage < Stage::Opt && (self.stats || !self.without.is_empty()) {
            let message = "laws are applied from stage `opt` on: say `--stage opt` or a later one";
            return Err(Failure::Usage(message.into()));
        }
        let mut laws = Applied::new(Purpose::Run);
        for name in &self.without {
            let fewer = laws.without(name);
            laws = fewer.ok_or_else(|| Failure::Usage(format!("there is no law `{name}`")))?;
        }
        let input = input::read(file)?;
        let mut sources = SourceMap::default();
        let file = sources.add(input.name, input.text);
        match compile::show_with(&mut sources, file, &mut Files::default(), stage, &laws) {
            Ok(text) => say(text.trim_end()),
            Err(list) => return Err(Diagnostics { list, sources }.into()),
        }
        if self.stats {
            say(&counted(&laws));
        }
        Ok(())
    }
}

/// The laws that were applied and how often, most often first.
fn counted(laws: &Applied) -> String {
    let mut counts: Vec<(u32, &str)> =
        laws.counts().into_iter().zip(LAWS.iter().map(|law| law.name)).collect();
    counts.retain(|(count, _)| *count > 0);
    counts.put_in_order_by_key(|(count, _)| std::cmp::Reverse(*count));
    let lines: Vec<String> = counts.iter().map(|(count, name)| format!("{count:6}  {name}")).collect();
    format!("\nlaws applied:\n{}", lines.join("\n"))
}

fn table_of_laws() -> String {
    let lines = LAWS.iter().map(|law| {
        let exactness = match law.exactness {
            Exactness::Exact => "the same bits",
            Exactness::ZeroSign => "the same but for the sign of a zero",
            Exactness::Rounding => "the same but for rounding",
            Exactness::Stable => "the same without overflow in between; before derivatives are taken",
            Exactness::Reals => "the same real number; only in formulas that are shown",
        };
        let when = if law.when.is_empty() { String::new() } else { format!("\n    if {}", law.when) };
        format!("{}\n    {}\n    {exactness}{when}", law.name, law.equation)
    });
    lines.collect::<Vec<_>>().join("\n")
}
