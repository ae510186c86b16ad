//! Code as text, in Intel's notation. The assembler writes it down beside the bytes when it is asked to: the text is
//! what runs, without a disassembler.

use crate::base::order::PutInOrder;
use super::ops::{Bank, Op, Operand};
use super::{Alu, Asm, Cond, Extra, Label, Len, Place, Rm, Vectors};
use std::collections::{HashMap, HashSet};

/// An operand as it is printed.
#[derive(Clone, Copy)]
pub enum Arg {
    /// A register, and how many bytes of it.
    General(u8, u8),
    Vector(u8, Len),
    Mask(u8),
    Memory(Place),
    /// A byte of memory, where no register says that it is one.
    Byte(Place),
    /// A constant behind the code.
    Pool(usize),
    Number(i64),
    Label(Label),
}

enum Line {
    Label(Label),
    Inst(Inst),
}

#[derive(Default)]
struct Inst {
    name: String,
    args: Vec<Arg>,
    /// The mask register that says which lanes are written.
    mask: u8,
    /// To how many lanes the element in memory is given.
    spread: usize,
}

/// What has been written down so far.
#[derive(Default)]
pub struct Listing {
    lines: Vec<Line>,
}

impl Asm {
    /// Code that is written down as text, too.
    pub fn listed(vectors: Vectors) -> Asm {
        Asm { listing: Some(Listing::default()), ..Asm::new(vectors) }
    }

    pub(super) fn say_label(&mut self, label: Label) {
        if let Some(listing) = &mut self.listing {
            listing.lines.push(Line::Label(label));
        }
    }

    pub(super) fn say(&mut self, name: &str, args: &[Arg]) {
        if let Some(listing) = &mut self.listing {
            let inst = Inst { name: name.to_owned(), args: args.to_vec(), ..Inst::default() };
            listing.lines.push(Line::Inst(inst));
        }
    }

    /// An instruction whose name ends with a condition.
    pub(super) fn say_if(&mut self, name: &str, cond: Cond, args: &[Arg]) {
        if self.listing.is_some() {
            self.say(&format!("{name}{}", cond.name()), args);
        }
    }

    pub(super) fn say_vector(&mut self, op: &Op, evex: bool, len: Len, fields: (u8, u8, Rm), extra: Extra) {
        let Some(listing) = &mut self.listing else { return };
        let (reg, first, rm) = fields;
        let mut imm = extra.imm;
        let mut args = Vec::with_capacity(4);
        for operand in op.operands {
            args.push(match operand {
                Operand::Reg(bank) => bank.register(reg, len, op.wide),
                Operand::First(bank) => bank.register(first, len, op.wide),
                Operand::Rm(bank) => match rm {
                    Rm::Reg(register) => bank.register(register, len, op.wide),
                    Rm::Memory(place) => Arg::Memory(place),
                    Rm::Pool(constant) => Arg::Pool(constant),
                },
                Operand::Fourth => Arg::Vector(imm.take().unwrap_or_default() >> 4, len),
            });
        }
        args.extend(imm.map(|imm| Arg::Number(imm.into())));
        // A single lane is the first of 128 bits.
        let spread = if extra.broadcast { len.max(Len::L4).lanes() } else { 0 };
        let name = op.names[usize::from(evex)].to_owned();
        listing.lines.push(Line::Inst(Inst { name, args, mask: extra.mask, spread }));
    }

    /// The text: instructions with the labels that are jumped to, then the constants.
    pub fn text(&self) -> String {
        let lines = self.listing.as_ref().map_or(&[][..], |listing| &listing.lines);
        let goals: HashSet<Label> = self.jumps.iter().map(|(_, label)| *label).collect();
        let mut constants: Vec<(usize, &[u8])> =
            self.known.iter().map(|(bytes, at)| (*at, bytes.as_slice())).collect();
        constants.put_in_order();
        let bound = lines.iter().filter_map(|line| match line {
            Line::Label(label) if goals.contains(label) => Some(*label),
            _ => None,
        });
        let names = Names {
            labels: bound.zip(1..).collect(),
            constants: constants.iter().map(|(at, _)| *at).zip(1..).collect(),
        };
        let mut text = String::new();
        for line in lines {
            match line {
                Line::Inst(inst) => text.push_str(&format!("    {}\n", names.inst(inst))),
                Line::Label(label) => {
                    let number = names.labels.get(label);
                    text.push_str(&number.map_or(String::new(), |number| format!("L{number}:\n")));
                }
            }
        }
        for ((_, bytes), number) in constants.iter().zip(1..) {
            text.push_str(&format!("C{number}: {}\n", numbers(bytes)));
        }
        text
    }
}

/// Labels and constants by their order.
struct Names {
    labels: HashMap<Label, usize>,
    constants: HashMap<usize, usize>,
}

impl Names {
    fn inst(&self, inst: &Inst) -> String {
        let mut args: Vec<String> = inst.args.iter().map(|arg| self.arg(*arg)).collect();
        if inst.mask != 0 {
            args[0].push_str(&format!("{{k{}}}", inst.mask));
        }
        for (text, arg) in args.iter_mut().zip(&inst.args) {
            if inst.spread > 1 && matches!(arg, Arg::Memory(_) | Arg::Pool(_)) {
                text.push_str(&format!("{{1to{}}}", inst.spread));
            }
        }
        format!("{} {}", inst.name, args.join(", ")).trim_end().to_owned()
    }

    fn arg(&self, arg: Arg) -> String {
        let number_of = |number: Option<&usize>| number.copied().unwrap_or_default();
        match arg {
            Arg::General(register, bytes) => general(register, bytes),
            Arg::Vector(register, len) => {
                let letter = match len {
                    Len::One | Len::L4 => 'x',
                    Len::L8 => 'y',
                    Len::L16 => 'z',
                };
                format!("{letter}mm{register}")
            }
            Arg::Mask(register) => format!("k{register}"),
            Arg::Memory(place) => memory(place),
            Arg::Byte(place) => format!("byte ptr {}", memory(place)),
            Arg::Pool(constant) => format!("[C{}]", number_of(self.constants.get(&constant))),
            Arg::Number(number) => number.to_string(),
            Arg::Label(label) => format!("L{}", number_of(self.labels.get(&label))),
        }
    }
}

impl Bank {
    fn register(self, number: u8, len: Len, wide: bool) -> Arg {
        match self {
            Bank::Vector => Arg::Vector(number, len),
            Bank::Half => Arg::Vector(number, if len == Len::L16 { Len::L8 } else { Len::L4 }),
            Bank::Single => Arg::Vector(number, Len::One),
            Bank::Mask => Arg::Mask(number),
            Bank::General => Arg::General(number, if wide { 8 } else { 4 }),
        }
    }
}

impl Cond {
    fn name(self) -> &'static str {
        match self {
            Cond::Below => "b",
            Cond::NotBelow => "ae",
            Cond::Equal => "e",
            Cond::NotEqual => "ne",
            Cond::Less => "l",
            Cond::AtLeast => "ge",
            Cond::AtMost => "le",
            Cond::Greater => "g",
        }
    }
}

impl Alu {
    pub(super) fn name(self) -> &'static str {
        match self {
            Alu::Add => "add",
            Alu::Or => "or",
            Alu::And => "and",
            Alu::Sub => "sub",
            Alu::Xor => "xor",
            Alu::Cmp => "cmp",
        }
    }
}

impl Rm {
    /// Of an instruction of the general registers.
    pub(super) fn arg(self, bytes: u8) -> Arg {
        match self {
            Rm::Reg(register) => Arg::General(register, bytes),
            Rm::Memory(place) if bytes == 1 => Arg::Byte(place),
            Rm::Memory(place) => Arg::Memory(place),
            Rm::Pool(constant) => Arg::Pool(constant),
        }
    }
}

fn general(register: u8, bytes: u8) -> String {
    const NAMES: [&str; 8] = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
    match (NAMES.get(usize::from(register)), bytes) {
        (Some(name), 8) => format!("r{name}"),
        (Some(name), 4) => format!("e{name}"),
        (Some(name), _) if register < 4 => format!("{}l", &name[..1]),
        (Some(name), _) => format!("{name}l"),
        (None, 8) => format!("r{register}"),
        (None, 4) => format!("r{register}d"),
        (None, _) => format!("r{register}b"),
    }
}

fn memory(place: Place) -> String {
    let mut text = format!("[{}", general(place.base, 8));
    match place.index {
        Some((index, 0)) => text.push_str(&format!("+{}", general(index, 8))),
        Some((index, scale)) => text.push_str(&format!("+{}*{}", general(index, 8), 1 << scale)),
        None => {}
    }
    if place.disp != 0 {
        text.push_str(&format!("{:+}", place.disp));
    }
    text + "]"
}

/// Four bytes each; of one number, what it is as a float, or else as an int.
fn numbers(bytes: &[u8]) -> String {
    let words: Vec<u32> =
        bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect();
    let all: Vec<String> = words.iter().map(|word| format!("{word:#010x}")).collect();
    match words.as_slice() {
        [one, others @ ..] if others.iter().all(|word| word == one) => {
            let float = f32::from_bits(*one);
            let is_float = float.is_normal() || float == 0.0 || float.is_infinite();
            let value = if is_float { format!("{float:?}") } else { (*one as i32).to_string() };
            let times = if others.is_empty() { String::new() } else { format!(" * {}", words.len()) };
            format!("{}{times}  ; {value}", all[0])
        }
        _ => all.join(", "),
    }
}
