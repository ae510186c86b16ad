//! Selection of addresses, with strength reduction. What addresses have in common at each depth of the loops is
//! computed there once: a pointer to a row before the loop over the row, so that the innermost access is `[pointer + counter · scale + number]`.

use super::Select;
use crate::backend::native::avx::asm::Alu;
use crate::backend::native::avx::lir::{Class, Inst, Int, Mem, V};
use crate::loops::{Address, ValueId};

impl Select<'_> {
    /// Where an access is.
    pub(super) fn address(&mut self, address: &Address) -> Mem {
        let bytes = self.kernel.params[address.param as usize].kind.bytes();
        let level = self.opens.len() - 1;
        let mut terms: Vec<(ValueId, i64)> =
            address.index.terms.iter().map(|(id, factor)| (*id, factor * bytes)).collect();
        let mut constant = address.index.constant * bytes;
        terms.retain(|(id, factor)| match self.numbers[id.0 as usize] {
            Some(number) => {
                constant += number * factor;
                false
            }
            None => true,
        });
        // One term of this block goes into the instruction itself.
        let place = terms.iter().position(|(id, factor)| {
            self.levels[id.0 as usize] == level
                && (matches!(factor, 1 | 2 | 4 | 8) || self.opens[level].counter == Some(*id))
        });
        let index = place.map(|at| terms.remove(at)).map(|(id, factor)| self.scaled(level, id, factor));
        let mut base = self.pointer(address.param, terms);
        let disp = i32::try_from(constant).unwrap_or_else(|_| {
            let (far, sum) = (self.fresh(Class::General), self.fresh(Class::General));
            self.push(Inst::Number { dst: far, value: constant });
            self.push(Inst::Alu { op: Alu::Add, wide: true, dst: sum, a: base, b: Int::Reg(far) });
            base = sum;
            0
        });
        Mem { base, index, disp }
    }

    /// `id · factor` of a value of block `level` as an index register and its scale.
    fn scaled(&mut self, level: usize, id: ValueId, factor: i64) -> (V, u8) {
        let value = self.value(id);
        if matches!(factor, 1 | 2 | 4 | 8) {
            return (value, factor.trailing_zeros() as u8);
        }
        if self.opens[level].counter == Some(id) {
            let known = self.opens[level].multiples.iter().find(|(known_factor, _)| *known_factor == factor).copied();
            if let Some((_, multiple)) = known {
                return (multiple, 0);
            }
            let multiple = self.fresh(Class::General);
            self.opens[level].multiples.push((factor, multiple));
            return (multiple, 0);
        }
        let product = self.fresh(Class::General);
        match i32::try_from(factor) {
            Ok(factor) => {
                let b = Int::Number(factor);
                self.push_at(level, Inst::Multiply { wide: true, dst: product, a: value, b });
            }
            Err(_) => {
                let far = self.fresh(Class::General);
                self.push_at(level, Inst::Number { dst: far, value: factor });
                let b = Int::Reg(far);
                self.push_at(level, Inst::Multiply { wide: true, dst: product, a: value, b });
            }
        }
        (product, 0)
    }

    /// `param + Σ value · bytes`, computed in the outermost block that can.
    fn pointer(&mut self, param: u32, terms: Vec<(ValueId, i64)>) -> V {
        let level = terms.iter().map(|(id, _)| self.levels[id.0 as usize]).max();
        let Some(level) = level else { return self.params[param as usize] };
        let key = (param, terms);
        if let Some(known) = self.opens[level].pointers.get(&key) {
            return *known;
        }
        let (here, outer): (Vec<_>, Vec<_>) =
            key.1.iter().copied().partition(|(id, _)| self.levels[id.0 as usize] == level);
        let mut base = self.pointer(param, outer);
        for (id, factor) in here {
            let index = Some(self.scaled(level, id, factor));
            let dst = self.fresh(Class::General);
            self.push_at(level, Inst::Address { dst, of: Mem { base, index, disp: 0 } });
            base = dst;
        }
        self.opens[level].pointers.insert(key, base);
        base
    }
}
