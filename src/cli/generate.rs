//! `nnc generate`: the texts of a program's `generate` lines, from trained parameters.

use std::path::PathBuf;

use clap::Args;

use super::input::DataFiles;
use super::progress::Terminal;
use super::{Failure, input};
use crate::base::{SourceMap, Span};
use crate::runtime::events::{Event, Observer};
use crate::syntax::ast::{self, Expr, ExprKind, StrPiece};

/// Go on with a text: carry out the generate lines of a program, without training.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc run models/char_rnn.nn --save writer.safetensors
  nnc generate models/char_rnn.nn --init writer.safetensors --prompt 'JULIET:' --seed 3")]
pub struct Generate {
    /// The program; `-` for standard input.
    file: PathBuf,
    /// The trained parameters: a file of `nnc run --save`, or any safetensors file with their names.
    #[arg(long, value_name = "FILE")]
    init: PathBuf,
    /// What the text begins with, whatever the program says.
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// How many characters are added.
    #[arg(long, value_name = "N")]
    length: Option<u32>,
    /// The seed of the random choices.
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    #[command(flatten)]
    data: DataFiles,
    /// Threads to compute with; results do not depend on it [default: as many as there are processors].
    #[arg(long, value_name = "N", value_parser = super::threads)]
    threads: Option<usize>,
    /// Check every access of native code against its buffer: slower, the same results.
    #[arg(long)]
    checked: bool,
}

impl Generate {
    pub fn carry_out(self) -> Result<(), Failure> {
        let mut found = 0;
        let program = input::compile(&self.file, &mut |sources, file| {
            found = self.apply(sources, file);
            Vec::new()
        })?;
        let program = self.data.apply(&program)?;
        program.check_accesses(self.checked);
        if found == 0 {
            let message = "the program has no `generate`: it says which model goes on with a text, and how \
                           each character is chosen\n\n    \
                           generate Net from \"A\" with sample(temperature = 0.8), length = 200";
            return Err(Failure::Usage(message.into()));
        }
        let mut observer = Terminal::new(true, false, program.sources().clone());
        for warning in program.warnings() {
            observer.event(&Event::Warning(warning));
        }
        let mut session = program.session()?;
        if let Some(threads) = self.threads {
            session.set_threads(threads);
        }
        session.load(&self.init, "", &mut observer)?;
        Ok(session.generate(&mut observer)?)
    }

    /// Puts the options into every `generate` of the file. Gives how many there are.
    fn apply(&self, sources: &mut SourceMap, file: &mut ast::File) -> usize {
        let mut line = CommandLine::default();
        let prompt = self.prompt.as_ref().map(|text| line.add("--prompt", text));
        let number = |line: &mut CommandLine, option, value: Option<u32>| {
            value.map(|value| (i64::from(value), line.add(option, &value.to_string())))
        };
        let length = number(&mut line, "--length", self.length);
        let seed = number(&mut line, "--seed", self.seed);
        let id = sources.add("command line", line.text.as_str());
        let span = |place: (usize, usize)| Span::new(id, place.0, place.1);
        let mut found = 0;
        file.change_items(&mut |kind| {
            let ast::ItemKind::Generate(item) = kind else { return };
            found += 1;
            if let (Some(text), Some(place)) = (&self.prompt, prompt) {
                let kind = ExprKind::Str(vec![StrPiece::Text(text.clone())]);
                item.prompt = Expr::new(kind, span(place));
            }
            for (name, given) in [("length", length), ("seed", seed)] {
                let Some((value, place)) = given else { continue };
                let span = span(place);
                item.options.retain(|option| option.name.as_str() != name);
                item.options.push(ast::Setting {
                    name: ast::Name { text: name.into(), span },
                    value: Expr::new(ExprKind::Int(value), span),
                    span,
                });
            }
        });
        found
    }
}

/// The options as a source of their own, for messages.
#[derive(Default)]
struct CommandLine {
    text: String,
}

impl CommandLine {
    /// Where the value stands.
    fn add(&mut self, option: &str, value: &str) -> (usize, usize) {
        self.text.push_str(&format!("{option} "));
        let start = self.text.len();
        self.text.push_str(value);
        let end = self.text.len();
        self.text.push(' ');
        (start, end)
    }
}
