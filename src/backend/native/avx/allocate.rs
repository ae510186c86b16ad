//! Register allocation by linear scan: machine registers for all virtual registers of a kernel. Each has one place for the whole time from
//! its first to its last mention, a register or a slot of the stack. Where there are too few registers, what is
//! used least in inner loops goes without: a constant, most of all, since instructions can read it from memory.
//! (Poletto and Sarkar 1999)

use crate::base::order::PutInOrder;
use super::asm::{Asm, Cond, Vectors};
use super::lir::{Class, Inst, Int, Node, Role, V};
use super::select::Selected;

/// Where a register of the kernel lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Register(u8),
    /// Bytes above the stack pointer.
    Slot(i32),
    /// Read from the pool wherever it is needed.
    Constant(u32),
    /// No instruction mentions the register.
    Nowhere,
}

/// Code in one line, and the place of every register.
pub struct Allocated {
    pub insts: Vec<Inst>,
    pub places: Vec<Place>,
    pub classes: Vec<Class>,
    /// Bytes of the stack.
    pub stack: i32,
}

/// Registers that code may use freely. `rax`, `rdx` and the last three vectors are for moving things to and fro,
/// `rbp` and `rsp` hold the stack.
const GENERAL: [u8; 12] = [1, 6, 7, 8, 9, 10, 11, 3, 12, 13, 14, 15];
const MASKS: [u8; 6] = [1, 2, 3, 4, 5, 6];

/// The first of three vector registers that are not given away.
pub fn first_free_vector(vectors: Vectors) -> u8 {
    match vectors {
        Vectors::Avx2 => 13,
        Vectors::Avx512 => 29,
    }
}

/// Gives every register a place.
pub fn allocate(selected: Selected, asm: &mut Asm) -> Allocated {
    let Selected { code, classes, environment, piece } = selected;
    let mut lines = Lines { asm, insts: Vec::new(), loops: Vec::new(), open: None, around: Vec::new() };
    lines.nodes(code);
    let Lines { mut insts, loops, around, .. } = lines;
    let mut lives = lives(&mut insts, &loops, &around, classes.len());
    for given in [environment, piece] {
        lives[given.0 as usize].start = 0;
    }
    let (places, stack) = scan(&lives, &classes, asm.vectors);
    // A constant without a register needs no instruction.
    insts.retain(|inst| {
        !matches!(inst, Inst::Constant { dst, .. } if !matches!(places[dst.0 as usize], Place::Register(_)))
    });
    Allocated { insts, places, classes, stack }
}

/// Writes loops and branches as jumps.
struct Lines<'a> {
    asm: &'a mut Asm,
    insts: Vec<Inst>,
    loops: Vec<Span>,
    /// The innermost of the loops that are being written.
    open: Option<usize>,
    /// For each instruction, the innermost loop around it.
    around: Vec<Option<usize>>,
}

/// The instructions of a loop.
struct Span {
    first: usize,
    last: usize,
    /// The loop around it, and how many there are with itself.
    parent: Option<usize>,
    depth: i32,
}

impl Lines<'_> {
    fn push(&mut self, inst: Inst) {
        self.insts.push(inst);
        self.around.push(self.open);
    }

    fn nodes(&mut self, nodes: Vec<Node>) {
        for node in nodes {
            match node {
                Node::Inst(inst) => self.push(inst),
                Node::Loop(inner) => {
                    let (head, exit) = (self.asm.label(), self.asm.label());
                    let (counter, to) = (inner.counter, inner.to);
                    if inner.guarded {
                        self.push(Inst::Branch { cond: Cond::AtLeast, a: counter, b: to, label: exit });
                    }
                    let (first, parent) = (self.insts.len(), self.open);
                    let depth = 1 + parent.map_or(0, |parent| self.loops[parent].depth);
                    let number = self.loops.len();
                    self.loops.push(Span { first, last: first, parent, depth });
                    self.open = Some(number);
                    self.push(Inst::Bind(head));
                    self.nodes(inner.body);
                    for (multiple, by) in inner.multiples {
                        self.push(Inst::Advance { dst: multiple, by });
                    }
                    self.push(Inst::Advance { dst: counter, by: inner.step });
                    self.push(Inst::Branch { cond: Cond::Less, a: counter, b: to, label: head });
                    self.loops[number].last = self.insts.len() - 1;
                    self.open = parent;
                    self.push(Inst::Bind(exit));
                }
                Node::If { condition, then } => {
                    let exit = self.asm.label();
                    self.push(Inst::Branch {
                        cond: Cond::Equal,
                        a: condition,
                        b: Int::Number(0),
                        label: exit,
                    });
                    self.nodes(then);
                    self.push(Inst::Bind(exit));
                }
            }
        }
    }
}

/// When a register is in use. Instruction `p` reads at `2 p` and writes at `2 p + 1`.
#[derive(Clone, Copy, Debug)]
struct Live {
    start: usize,
    end: usize,
    /// How often it is mentioned, inner loops counting more.
    weight: f64,
    constant: Option<u32>,
    /// A register whose place would suit it: that of what it is a copy of.
    like: Option<V>,
}

const NEVER: usize = usize::MAX;

fn lives(insts: &mut [Inst], loops: &[Span], around: &[Option<usize>], n: usize) -> Vec<Live> {
    let unused = Live { start: NEVER, end: 0, weight: 0.0, constant: None, like: None };
    let mut lives = vec![unused; n];
    for (at, inst) in insts.iter_mut().enumerate() {
        let innermost = around[at];
        let depth = innermost.map_or(0, |number| loops[number].depth);
        let weight = 8f64.powi(depth.min(12));
        inst.for_each(&mut |value, role| {
            let live = &mut lives[value.0 as usize];
            let (from, to) = match role {
                Role::Read => (2 * at, 2 * at),
                Role::Write => (2 * at + 1, 2 * at + 1),
                Role::EarlyWrite | Role::Both => (2 * at, 2 * at + 1),
            };
            live.start = live.start.min(from);
            live.end = live.end.max(to);
            live.weight += weight;
            // What was there before a loop has to be there in its next round as well.
            let (mut open, start) = (innermost, live.start);
            while let Some(around) = open.map(|around| &loops[around]).filter(|around| 2 * around.first > start) {
                live.end = live.end.max(2 * around.last + 1);
                open = around.parent;
            }
        });
        match inst {
            Inst::Constant { dst, bits } => lives[dst.0 as usize].constant = Some(*bits),
            Inst::Copy { dst, a } | Inst::Move { dst, a } => lives[dst.0 as usize].like = Some(*a),
            Inst::Fma { dst, c: super::lir::Src::Reg(c), .. } => lives[dst.0 as usize].like = Some(*c),
            Inst::Alu { dst, a, .. } | Inst::Multiply { dst, a, .. } => lives[dst.0 as usize].like = Some(*a),
            _ => {}
        }
    }
    lives
}

/// How many registers of each class are used.
#[cfg(not(test))]
fn most_registers() -> usize {
    usize::MAX
}

#[cfg(test)]
pub use scarcity::{most_registers, with_few_registers};

/// Registers and slots of one class.
struct Pool {
    free: Vec<u8>,
    active: Vec<usize>,
    bytes: i32,
}

fn scan(lives: &[Live], classes: &[Class], vectors: Vectors) -> (Vec<Place>, i32) {
    let mut places = vec![Place::Nowhere; lives.len()];
    let width = if vectors == Vectors::Avx512 { 64 } else { 32 };
    let pool = |registers: Vec<u8>, bytes: i32| Pool {
        free: registers.into_iter().take(most_registers()).rev().collect(),
        active: Vec::new(),
        bytes,
    };
    let mut pools = [
        pool(GENERAL.to_vec(), 8),
        pool((0..first_free_vector(vectors)).collect(), width),
        pool(MASKS.to_vec(), 8),
    ];
    let number = |class: Class| match class {
        Class::General => 0,
        Class::Vector => 1,
        Class::Mask => 2,
    };
    let mut order: Vec<usize> = (0..lives.len()).filter(|at| lives[*at].start != NEVER).collect();
    order.put_in_order_by_key(|at| (lives[*at].start, *at));
    let mut stack = 0;
    for at in order {
        let live = lives[at];
        let pool = &mut pools[number(classes[at])];
        pool.expire(live.start, lives, &places);
        if let Some(register) = pool.take(live.like.map(|like| places[like.0 as usize])) {
            places[at] = Place::Register(register);
            pool.active.push(at);
            continue;
        }
        let cost = |at: &usize| {
            let live = &lives[*at];
            let cheap = if live.constant.is_some() { 0.05 } else { 1.0 };
            cheap * live.weight / (live.end - live.start + 8) as f64
        };
        let cheapest = pool.active.iter().copied().min_by(|a, b| cost(a).total_cmp(&cost(b)));
        let loser = match cheapest {
            Some(other) if cost(&other) < cost(&at) => {
                places[at] = places[other];
                pool.active.retain(|value| *value != other);
                pool.active.push(at);
                other
            }
            _ => at,
        };
        places[loser] = match lives[loser].constant {
            Some(bits) => Place::Constant(bits),
            None => Place::Slot(pool.slot(&mut stack)),
        };
    }
    (places, (stack + 63) & !63)
}

impl Pool {
    /// Gives back what is not in use any more when `now` comes.
    fn expire(&mut self, now: usize, lives: &[Live], places: &[Place]) {
        let free = &mut self.free;
        self.active.retain(|at| {
            let over = lives[*at].end < now;
            if let (true, Place::Register(register)) = (over, places[*at]) {
                free.push(register);
            }
            !over
        });
    }

    /// A free register: the one that suits, if it is free.
    fn take(&mut self, suits: Option<Place>) -> Option<u8> {
        if let Some(Place::Register(register)) = suits
            && let Some(at) = self.free.iter().position(|free| *free == register)
        {
            return Some(self.free.remove(at));
        }
        self.free.pop()
    }

    /// Spill slots are never reused: a value that is spilled in the middle of its life has had its slot since its
    /// definition.
    fn slot(&self, stack: &mut i32) -> i32 {
        *stack = (*stack + self.bytes - 1) / self.bytes * self.bytes + self.bytes;
        *stack - self.bytes
    }
}

/// Tests make do with few registers, so that most values live on the stack.
#[cfg(test)]
mod scarcity {
    use std::cell::Cell;

    thread_local! {
        static MOST: Cell<usize> = const { Cell::new(usize::MAX) };
    }

    pub fn most_registers() -> usize {
        MOST.get()
    }

    /// Carries out `body` with at most `registers` of each class for code that this thread makes.
    pub fn with_few_registers<R>(registers: usize, body: impl FnOnce() -> R) -> R {
        let before = MOST.replace(registers);
        let result = body();
        MOST.set(before);
        result
    }
}
