//! What holds of the instructions of a wide kernel before registers are given to them:
//!
//! 1. Every register has a class.
//! 2. A register is read only after it was written on every way to that place: what is written in a loop or a
//!    branch counts within it only.
//! 3. Operands and results are of the classes that their instruction works on.
//! 4. Vectors are no longer than the processor's; a half, a lane and a shift exist in vectors of that length.
//! 5. The step of a loop is positive.
//!
//! and what holds of places is listed in [`places`].

mod places;

pub use places::verify as verify_places;

use super::asm::{Len, Vectors};
use super::lir::{Class, Inst, Int, Mem, Node, Role, Src, V};
use super::select::Selected;
use crate::backend::CodeError;

/// Checks what was selected.
///
/// # Errors
/// The first rule that is broken.
pub fn verify(selected: &Selected, vectors: Vectors) -> Result<(), CodeError> {
    let mut checker =
        Checker { classes: &selected.classes, vectors, written: vec![false; selected.classes.len()] };
    for given in [selected.environment, selected.piece] {
        checker.class(given, Class::General, "what the caller gives")?;
        checker.written[given.0 as usize] = true;
    }
    checker.block(&selected.code)
}

struct Checker<'s> {
    classes: &'s [Class],
    vectors: Vectors,
    /// Whether each register was written on every way to here.
    written: Vec<bool>,
}

/// What an instruction wants a register to be.
#[derive(Clone, Copy)]
enum Wanted {
    General,
    Vector,
    /// A vector of bools: whatever the processor has for that.
    Bools,
    /// Lanes of floats, ints or bools.
    Lanes,
}

fn fail<T>(what: impl std::fmt::Display) -> Result<T, CodeError> {
    Err(CodeError::internal(format!("wide code: {what}")))
}

impl Checker<'_> {
    fn block(&mut self, nodes: &[Node]) -> Result<(), CodeError> {
        for node in nodes {
            match node {
                Node::Inst(inst) => self.inst(inst)?,
                Node::If { condition, then } => {
                    self.read(*condition, "a condition")?;
                    self.class(*condition, Class::General, "a condition")?;
                    self.within(then)?;
                }
                Node::Loop(inner) => {
                    if inner.step <= 0 {
                        return fail(format!("a loop of step {}", inner.step));
                    }
                    let multiples = inner.multiples.iter().map(|(multiple, _)| *multiple);
                    let end = if let Int::Reg(to) = inner.to { Some(to) } else { None };
                    for register in multiples.chain([inner.counter]).chain(end) {
                        self.read(register, "a loop")?;
                        self.class(register, Class::General, "a loop")?;
                    }
                    self.within(&inner.body)?;
                }
            }
        }
        Ok(())
    }

    /// A block that may not be carried out, or several times: what it writes counts within it only.
    fn within(&mut self, nodes: &[Node]) -> Result<(), CodeError> {
        let before = self.written.clone();
        self.block(nodes)?;
        self.written = before;
        Ok(())
    }

    fn class(&self, register: V, class: Class, by: &str) -> Result<(), CodeError> {
        match self.classes.get(register.0 as usize) {
            None => fail(format!("register {} of {by} has no class", register.0)),
            Some(found) if *found != class => {
                fail(format!("register {} of {by} is {found:?}, not {class:?}", register.0))
            }
            Some(_) => Ok(()),
        }
    }

    fn read(&self, register: V, by: &str) -> Result<(), CodeError> {
        match self.written.get(register.0 as usize) {
            Some(true) => Ok(()),
            Some(false) | None => {
                fail(format!("register {} is read by {by} before it is written", register.0))
            }
        }
    }

    fn inst(&mut self, inst: &Inst) -> Result<(), CodeError> {
        self.lengths(inst)?;
        self.operands(inst)?;
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        inst.clone().for_each(&mut |register, role| match role {
            Role::Read => reads.push(*register),
            Role::Write | Role::EarlyWrite => writes.push(*register),
            Role::Both => {
                reads.push(*register);
                writes.push(*register);
            }
        });
        for register in reads {
            if self.read(register, "").is_err() {
                return fail(format!("register {} is read before it is written by {inst:?}", register.0));
            }
        }
        for register in writes {
            match self.written.get_mut(register.0 as usize) {
                Some(written) => *written = true,
                None => return fail(format!("register {} of {inst:?} has no class", register.0)),
            }
        }
        Ok(())
    }

    /// Rule 3.
    fn operands(&self, inst: &Inst) -> Result<(), CodeError> {
        let mut wrong = None;
        classes(inst, &mut |register, wanted| {
            let bools = if self.vectors == Vectors::Avx512 { Class::Mask } else { Class::Vector };
            let found = self.classes.get(register.0 as usize).copied();
            let fits = match wanted {
                Wanted::General => found == Some(Class::General),
                Wanted::Vector => found == Some(Class::Vector),
                Wanted::Bools => found == Some(bools),
                Wanted::Lanes => found == Some(Class::Vector) || found == Some(Class::Mask),
            };
            if !fits {
                wrong.get_or_insert((register, found));
            }
        });
        match wrong {
            Some((register, found)) => {
                fail(format!("register {} is {found:?}, which {inst:?} does not take", register.0))
            }
            None => Ok(()),
        }
    }

    /// Rule 4.
    fn lengths(&self, inst: &Inst) -> Result<(), CodeError> {
        let (len, least) = match inst {
            Inst::Binary { len, .. } | Inst::Unary { len, .. } | Inst::Fma { len, .. } => (*len, Len::One),
            Inst::Shift { len, by, .. } if *by < 32 => (*len, Len::One),
            Inst::Load { len, .. } | Inst::Store { len, .. } => (*len, Len::One),
            Inst::Compare { len, .. } | Inst::Blend { len, .. } | Inst::Masks { len, .. } => (*len, Len::One),
            Inst::SplatMask { len, .. } | Inst::LoadMask { len, .. } | Inst::StoreMask { len, .. } => {
                (*len, Len::L4)
            }
            Inst::Splat { len, .. } | Inst::SplatInt { len, .. } | Inst::SplatLoad { len, .. } => {
                (*len, Len::L4)
            }
            Inst::Iota { len, .. } | Inst::Half { len, .. } => (*len, Len::L4),
            Inst::Join { len, .. } => (*len, Len::L8),
            Inst::Lane { lane, .. } | Inst::Insert { lane, .. } | Inst::InsertLoad { lane, .. }
                if *lane < 4 =>
            {
                return Ok(());
            }
            Inst::ExtractMask { lane, .. } if *lane < 16 => return Ok(()),
            Inst::Shift { .. }
            | Inst::Lane { .. }
            | Inst::Insert { .. }
            | Inst::InsertLoad { .. }
            | Inst::ExtractMask { .. } => return fail(format!("{inst:?}: there is no such lane or shift")),
            Inst::LoadInt { bytes, .. } | Inst::StoreInt { bytes, .. } => {
                let known = matches!(bytes, 1 | 4 | 8);
                return if known { Ok(()) } else { fail(format!("{inst:?}: an int of {bytes} bytes")) };
            }
            _ => return Ok(()),
        };
        let most = if self.vectors == Vectors::Avx512 { Len::L16 } else { Len::L8 };
        if len < least || len > most {
            return fail(format!("{inst:?}: no vectors of {} lanes", len.lanes()));
        }
        Ok(())
    }
}

/// Calls `visit` with every register and what it has to be.
fn classes(inst: &Inst, visit: &mut dyn FnMut(V, Wanted)) {
    use Wanted::{Bools, General, Lanes, Vector};
    let src = |operand: &Src, visit: &mut dyn FnMut(V, Wanted)| {
        if let Src::Reg(operand) = operand {
            visit(*operand, Vector);
        }
    };
    let int = |operand: &Int, visit: &mut dyn FnMut(V, Wanted)| {
        if let Int::Reg(operand) = operand {
            visit(*operand, General);
        }
    };
    let mem = |operand: &Mem, visit: &mut dyn FnMut(V, Wanted)| {
        visit(operand.base, General);
        if let Some((index, _)) = operand.index {
            visit(index, General);
        }
    };
    let all = |them: &[V], wanted: Wanted, visit: &mut dyn FnMut(V, Wanted)| {
        them.iter().for_each(|operand| visit(*operand, wanted));
    };
    match inst {
        Inst::Binary { dst, a, b, .. } => {
            all(&[*dst, *a], Vector, visit);
            src(b, visit);
        }
        Inst::Unary { dst, a, .. } => {
            visit(*dst, Vector);
            src(a, visit);
        }
        Inst::Fma { dst, a, b, c, .. } => {
            visit(*dst, Vector);
            [a, b, c].into_iter().for_each(|operand| src(operand, visit));
        }
        Inst::Compare { dst, a, b, .. } => {
            visit(*dst, Bools);
            visit(*a, Vector);
            src(b, visit);
        }
        Inst::Blend { dst, mask, then, otherwise, .. } => {
            all(&[*dst, *otherwise], Vector, visit);
            visit(*mask, Bools);
            src(then, visit);
        }
        Inst::Masks { dst, a, b, .. } => all(&[*dst, *a, *b], Bools, visit),
        Inst::SplatMask { dst, a, .. } => {
            visit(*dst, Bools);
            visit(*a, General);
        }
        Inst::ExtractMask { dst, a, .. } => {
            visit(*dst, General);
            visit(*a, Bools);
        }
        Inst::Load { dst, from, .. }
        | Inst::SplatLoad { dst, from, .. }
        | Inst::InsertLoad { dst, from, .. } => {
            visit(*dst, Vector);
            mem(from, visit);
        }
        Inst::Store { from, to, .. } => {
            visit(*from, Vector);
            mem(to, visit);
        }
        Inst::LoadMask { dst, from: at, .. } | Inst::StoreMask { from: dst, to: at, .. } => {
            visit(*dst, Bools);
            mem(at, visit);
        }
        Inst::Shift { dst, a, .. } | Inst::Splat { dst, a, .. } | Inst::Lane { dst, a, .. } => {
            all(&[*dst, *a], Vector, visit);
        }
        Inst::Insert { dst, a, .. } => all(&[*dst, *a], Vector, visit),
        Inst::Copy { dst, a } => all(&[*dst, *a], Lanes, visit),
        Inst::Half { dst, a, .. } => all(&[*dst, *a], Lanes, visit),
        Inst::Join { dst, lower, upper, .. } => all(&[*dst, *lower, *upper], Lanes, visit),
        Inst::SplatInt { dst, a, .. } | Inst::FromInt { dst, a } | Inst::Convert { dst, a } => {
            visit(*dst, Vector);
            visit(*a, General);
        }
        Inst::ToInt { dst, a } => {
            visit(*dst, General);
            visit(*a, Vector);
        }
        Inst::Constant { dst, .. } | Inst::Set { dst, .. } | Inst::Iota { dst, .. } => visit(*dst, Vector),
        Inst::Number { dst, .. } | Inst::Advance { dst, .. } => visit(*dst, General),
        Inst::Move { dst, a } | Inst::Negate { dst, a, .. } | Inst::Extend { dst, a } => {
            all(&[*dst, *a], General, visit);
        }
        Inst::Alu { dst, a, b, .. }
        | Inst::Multiply { dst, a, b, .. }
        | Inst::ShiftInt { dst, a, by: b, .. }
        | Inst::Test { dst, a, b, .. } => {
            all(&[*dst, *a], General, visit);
            int(b, visit);
        }
        Inst::Address { dst, of: at }
        | Inst::LoadInt { dst, from: at, .. }
        | Inst::StoreInt { from: dst, to: at, .. } => {
            visit(*dst, General);
            mem(at, visit);
        }
        Inst::Choose { dst, condition, a, b } => all(&[*dst, *condition, *a, *b], General, visit),
        Inst::Extreme { dst, a, b, .. } | Inst::Divide { dst, a, b, .. } => {
            all(&[*dst, *a, *b], General, visit);
        }
        Inst::Bind(_) => {}
        Inst::Branch { a, b, .. } => {
            visit(*a, General);
            int(b, visit);
        }
        Inst::Check { place, below, report, .. } => {
            all(&[*place, *report], General, visit);
            int(below, visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: Vec<Node>, classes: Vec<Class>) -> Result<(), CodeError> {
        verify(&Selected { code, classes, environment: V(0), piece: V(1) }, Vectors::Avx2)
    }

    fn copy(dst: u32, a: u32) -> Node {
        Node::Inst(Inst::Move { dst: V(dst), a: V(a) })
    }

    #[test]
    fn broken_rules_are_noticed() {
        let general = |n: usize| vec![Class::General; n];
        assert_eq!(check(vec![copy(2, 0), copy(3, 2)], general(4)), Ok(()));
        let before = check(vec![copy(2, 3)], general(4)).unwrap_err();
        assert!(before.text.contains("before it is written"), "{before}");
        // Written in a branch that may not be taken.
        let branch = Node::If { condition: V(1), then: vec![copy(2, 0)] };
        assert!(check(vec![branch, copy(3, 2)], general(4)).is_err());
        // A vector where an int is wanted, a register without a class, more lanes than there are.
        assert!(check(vec![copy(2, 0)], vec![Class::General, Class::General, Class::Vector]).is_err());
        assert!(check(vec![copy(2, 0)], general(2)).is_err());
        let from = Mem { base: V(0), index: None, disp: 0 };
        let load = |len| vec![Node::Inst(Inst::Load { len, dst: V(2), from })];
        let classes = || vec![Class::General, Class::General, Class::Vector];
        assert_eq!(check(load(Len::L8), classes()), Ok(()));
        assert!(check(load(Len::L16), classes()).is_err());
    }
}
