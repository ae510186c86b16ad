//! A kernel as a function of C.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use super::helpers::Helper;
use super::{choices, inline, stores};
use super::lanes::{Divider, Piece};
use super::text::{Text, element};
use super::uses::{count, used, used_by, used_in};
use crate::backend::CodeError;
use crate::loops::{Bound, Carry, Expr, For, Kernel, Kind, Stmt, ValueId};

/// What a kernel is called, and what is known of its parameters.
pub struct Signature {
    pub name: String,
    /// The names of the parameters.
    pub params: Vec<String>,
    /// Of each parameter, those that may reach its memory, itself included.
    pub aliases: Vec<Vec<u32>>,
    /// What is added to the subscripts of each parameter, in elements.
    pub shifts: Vec<i64>,
}

/// Writes one function.
pub struct Writer<'k> {
    kernel: &'k Kernel,
    pub prefix: &'k str,
    pub params: &'k [String],
    pub shifts: &'k [i64],
    pub definitions: HashMap<ValueId, &'k Expr>,
    pub helpers: BTreeSet<Helper>,
    /// Values that stand where another one stands.
    places: HashMap<ValueId, ValueId>,
    /// Values of several lanes that more than one loop over lanes uses.
    arrays: HashSet<ValueId>,
    counters: HashSet<ValueId>,
    /// Values that stand in the expressions that use them.
    inlined: HashSet<ValueId>,
    /// The expressions of those that were met.
    pub expressions: HashMap<ValueId, String>,
    text: Text,
}

/// Writes the function of a kernel.
///
/// # Errors
/// If the kernel has an operation on a type that it does not take.
pub fn function(
    kernel: &Kernel,
    signature: &Signature,
    prefix: &str,
    helpers: &mut BTreeSet<Helper>,
) -> Result<String, CodeError> {
    let mut writer = Writer {
        kernel,
        prefix,
        params: &signature.params,
        shifts: &signature.shifts,
        definitions: HashMap::new(),
        helpers: BTreeSet::new(),
        places: HashMap::new(),
        arrays: HashSet::new(),
        counters: kernel.steps.iter().chain(&kernel.piece).copied().collect(),
        inlined: HashSet::new(),
        expressions: HashMap::new(),
        text: Text::default(),
    };
    writer.define(&kernel.body);
    let divider = Divider { kernel, aliases: signature.aliases.clone() };
    let pieces = divider.divide(&kernel.body);
    writer.find_arrays(&pieces);
    let mut counts = HashMap::new();
    count(&kernel.body, &mut counts);
    inline::find(&pieces, &counts, &mut writer.inlined);
    let is_mistaken = choices::shared(kernel) || stores::overlap(&kernel.body, kernel, &signature.aliases);
    let attribute = match is_mistaken {
        true => format!("{}STRAIGHT ", prefix.to_uppercase()),
        false => String::new(),
    };
    writer.text.line(format!("{attribute}static void {}({})", signature.name, writer.parameters(signature)));
    writer.text.line("{");
    writer.text = Text { text: std::mem::take(&mut writer.text.text), ..Text::at(1) };
    writer.unused();
    writer.block(&pieces)?;
    helpers.extend(writer.helpers);
    Ok(writer.text.text + "}\n")
}

impl<'k> Writer<'k> {
    pub fn kind(&self, value: ValueId) -> Kind {
        self.kernel.types[value.0 as usize].kind
    }

    pub fn lanes(&self, value: ValueId) -> u8 {
        self.kernel.types[value.0 as usize].lanes
    }

    pub fn is_array(&self, value: ValueId) -> bool {
        self.arrays.contains(&self.place(value))
    }

    /// Whether it counts or is a subscript, and so fits an address.
    pub fn is_counter(&self, value: ValueId) -> bool {
        self.counters.contains(&value)
    }

    pub fn place(&self, value: ValueId) -> ValueId {
        self.places.get(&value).map_or(value, |place| self.place(*place))
    }

    pub fn name(&self, value: ValueId) -> String {
        let place = self.place(value);
        format!("{}{}", if self.counters.contains(&place) { "i" } else { "v" }, place.0)
    }

    fn ty(&self, value: ValueId) -> &'static str {
        match self.kind(value) {
            _ if self.is_counter(value) => "ptrdiff_t",
            Kind::Bool => "int",
            kind => element(kind),
        }
    }

    /// Notes what values are, and which of them count.
    fn define(&mut self, block: &'k [Stmt]) {
        for stmt in block {
            match stmt {
                Stmt::Let(value, expr) => {
                    self.definitions.insert(*value, expr);
                    if let Expr::Linear(form) = expr
                        && form.terms.iter().all(|(term, _)| self.counters.contains(term))
                    {
                        self.counters.insert(*value);
                    }
                }
                Stmt::For(inner) => {
                    self.counters.insert(inner.counter);
                    self.define(&inner.body);
                }
                Stmt::If { then, .. } => self.define(then),
                Stmt::Store { .. } | Stmt::Check { .. } => {}
            }
        }
    }

    fn parameters(&self, signature: &Signature) -> String {
        let mut all = Vec::new();
        for (at, param) in self.kernel.params.iter().enumerate() {
            let is_alone = signature.aliases[at].len() <= 1;
            let restrict = if is_alone { format!(" {}RESTRICT", self.prefix.to_uppercase()) } else { " ".into() };
            let gap = if is_alone { " " } else { "" };
            let constant = if param.written { "" } else { "const " };
            let name = &signature.params[at];
            all.push(format!("{constant}{} *{}{gap}{name}", element(param.kind), restrict.trim_start()));
        }
        all.extend(self.kernel.steps.iter().chain(&self.kernel.piece).map(|step| format!("ptrdiff_t {}", self.name(*step))));
        if all.is_empty() { "void".to_owned() } else { all.join(", ") }
    }

    /// Says of parameters that nothing uses that this is meant so.
    fn unused(&mut self) {
        let mut params = HashSet::new();
        let mut values = HashSet::new();
        used(&self.kernel.body, &mut params, &mut values);
        for (at, name) in self.params.iter().enumerate() {
            if !params.contains(&(at as u32)) {
                self.text.line(format!("(void){name};"));
            }
        }
        for value in self.kernel.steps.iter().chain(&self.kernel.piece) {
            if !values.contains(value) {
                self.text.line(format!("(void){};", self.name(*value)));
            }
        }
    }

    /// Finds the vectors that are used outside of the loop over lanes that computes them, and which of them may
    /// stand in the same place.
    fn find_arrays(&mut self, pieces: &[Piece<'k>]) {
        for piece in pieces {
            match piece {
                Piece::One(Stmt::Let(value, _)) if self.lanes(*value) > 1 => {
                    self.arrays.insert(*value);
                }
                Piece::One(_) | Piece::Lanes(..) | Piece::Part(..) => {}
                Piece::For(inner, body) => {
                    for carry in &inner.carries {
                        if carry.next == carry.current {
                            self.places.insert(carry.current, carry.start);
                            self.places.insert(carry.result, carry.start);
                            continue;
                        }
                        self.places.insert(carry.result, carry.current);
                        if self.lanes(carry.current) > 1 {
                            self.arrays.insert(carry.current);
                        }
                        if let Some(at) = in_place(carry, inner, body) {
                            self.places.insert(at, carry.current);
                        }
                    }
                    self.find_arrays(body);
                }
                Piece::If(_, body) => self.find_arrays(body),
            }
        }
        for (at, piece) in pieces.iter().enumerate() {
            let Piece::Lanes(_, statements) = piece else { continue };
            let defined = statements.iter().filter_map(|stmt| match stmt {
                Stmt::Let(value, _) => Some(*value),
                _ => None,
            });
            let defined: HashSet<ValueId> = defined.collect();
            let others = pieces.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, piece)| piece);
            let mut elsewhere = HashSet::new();
            others.for_each(|piece| used_in(piece, &mut elsewhere));
            self.arrays.extend(defined.intersection(&elsewhere).copied());
        }
        // What goes round a loop is used at its end.
        for piece in pieces {
            if let Piece::For(inner, _) = piece {
                for carry in inner.carries.iter().filter(|carry| carry.next != carry.current) {
                    if self.lanes(carry.next) > 1 && !self.is_everywhere(carry.next) {
                        self.arrays.insert(self.place(carry.next));
                    }
                }
            }
        }
    }

    fn is_everywhere(&self, value: ValueId) -> bool {
        matches!(self.definitions.get(&self.place(value)), Some(Expr::Splat(_) | Expr::Iota(_)))
    }

    fn block(&mut self, pieces: &[Piece<'k>]) -> Result<(), CodeError> {
        for piece in pieces {
            match piece {
                Piece::One(stmt) => self.one(stmt)?,
                Piece::Lanes(lanes, statements) => self.lane_loop(*lanes, statements)?,
                Piece::Part(stmt, lanes) => self.part(stmt, lanes),
                Piece::For(inner, body) => self.for_loop(inner, body)?,
                Piece::If(condition, body) => {
                    let condition = self.value(*condition);
                    self.text.open(format!("if ({condition})"));
                    self.block(body)?;
                    self.text.close();
                }
            }
        }
        Ok(())
    }

    fn one(&mut self, stmt: &Stmt) -> Result<(), CodeError> {
        match stmt {
            Stmt::Let(value, expr) if self.lanes(*value) > 1 => self.spread(*value, expr),
            Stmt::Let(value, expr) => {
                let text = self.expr(*value, expr)?;
                self.define_as(*value, text);
                Ok(())
            }
            Stmt::Store { address, value } => {
                let line = format!("{} = {};", self.access(address, ""), self.stored(*value));
                self.text.line(line);
                Ok(())
            }
            Stmt::For(_) | Stmt::If { .. } | Stmt::Check { .. } => Ok(()),
        }
    }

    /// Gives a value its name, or keeps its expression for the statement that uses it.
    fn define_as(&mut self, value: ValueId, text: String) {
        if self.inlined.contains(&value) {
            let is_whole = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                || is_one(&text, '[', ']')
                || is_one(&text, '(', ')');
            self.expressions.insert(value, if is_whole { text } else { format!("({text})") });
            return;
        }
        let line = format!("const {} {} = {text};", self.ty(value), self.name(value));
        self.text.line(line);
    }

    /// An array out of scalars, or of the half of another one.
    fn spread(&mut self, value: ValueId, expr: &Expr) -> Result<(), CodeError> {
        let lanes = self.lanes(value);
        let parts: Vec<String> = match expr {
            Expr::Pack(parts) => parts.iter().map(|part| self.value(*part)).collect(),
            Expr::Gather(addresses) => addresses.iter().map(|address| self.access(address, "")).collect(),
            Expr::Half(a, upper) if !self.is_everywhere(*a) => {
                let whole = self.name(*a);
                let part = if *upper { format!("{whole} + {lanes}") } else { whole };
                let line = format!("const {} *const {} = {part};", self.ty(value), self.name(value));
                self.text.line(line);
                return Ok(());
            }
            Expr::Half(a, upper) => {
                let first = if *upper { lanes } else { 0 };
                (first..first + lanes).map(|lane| self.lane(*a, lane)).collect()
            }
            _ => return Err(CodeError::internal(format!("C: lanes of {expr:?}"))),
        };
        let line = format!("const {} {}[{lanes}] = {{ {} }};", self.ty(value), self.name(value), parts.join(", "));
        self.text.line(line);
        Ok(())
    }

    fn stored(&self, value: ValueId) -> String {
        let text = self.value(value);
        if self.kind(value) == Kind::Bool { format!("(uint8_t){text}") } else { text }
    }

    fn lane_loop(&mut self, lanes: u8, statements: &[&Stmt]) -> Result<(), CodeError> {
        for stmt in statements {
            if let Stmt::Let(value, _) = stmt
                && self.is_array(*value)
                && self.place(*value) == *value
            {
                let line = format!("{} {}[{lanes}];", self.ty(*value), self.name(*value));
                self.text.line(line);
            }
        }
        self.text.open(format!("for (int l = 0; l < {lanes}; ++l)"));
        for stmt in statements {
            match stmt {
                Stmt::Let(value, expr) => {
                    let text = self.expr(*value, expr)?;
                    match self.is_array(*value) {
                        true => self.text.line(format!("{}[l] = {text};", self.name(*value))),
                        false => self.define_as(*value, text),
                    }
                }
                Stmt::Store { address, value } => {
                    let line = format!("{} = {};", self.access(address, "l"), self.stored(*value));
                    self.text.line(line);
                }
                Stmt::For(_) | Stmt::If { .. } | Stmt::Check { .. } => {}
            }
        }
        self.text.close();
        Ok(())
    }

    /// A store of some lanes of an array.
    fn part(&mut self, stmt: &Stmt, lanes: &Range<i64>) {
        let Stmt::Store { address, value } = stmt else { return };
        let line = format!("{} = {};", self.access(address, "l"), self.stored(*value));
        self.text.line(format!("for (int l = {}; l < {}; ++l) {line}", lanes.start, lanes.end));
    }

    fn for_loop(&mut self, inner: &For, body: &[Piece<'k>]) -> Result<(), CodeError> {
        let moving = || inner.carries.iter().filter(|carry| carry.next != carry.current);
        for carry in moving() {
            self.start(carry);
        }
        let bound = |bound: Bound| match bound {
            Bound::Number(number) => number.to_string(),
            Bound::Value(value) => self.value(value),
        };
        let (from, to, counter) = (bound(inner.from), bound(inner.to), self.name(inner.counter));
        let next = if inner.step == 1 { format!("++{counter}") } else { format!("{counter} += {}", inner.step) };
        self.text.open(format!("for (ptrdiff_t {counter} = {from}; {counter} < {to}; {next})"));
        self.block(body)?;
        let moves: Vec<&Carry> = moving().filter(|carry| self.place(carry.next) != self.place(carry.current)).collect();
        let is_crossed = moves.iter().any(|carry| moves.iter().any(|other| self.place(other.next) == carry.current));
        for carry in &moves {
            let into = if is_crossed { format!("next_{}", self.name(carry.current)) } else { self.name(carry.current) };
            self.assign(&into, carry.current, carry.next, is_crossed);
        }
        for carry in moves.iter().filter(|_| is_crossed) {
            let (name, lanes) = (self.name(carry.current), self.lanes(carry.current));
            match lanes {
                1 => self.text.line(format!("{name} = next_{name};")),
                _ => self.text.line(format!("for (int l = 0; l < {lanes}; ++l) {name}[l] = next_{name}[l];")),
            }
        }
        self.text.close();
        Ok(())
    }

    /// Declares what goes round a loop, with the value that it starts with.
    fn start(&mut self, carry: &Carry) {
        if self.place(carry.current) != carry.current {
            return;
        }
        let name = self.name(carry.current);
        self.assign(&name, carry.current, carry.start, true);
    }

    fn assign(&mut self, into: &str, like: ValueId, value: ValueId, is_new: bool) {
        let (ty, lanes) = (self.ty(like), self.lanes(like));
        if lanes == 1 {
            let declared = if is_new { format!("{ty} ") } else { String::new() };
            let line = format!("{declared}{into} = {};", self.value(value));
            self.text.line(line);
            return;
        }
        if is_new {
            self.text.line(format!("{ty} {into}[{lanes}];"));
        }
        let line = format!("for (int l = 0; l < {lanes}; ++l) {into}[l] = {};", self.value(value));
        self.text.line(line);
    }
}

/// Whether a text is a name with one pair of brackets behind: a call, an element of an array.
fn is_one(text: &str, open: char, close: char) -> bool {
    let Some((name, rest)) = text.split_once(open) else { return false };
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let mut depth = 1;
    let mut characters = rest.chars();
    for character in characters.by_ref() {
        if character == open {
            depth += 1;
        } else if character == close {
            depth -= 1;
        }
        if depth == 0 {
            break;
        }
    }
    is_name && characters.next().is_none()
}

/// The next value of what goes round a loop, if it may take the place of the current one where it is computed:
/// nothing uses the current one afterwards.
fn in_place(carry: &Carry, inner: &For, body: &[Piece<'_>]) -> Option<ValueId> {
    let is_next = |stmt: &&Stmt| matches!(stmt, Stmt::Let(value, _) if *value == carry.next);
    let at = body.iter().position(|piece| match piece {
        Piece::Lanes(_, statements) => statements.iter().any(&is_next),
        _ => false,
    })?;
    let shared = inner.carries.iter().filter(|other| other.next == carry.next || other.next == carry.current);
    if shared.count() > 1 {
        return None;
    }
    let mut later = HashSet::new();
    body[at + 1..].iter().for_each(|piece| used_in(piece, &mut later));
    if let Piece::Lanes(_, statements) = &body[at] {
        let place = statements.iter().position(is_next)?;
        statements[place + 1..].iter().for_each(|stmt| used_by(stmt, &mut later));
    }
    (!later.contains(&carry.current)).then_some(carry.next)
}
