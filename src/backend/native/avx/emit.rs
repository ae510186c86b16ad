//! Instruction encoding: writes instructions whose registers have places as machine code.
//!
//! What lives on the stack is brought into one of the registers that are not given away, unless the instruction
//! can read memory itself.

mod general;
mod masks;
mod vector;

use super::allocate::{Allocated, Place, first_free_vector};
use super::asm::{Asm, Extra, Label, Len, Place as Address, Rm, Vectors, ops};
use super::lir::{Class, Inst, Mem, Src, V};
use crate::backend::CodeError;
use std::cell::Cell;

pub const RAX: u8 = 0;
pub const RDX: u8 = 2;
const RSP: u8 = 4;
const RBP: u8 = 5;
const RSI: u8 = 6;
const RDI: u8 = 7;
/// The callee-saved registers, beside `rbp`: a function leaves them as it found them.
const SAVED: [u8; 5] = [3, 12, 13, 14, 15];

/// A function `(environment, piece)`.
///
/// # Errors
/// If an instruction reads a register that has no place: a mistake of the allocation.
pub fn emit(allocated: &Allocated, mut asm: Asm, environment: V, piece: V) -> Result<Asm, CodeError> {
    let uses = |register: &u8| {
        // A mask or vector of the same number saves one more register than needed, no harm.
        allocated.places.contains(&Place::Register(*register))
    };
    let saved: Vec<u8> = SAVED.into_iter().filter(uses).collect();
    asm.push(RBP);
    asm.mov(RBP, Rm::Reg(RSP));
    saved.iter().for_each(|register| asm.push(*register));
    if allocated.stack > 0 {
        asm.alu_imm(super::asm::Alu::Sub, true, RSP, allocated.stack);
        asm.alu_imm(super::asm::Alu::And, true, RSP, -64);
    }
    asm.mov(RAX, Rm::Reg(RDI));
    asm.mov(RDX, Rm::Reg(RSI));
    let exit = asm.label();
    let mut emit =
        Emit { first_free: first_free_vector(asm.vectors), asm, allocated, exit, lost: Cell::new(None) };
    emit.put_general(environment, RAX);
    emit.put_general(piece, RDX);
    for inst in &allocated.insts {
        emit.inst(inst);
    }
    if let Some(V(register)) = emit.lost.get() {
        return Err(CodeError::internal(format!("wide code: register {register} is read, but has no place")));
    }
    let mut asm = emit.asm;
    if allocated.insts.iter().any(|inst| matches!(inst, Inst::Check { .. })) {
        asm.bind(exit);
    }
    let below = saved.len() as i32 * 8;
    asm.lea(RSP, Address { base: RBP, index: None, disp: -below });
    saved.iter().rev().for_each(|register| asm.pop(*register));
    asm.pop(RBP);
    asm.leave();
    Ok(asm)
}

struct Emit<'a> {
    asm: Asm,
    allocated: &'a Allocated,
    /// The first of the vector registers for moving things to and fro.
    first_free: u8,
    /// The end of the function.
    exit: Label,
    /// A register that is read but has no place of its kind.
    lost: Cell<Option<V>>,
}

impl Emit<'_> {
    fn place(&self, value: V) -> Place {
        self.allocated.places[value.0 as usize]
    }

    /// Notes that there will be no code, since a value cannot be read; any register goes on for now.
    fn lost(&self, value: V, any: u8) -> u8 {
        self.lost.set(Some(value));
        any
    }

    fn is_mask(&self, value: V) -> bool {
        self.allocated.classes[value.0 as usize] == Class::Mask
    }

    fn slot(slot: i32) -> Rm {
        Rm::Memory(Address { base: RSP, index: None, disp: slot })
    }

    /// The register of an int, or `through` with its value.
    fn general(&mut self, value: V, through: u8) -> u8 {
        match self.place(value) {
            Place::Register(register) => register,
            Place::Slot(slot) => {
                self.asm.mov(through, Self::slot(slot));
                through
            }
            Place::Constant(_) | Place::Nowhere => self.lost(value, through),
        }
    }

    /// The register into which an int is to be computed: `through` if it lives on the stack.
    fn target(&self, value: V, through: u8) -> u8 {
        if let Place::Register(register) = self.place(value) { register } else { through }
    }

    /// Brings the int in `register` to its place.
    fn put_general(&mut self, value: V, register: u8) {
        match self.place(value) {
            Place::Register(place) => self.asm.mov(place, Rm::Reg(register)),
            Place::Slot(slot) => {
                self.asm.store(8, register, Address { base: RSP, index: None, disp: slot });
            }
            Place::Constant(_) | Place::Nowhere => {}
        }
    }

    /// An address in machine registers; may use both general ones that are free.
    fn address(&mut self, mem: &Mem) -> Address {
        let base = self.general(mem.base, RAX);
        let index = mem.index.map(|(index, scale)| (self.general(index, RDX), scale));
        Address { base, index, disp: mem.disp }
    }

    /// As [`Emit::address`], with `rdx` free afterwards.
    fn short_address(&mut self, mem: &Mem) -> Address {
        let address = self.address(mem);
        if address.index.is_none_or(|(index, _)| index != RDX) {
            return address;
        }
        self.asm.lea(RAX, address);
        Address { base: RAX, index: None, disp: 0 }
    }

    fn widest(&self) -> Len {
        if self.asm.vectors == Vectors::Avx512 { Len::L16 } else { Len::L8 }
    }

    /// One of the three free vector registers.
    fn free(&self, which: u8) -> u8 {
        self.first_free + which
    }

    /// Four bytes for all lanes as an operand, and whether they are to be spread.
    fn pool(&mut self, bits: u32, len: Len) -> (Rm, bool) {
        let spread = self.asm.vectors == Vectors::Avx512 && len != Len::One;
        let copies = if spread || len == Len::One { 1 } else { len.lanes() };
        let bytes: Vec<u8> = bits.to_le_bytes().repeat(copies);
        (self.asm.constant(&bytes), spread)
    }

    /// Loads four bytes into all lanes of the widest vector.
    fn fill(&mut self, register: u8, bits: u32) {
        if bits == 0 {
            self.asm.vector(&ops::XOR, Len::L4, register, register, Rm::Reg(register), Extra::default());
            return;
        }
        let one = self.asm.constant(&bits.to_le_bytes());
        let extra = Extra { unit: 4, ..Extra::default() };
        self.asm.vector(&ops::SPREAD, self.widest(), register, 0, one, extra);
    }

    /// The register of a vector, or `through` with its value.
    fn vector(&mut self, value: V, through: u8) -> u8 {
        match self.place(value) {
            Place::Register(register) => return register,
            Place::Slot(slot) => self.load_vector(self.widest(), through, Self::slot(slot)),
            Place::Constant(bits) => self.fill(through, bits),
            Place::Nowhere => return self.lost(value, through),
        }
        through
    }

    fn load_vector(&mut self, len: Len, register: u8, from: Rm) {
        self.asm.vector(ops::LOAD.of(len), len, register, 0, from, Extra::default());
    }

    fn store_vector(&mut self, len: Len, register: u8, to: Rm) {
        self.asm.vector(ops::STORE.of(len), len, register, 0, to, Extra::default());
    }

    fn move_vector(&mut self, dst: u8, from: u8) {
        if dst != from {
            let widest = self.widest();
            self.asm.vector(&ops::MOVE, widest, dst, 0, Rm::Reg(from), Extra::default());
        }
    }

    /// An operand that may be memory, and whether its four bytes are to be spread.
    fn operand(&mut self, src: Src, len: Len) -> (Rm, bool) {
        match src {
            Src::Const(bits) => self.pool(bits, len),
            Src::Reg(value) => match self.place(value) {
                Place::Register(register) => (Rm::Reg(register), false),
                Place::Slot(slot) => (Self::slot(slot), false),
                Place::Constant(bits) => self.pool(bits, len),
                Place::Nowhere => (Rm::Reg(self.lost(value, 0)), false),
            },
        }
    }

    /// An operand that has to be a register.
    fn source(&mut self, src: Src, through: u8) -> u8 {
        match src {
            Src::Reg(value) => self.vector(value, through),
            Src::Const(bits) => {
                self.fill(through, bits);
                through
            }
        }
    }

    /// Brings what was computed in `register` to its place.
    fn put_vector(&mut self, value: V, register: u8) {
        match self.place(value) {
            Place::Register(place) => self.move_vector(place, register),
            Place::Slot(slot) => self.store_vector(self.widest(), register, Self::slot(slot)),
            Place::Constant(_) | Place::Nowhere => {}
        }
    }

    fn inst(&mut self, inst: &Inst) {
        if !self.general_inst(inst) {
            self.vector_inst(inst);
        }
    }
}
