//! What holds of a kernel whose registers have places:
//!
//! 1. A place is one that code may use freely: a register of the class that is not for moving things to and fro, or
//!    bytes of the stack that no other register has.
//! 2. What is read from a place was written there by the same register, on every way to that instruction: nothing
//!    else was put there in between.
//! 3. Only what one instruction writes, and always the same, is read from the pool of constants.
//!
//! Rule 2 is found out without the lives that [`allocate`](super::super::allocate) has computed: by going through
//! the code, jumps included, with a table of what each place holds, until nothing changes.

use crate::base::order::PutInOrder;
use crate::ir::hash::FastMap;
use super::fail;
use crate::backend::CodeError;
use crate::backend::native::avx::allocate::{Allocated, Place, first_free_vector};
use crate::backend::native::avx::asm::{Label, Vectors};
use crate::backend::native::avx::lir::{Class, Inst, Role, V};

/// A place as a key: a machine register of a bank, or a byte of the stack.
type Key = (Option<Bank>, i32);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Bank {
    General,
    Vector,
    Mask,
}

/// What each place holds.
type Held = FastMap<Key, V>;

/// Checks what was allocated.
///
/// # Errors
/// The first rule that is broken.
pub fn verify(allocated: &Allocated, vectors: Vectors, given: [V; 2]) -> Result<(), CodeError> {
    let checker = Checker { allocated };
    checker.places(vectors)?;
    let mut start = Held::default();
    for register in given {
        if let Some(key) = checker.key(register) {
            start.insert(key, register);
        }
    }
    let mut at_labels: FastMap<Label, Held> = FastMap::default();
    // Each round takes away from what a label holds, so there is an end.
    while checker.round(&start, &mut at_labels)? {}
    Ok(())
}

struct Checker<'a> {
    allocated: &'a Allocated,
}

impl Checker<'_> {
    fn places(&self, vectors: Vectors) -> Result<(), CodeError> {
        let mut slots: Vec<(i32, i32, usize)> = Vec::new();
        for (at, place) in self.allocated.places.iter().enumerate() {
            let Some(class) = self.allocated.classes.get(at) else {
                return fail(format!("register {at} has no class"));
            };
            match *place {
                Place::Register(register) => {
                    let is_free = match class {
                        Class::General => ![0, 2, 4, 5].contains(&register) && register < 16,
                        Class::Vector => register < first_free_vector(vectors),
                        Class::Mask => (1..7).contains(&register) && vectors == Vectors::Avx512,
                    };
                    if !is_free {
                        return fail(format!(
                            "register {at} lives in {class:?} {register}, which is not free"
                        ));
                    }
                }
                Place::Slot(from) => {
                    let bytes = match (class, vectors) {
                        (Class::General | Class::Mask, _) => 8,
                        (Class::Vector, Vectors::Avx2) => 32,
                        (Class::Vector, Vectors::Avx512) => 64,
                    };
                    if from < 0 || from % bytes != 0 || from + bytes > self.allocated.stack {
                        return fail(format!(
                            "register {at} lives at {from} of the stack, which is not there"
                        ));
                    }
                    slots.push((from, from + bytes, at));
                }
                Place::Constant(_) if *class != Class::Vector => {
                    return fail(format!("register {at} is {class:?} and a constant"));
                }
                Place::Constant(_) | Place::Nowhere => {}
            }
        }
        slots.put_in_order();
        match slots.windows(2).find(|pair| pair[0].1 > pair[1].0) {
            Some(pair) => fail(format!("registers {} and {} share bytes of the stack", pair[0].2, pair[1].2)),
            None => Ok(()),
        }
    }

    /// Where a register is held, if it is in a machine register or on the stack.
    fn key(&self, register: V) -> Option<Key> {
        let at = register.0 as usize;
        let class = match self.allocated.classes.get(at)? {
            Class::General => Bank::General,
            Class::Vector => Bank::Vector,
            Class::Mask => Bank::Mask,
        };
        match *self.allocated.places.get(at)? {
            Place::Register(number) => Some((Some(class), i32::from(number))),
            Place::Slot(from) => Some((None, from)),
            Place::Constant(_) | Place::Nowhere => None,
        }
    }

    /// Goes through the code once; whether labels hold less than before.
    fn round(&self, start: &Held, at_labels: &mut FastMap<Label, Held>) -> Result<bool, CodeError> {
        let mut held = start.clone();
        let mut changed = false;
        for inst in &self.allocated.insts {
            self.inst(inst, &mut held)?;
            match inst {
                Inst::Bind(label) => {
                    changed |= meet(at_labels, *label, &held);
                    if let Some(met) = at_labels.get(label) {
                        held.clone_from(met);
                    }
                }
                Inst::Branch { label, .. } => changed |= meet(at_labels, *label, &held),
                _ => {}
            }
        }
        Ok(changed)
    }

    fn inst(&self, inst: &Inst, held: &mut Held) -> Result<(), CodeError> {
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        inst.clone().for_each(&mut |register, role| match role {
            Role::Read => reads.push(*register),
            Role::Write | Role::EarlyWrite => writes.push((*register, role)),
            Role::Both => {
                reads.push(*register);
                writes.push((*register, role));
            }
        });
        for register in &reads {
            match (self.key(*register), self.allocated.places.get(register.0 as usize)) {
                (Some(key), _) => match held.get(&key) {
                    Some(found) if found == register => {}
                    found => {
                        return fail(format!("{inst:?} reads register {} where {found:?} is", register.0));
                    }
                },
                (None, Some(Place::Constant(_))) => {}
                (None, _) => {
                    return fail(format!("{inst:?} reads register {}, which is nowhere", register.0));
                }
            }
        }
        for (register, role) in writes {
            let constant = self.allocated.places.get(register.0 as usize);
            match (constant, inst) {
                (Some(Place::Constant(bits)), Inst::Constant { bits: written, .. }) if bits == written => {}
                (Some(Place::Constant(_)), _) => {
                    return fail(format!("{inst:?} writes register {}, which is a constant", register.0));
                }
                _ => {}
            }
            let Some(key) = self.key(register) else { continue };
            // What is written early must not lie where an operand does.
            let clashes = |read: &V| *read != register && self.key(*read) == Some(key);
            if role == Role::EarlyWrite && reads.iter().any(clashes) {
                return fail(format!("{inst:?} writes register {} over an operand", register.0));
            }
            held.insert(key, register);
        }
        Ok(())
    }
}

/// Leaves at a label only what is held on this way as well; whether that is less than before.
fn meet(at_labels: &mut FastMap<Label, Held>, label: Label, held: &Held) -> bool {
    match at_labels.get_mut(&label) {
        None => {
            at_labels.insert(label, held.clone());
            true
        }
        Some(met) => {
            let before = met.len();
            met.retain(|key, register| held.get(key) == Some(register));
            met.len() < before
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ints in these registers, copied from one to another: `(to, from)`.
    fn check(places: &[Place], copies: &[(u32, u32)]) -> Result<(), CodeError> {
        let insts = copies.iter().map(|(dst, a)| Inst::Move { dst: V(*dst), a: V(*a) }).collect();
        let classes = vec![Class::General; places.len()];
        let allocated = Allocated { insts, places: places.to_vec(), classes, stack: 16 };
        verify(&allocated, Vectors::Avx2, [V(0), V(1)])
    }

    #[test]
    fn broken_rules_are_noticed() {
        let register = Place::Register;
        let apart = [register(1), register(6), register(7), register(8)];
        assert_eq!(check(&apart, &[(2, 0), (3, 2)]), Ok(()));
        // Two values in one register, of which the first is still wanted.
        let together = [register(1), register(6), register(7), register(7), register(8)];
        assert_eq!(check(&together, &[(2, 0), (4, 2), (3, 1)]), Ok(()));
        assert!(check(&together, &[(2, 0), (3, 1), (4, 2)]).is_err());
        // A register that is not free, one that is nowhere, bytes of the stack that are shared or not there.
        assert!(check(&[register(1), register(6), register(0)], &[(2, 0)]).is_err());
        assert!(check(&[register(1), register(6), register(7), Place::Nowhere], &[(2, 3)]).is_err());
        let slots = |from: i32| [register(1), register(6), Place::Slot(0), Place::Slot(from)];
        assert_eq!(check(&slots(8), &[(2, 0), (3, 1)]), Ok(()));
        assert!(check(&slots(0), &[(2, 0), (3, 1)]).is_err());
        assert!(check(&slots(16), &[(2, 0), (3, 1)]).is_err());
    }
}
