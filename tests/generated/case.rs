//! One thing that is tried: a random program, or a mutated text or file. It depends on its kind and number alone.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::files::{Format, formats};
use super::make;
use super::mutate;
use super::oracle::{Fault, Looked, Verdict, check};
use super::random::Random;
use super::shrink::{shorten, shrink};
use super::texts;
use super::tree::Program;

/// What is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Random programs, run by every back end.
    Programs,
    /// Mutated programs, checked and formatted.
    Texts,
    /// Mutated texts of graphs.
    Graphs,
    /// Mutated data files.
    Files,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Programs, Kind::Texts, Kind::Graphs, Kind::Files];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Programs => "programs",
            Kind::Texts => "texts",
            Kind::Graphs => "graphs",
            Kind::Files => "files",
        }
    }

    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[derive(Clone, PartialEq, Debug)]
pub enum Case {
    Program(Program),
    Text(String),
    Graph(String),
    /// Of a format, by number.
    File(usize, Vec<u8>),
}

/// What cases are made from.
pub struct Seeds {
    texts: Vec<String>,
    graphs: Vec<String>,
    formats: Vec<Format>,
}

impl Seeds {
    /// What a kind needs.
    pub fn of(kind: Kind) -> Seeds {
        let texts = if matches!(kind, Kind::Texts | Kind::Graphs) { texts::seeds() } else { Vec::new() };
        let graphs = if kind == Kind::Graphs { texts::graph_seeds(&texts) } else { Vec::new() };
        let formats = if kind == Kind::Files { formats() } else { Vec::new() };
        Seeds { texts, graphs, formats }
    }

    pub fn case(&self, kind: Kind, number: u64) -> Case {
        let mut random = Random::named(number, kind.name());
        match kind {
            Kind::Programs => Case::Program(make::program(number)),
            Kind::Texts => Case::Text(mutate::text(&mut random, &self.texts)),
            Kind::Graphs => Case::Graph(mutate::text(&mut random, &self.graphs)),
            Kind::Files => {
                let format = random.below(self.formats.len());
                let seed = random.one_of(&self.formats[format].seeds).clone();
                Case::File(format, mutate::bytes(&mut random, &seed))
            }
        }
    }

    /// The case that a kept file holds. Files of data end in the name of their format.
    pub fn kept(&self, kind: Kind, ending: &str, bytes: Vec<u8>) -> Case {
        let format = self.formats.iter().position(|format| format.name == ending).unwrap_or(0);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        match kind {
            Kind::Programs | Kind::Texts => Case::Text(text(bytes)),
            Kind::Graphs => Case::Graph(text(bytes)),
            Kind::Files => Case::File(format, bytes),
        }
    }

    pub fn ending(&self, case: &Case) -> &'static str {
        match case {
            Case::Program(_) | Case::Text(_) => "nn",
            Case::Graph(_) => "ir",
            Case::File(format, _) => self.formats[*format].name,
        }
    }

    /// The verdict, whatever the compiler does short of ending the process.
    pub fn verdict(&self, kind: Kind, case: &Case) -> Verdict {
        match catch_unwind(AssertUnwindSafe(|| self.looked_at(kind, case))) {
            Ok(verdict) => verdict,
            Err(panic) => {
                let message = panic.downcast_ref::<String>().cloned();
                let message = message.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                Verdict::Fault(Fault { kind: "panic", what: message.unwrap_or_default() })
            }
        }
    }

    fn looked_at(&self, kind: Kind, case: &Case) -> Verdict {
        let outcome = match case {
            Case::Program(program) => return check(&program.to_string()),
            Case::Text(text) if kind == Kind::Programs => return check(text),
            Case::Text(text) => texts::program(text),
            Case::Graph(text) => texts::graph(text),
            Case::File(format, bytes) => Ok((self.formats[*format].read)(bytes.clone())),
        };
        match outcome {
            Ok(true) => Verdict::Fine(Looked::default()),
            Ok(false) => Verdict::Rejected("damaged".into()),
            Err(what) => Verdict::Fault(Fault { kind: "text", what }),
        }
    }

    /// A smaller case that is still faulty.
    pub fn shrunk(&self, case: Case, tries: usize, is_faulty: &mut dyn FnMut(&Case) -> bool) -> Case {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match case {
            Case::Program(program) => Case::Program(shrink(program, tries, &mut |smaller| {
                is_faulty(&Case::Program(smaller.clone()))
            })),
            Case::Text(whole) => Case::Text(text(&shorten(whole.into_bytes(), tries, &mut |bytes| {
                is_faulty(&Case::Text(text(bytes)))
            }))),
            Case::Graph(whole) => Case::Graph(text(&shorten(whole.into_bytes(), tries, &mut |bytes| {
                is_faulty(&Case::Graph(text(bytes)))
            }))),
            Case::File(format, whole) => Case::File(
                format,
                shorten(whole, tries, &mut |bytes| is_faulty(&Case::File(format, bytes.to_vec()))),
            ),
        }
    }
}

impl Case {
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Case::Program(program) => program.to_string().into_bytes(),
            Case::Text(text) | Case::Graph(text) => text.clone().into_bytes(),
            Case::File(_, bytes) => bytes.clone(),
        }
    }
}
