//! Random programs that should be accepted and run: one model of many statements, with all that index notation
//! has, and sometimes a training.
//!
//! A program is well-typed by construction: every name has a type with numbers for sizes, every subscript is
//! proven to lie within its axis or says `else`. A model may have rows (`B`): then it computes each row of its
//! results from the same row of its inputs, which the oracle tries.

mod library;
mod scalar;
mod statements;
mod training;
mod whole;

use super::random::Random;
use super::tree::{Expr, Program, Statement, text};

/// Sizes of axes: few, primes, and numbers of lanes give or take one.
const SIZES: [usize; 16] = [1, 1, 2, 2, 3, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 33];

/// The most points of one loop.
const MOST_POINTS: usize = 4_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Elem {
    Float,
    /// An int in `0 .. below`; in no known range without.
    Int(Option<usize>),
    Bool,
}

/// A name that can be read.
#[derive(Clone, Debug)]
pub struct Var {
    pub name: String,
    pub elem: Elem,
    /// Without the axis of rows.
    pub dims: Vec<usize>,
    pub has_rows: bool,
    /// Whether derivatives can be taken through everything it is computed from.
    pub is_smooth: bool,
    /// The inputs that it may depend on.
    pub inputs: Vec<String>,
    pub is_input: bool,
}

pub struct Maker {
    random: Random,
    vars: Vec<Var>,
    next: usize,
    /// Functions and networks that the model calls.
    items: Vec<Statement>,
    /// The model has rows.
    has_rows: bool,
    /// Only what has derivatives is made now.
    smooth: bool,
}

/// A program of a seed.
pub fn program(seed: u64) -> Program {
    let mut random = Random::new(seed);
    if random.chance(6) {
        return training::program(seed);
    }
    let has_rows = random.chance(40);
    let smooth = random.chance(60);
    let mut maker = Maker { random, vars: Vec::new(), next: 0, items: Vec::new(), has_rows, smooth };
    let mut program = Program::default();
    let values = *maker.random.one_of(&["plain", "plain", "plain", "wide", "extreme"]);
    program.directives.push(format!("# values {values} {}", maker.random.below(1_000_000)));
    if has_rows {
        program.directives.push("# rows".into());
    }
    if maker.random.chance(15) {
        program.directives.push("precision = f64".into());
    }
    maker.inputs(&mut program);
    // Short bodies more often than long ones.
    let most = 1 + maker.random.below(5);
    for _ in 0..1 + maker.random.below(most) {
        let statement = maker.statement();
        program.statements.push(statement);
    }
    maker.gradients(&mut program);
    maker.results(&mut program);
    program.items = maker.items;
    program
}

impl Maker {
    fn inputs(&mut self, program: &mut Program) {
        for number in 0..2 + self.random.below(3) {
            let elem = match self.random.below(10) {
                0 => Elem::Bool,
                1 => Elem::Int(None),
                2 | 3 => Elem::Int(Some(1 + self.random.below(9))),
                _ => Elem::Float,
            };
            let elem = if number == 0 { Elem::Float } else { elem };
            let has_rows = self.has_rows && (number == 0 || self.random.chance(70));
            let dims = self.dims(3);
            let shape: Vec<String> = has_rows
                .then(|| "B".to_owned())
                .into_iter()
                .chain(dims.iter().map(usize::to_string))
                .collect();
            let kind = match elem {
                Elem::Float => String::new(),
                Elem::Int(None) => "int".into(),
                Elem::Int(Some(below)) => format!("class({below})"),
                Elem::Bool => "bool".into(),
            };
            let name = format!("x{number}");
            program.inputs.push(format!("{name}: {kind}[{}]", shape.join(", ")));
            let inputs = vec![name.clone()];
            self.vars.push(Var { name, elem, dims, has_rows, is_smooth: true, inputs, is_input: true });
        }
    }

    /// Sizes of up to `rank` axes.
    fn dims(&mut self, rank: usize) -> Vec<usize> {
        let rank = [1, 1, 2, 2, 3, 0][self.random.below(6)].min(rank);
        let mut dims: Vec<usize> = (0..rank).map(|_| self.size()).collect();
        while dims.iter().product::<usize>() > MOST_POINTS / 16 {
            dims.pop();
        }
        dims
    }

    fn size(&mut self) -> usize {
        if self.random.chance(50) {
            // One that is there already, so that things fit.
            let sizes: Vec<usize> = self.vars.iter().flat_map(|var| var.dims.clone()).collect();
            if !sizes.is_empty() {
                return *self.random.one_of(&sizes);
            }
        }
        if self.random.chance(2) { 0 } else { *self.random.one_of(&SIZES) }
    }

    fn fresh(&mut self, letter: &str) -> String {
        self.next += 1;
        format!("{letter}{}", self.next)
    }

    /// A new name, and what it is computed from.
    fn add(&mut self, name: &str, elem: Elem, dims: Vec<usize>, has_rows: bool, made: &[&Statement]) {
        let text: String = made.iter().map(|statement| statement.to_string()).collect();
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
        let read = self.vars.iter().filter(|var| words.contains(&&*var.name));
        let mut inputs: Vec<String> = read.flat_map(|var| var.inputs.clone()).collect();
        inputs.sort_unstable();
        inputs.dedup();
        let is_smooth = self.smooth;
        self.vars.push(Var { name: name.into(), elem, dims, has_rows, is_smooth, inputs, is_input: false });
    }

    /// A name that `fits` finds good; late ones are likelier.
    fn var(&mut self, fits: impl Fn(&Var) -> bool) -> Option<Var> {
        let smooth = self.smooth;
        let fitting: Vec<&Var> =
            self.vars.iter().filter(|var| (!smooth || var.is_smooth) && fits(var)).collect();
        if fitting.is_empty() {
            return None;
        }
        let late = self.random.below(fitting.len()).max(self.random.below(fitting.len()));
        Some(fitting[late].clone())
    }

    fn statement(&mut self) -> Statement {
        match self.random.below(16) {
            0..5 => self.definition(),
            5..8 => self.whole(),
            8 | 9 => self.scatter(),
            10 => self.interleaved(),
            12..16 => self.library(),
            _ => self.scan(),
        }
    }

    fn results(&mut self, program: &mut Program) {
        let smooth = std::mem::replace(&mut self.smooth, false);
        let made: Vec<Var> = self.vars.iter().filter(|var| !var.is_input).cloned().collect();
        for var in made.iter().rev().take(5) {
            if program.results.iter().all(|result| result.to_string() != var.name) {
                program.results.push(text(&var.name));
            }
        }
        self.smooth = smooth;
    }
}

/// Numbers of all kinds, as they are written.
fn number(random: &mut Random, is_extreme: bool) -> Expr {
    const EXTREME: [&str; 12] = [
        "0.0",
        "(-0.0)",
        "1e-30",
        "(-1e-30)",
        "1e30",
        "(-1e30)",
        "1e-42",
        "inf",
        "(-inf)",
        "16777217.0",
        "3e38",
        "1e-38",
    ];
    if is_extreme && random.chance(30) {
        return text(*random.one_of(&EXTREME));
    }
    match random.below(6) {
        0 => text("0"),
        1 => text("1"),
        2 => text(format!("{}", random.between(2, 9))),
        3 => text("0.5"),
        4 => text(format!("(-{}.{})", random.below(3), random.between(1, 99))),
        _ => text(format!("{}.{}", random.below(3), random.between(1, 99))),
    }
}
