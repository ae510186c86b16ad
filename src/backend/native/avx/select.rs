//! Instruction selection: from loop IR to instructions over virtual registers. Code for an outer block is appended to
//! that block, since the loop that is being written comes after it.

mod address;
mod binary;
mod expr;

use crate::ir::hash::{FastMap, FastSet};
use super::asm::{Alu, Len, Vectors};
use super::lir::{Class, Inst, Int, Loop, Mem, Node, Role, Src, V};
use crate::backend::CodeError;
use crate::loops::{Address, Bound, Carry, Expr, For, Kernel, Kind, Stmt, Ty, ValueId};

/// The instructions of a kernel, and what is known of their registers.
pub struct Selected {
    pub code: Vec<Node>,
    pub classes: Vec<Class>,
    /// Where the caller's words are: the addresses of the parameters, then the scan counters.
    pub environment: V,
    pub piece: V,
}

/// Writes instructions for a kernel of 32-bit floats.
///
/// # Errors
/// If it has types that wide vectors do not have.
pub fn select(kernel: &Kernel, vectors: Vectors) -> Result<Selected, CodeError> {
    let n_values = kernel.types.len();
    let mut select = Select {
        kernel,
        vectors,
        classes: Vec::new(),
        values: vec![None; n_values],
        bits: vec![None; n_values],
        numbers: vec![None; n_values],
        levels: vec![0; n_values],
        uses: count_uses(kernel),
        opens: vec![Open::default()],
        params: Vec::new(),
        deferred: FastMap::default(),
        constants: FastMap::default(),
        tests: FastMap::default(),
        undefined: None,
    };
    let environment = select.fresh(Class::General);
    let piece = select.fresh(Class::General);
    let word = |select: &mut Select<'_>, at: usize| {
        let dst = select.fresh(Class::General);
        let from = Mem { base: environment, index: None, disp: at as i32 * 8 };
        select.push(Inst::LoadInt { bytes: 8, dst, from });
        dst
    };
    for (at, param) in kernel.params.iter().enumerate() {
        let mut base = word(&mut select, at);
        if param.piece_stride != 0 {
            let stride = select.number(param.piece_stride);
            let moved = select.fresh(Class::General);
            select.push(Inst::Multiply { wide: true, dst: moved, a: piece, b: stride });
            let sum = select.fresh(Class::General);
            select.push(Inst::Alu { op: Alu::Add, wide: true, dst: sum, a: base, b: Int::Reg(moved) });
            base = sum;
        }
        select.params.push(base);
    }
    for (at, step) in kernel.steps.iter().enumerate() {
        let word = word(&mut select, kernel.params.len() + at);
        select.define(*step, word);
    }
    if let Some(value) = kernel.piece {
        select.define(value, piece);
    }
    select.block(&kernel.body)?;
    let code = select.close()?.code;
    if let Some(value) = select.undefined {
        return Err(CodeError::internal(format!("wide code: {value} is used, but nothing defines it")));
    }
    Ok(Selected { code, classes: select.classes, environment, piece })
}

struct Select<'k> {
    kernel: &'k Kernel,
    vectors: Vectors,
    classes: Vec<Class>,
    values: Vec<Option<V>>,
    /// The bits of constants, of one lane if they are the same in all.
    bits: Vec<Option<u32>>,
    /// The values of constant ints and bools.
    numbers: Vec<Option<i64>>,
    /// The open block that defines a value.
    levels: Vec<usize>,
    uses: Vec<u32>,
    opens: Vec<Open>,
    params: Vec<V>,
    /// Scalars that are loaded straight into all lanes.
    deferred: FastMap<ValueId, Mem>,
    constants: FastMap<u32, V>,
    /// The mask that a test of scalar floats made, by its result as an int: choosing between floats takes the mask,
    /// since the way through ints and back makes a chain of choices slow.
    tests: FastMap<V, V>,
    /// A value that is used but not defined.
    undefined: Option<ValueId>,
}

/// A block in the making.
#[derive(Default)]
struct Open {
    code: Vec<Node>,
    /// `param + Σ value · bytes` for what has been needed.
    pointers: FastMap<(u32, Vec<(ValueId, i64)>), V>,
    /// The loop whose body it is: its counter, and multiples of that in registers.
    counter: Option<ValueId>,
    multiples: Vec<(i64, V)>,
}

impl Select<'_> {
    fn fresh(&mut self, class: Class) -> V {
        self.classes.push(class);
        V(self.classes.len() as u32 - 1)
    }

    fn push(&mut self, inst: Inst) {
        let level = self.opens.len() - 1;
        self.push_at(level, inst);
    }

    fn push_at(&mut self, level: usize, inst: Inst) {
        self.opens[level].code.push(Node::Inst(inst));
    }

    fn ty(&self, id: ValueId) -> Ty {
        self.kernel.types[id.0 as usize]
    }

    fn define(&mut self, id: ValueId, value: V) {
        self.values[id.0 as usize] = Some(value);
        self.levels[id.0 as usize] = self.opens.len() - 1;
    }

    fn class_of(&self, ty: Ty) -> Class {
        match (ty.kind, ty.lanes) {
            (Kind::I32 | Kind::I64 | Kind::Bool, 1) => Class::General,
            (Kind::Bool, _) if self.vectors == Vectors::Avx512 => Class::Mask,
            _ => Class::Vector,
        }
    }

    /// The widest vectors.
    fn widest(&self) -> Len {
        if self.vectors == Vectors::Avx512 { Len::L16 } else { Len::L8 }
    }

    fn len_of(&self, ty: Ty) -> Result<Len, CodeError> {
        let fits = match ty.kind {
            Kind::F32 | Kind::I32 | Kind::Bool => true,
            Kind::I64 => ty.lanes == 1,
            Kind::F64 => false,
        };
        match ty.lanes {
            1 if fits => Ok(Len::One),
            4 if fits => Ok(Len::L4),
            8 if fits => Ok(Len::L8),
            16 if fits && self.vectors == Vectors::Avx512 => Ok(Len::L16),
            lanes => Err(CodeError::internal(format!("{lanes} lanes of {:?} are no wide vector", ty.kind))),
        }
    }

    /// Notes that a value has no definition, so that there will be no code.
    fn lacks<T: Default>(&mut self, id: ValueId) -> T {
        self.undefined.get_or_insert(id);
        T::default()
    }

    /// Ends the block that is being written.
    fn close(&mut self) -> Result<Open, CodeError> {
        self.opens.pop().ok_or_else(|| CodeError::internal("wide code: a block ends that never began"))
    }

    /// The register of a value that is no constant, or of a constant put into one.
    fn value(&mut self, id: ValueId) -> V {
        if let Some(value) = self.values[id.0 as usize] {
            return value;
        }
        match self.class_of(self.ty(id)) {
            Class::General => {
                let dst = self.fresh(Class::General);
                let value = self.numbers[id.0 as usize].unwrap_or_else(|| self.lacks(id));
                self.push(Inst::Number { dst, value });
                dst
            }
            Class::Vector => {
                let bits = self.bits[id.0 as usize].unwrap_or_else(|| self.lacks(id));
                self.constant(bits)
            }
            Class::Mask => {
                self.lacks::<u32>(id);
                self.fresh(Class::Mask)
            }
        }
    }

    /// A constant in all lanes of the widest vector, kept from the start of the kernel.
    fn constant(&mut self, bits: u32) -> V {
        if let Some(value) = self.constants.get(&bits) {
            return *value;
        }
        let dst = self.fresh(Class::Vector);
        self.push_at(0, Inst::Constant { dst, bits });
        self.constants.insert(bits, dst);
        dst
    }

    fn src(&mut self, id: ValueId) -> Src {
        match (self.values[id.0 as usize], self.bits[id.0 as usize]) {
            (None, Some(bits)) => Src::Const(bits),
            _ => Src::Reg(self.value(id)),
        }
    }

    fn int(&mut self, id: ValueId) -> Int {
        match self.numbers[id.0 as usize] {
            Some(number) => self.number(number),
            None => Int::Reg(self.value(id)),
        }
    }

    fn number(&mut self, number: i64) -> Int {
        if let Ok(number) = i32::try_from(number) {
            return Int::Number(number);
        }
        let dst = self.fresh(Class::General);
        self.push(Inst::Number { dst, value: number });
        Int::Reg(dst)
    }

    fn block(&mut self, block: &[Stmt]) -> Result<(), CodeError> {
        let only_spread = self.only_spread(block);
        for stmt in block {
            match stmt {
                Stmt::Let(id, Expr::Load(address)) if only_spread.contains(id) => {
                    let from = self.address(address);
                    self.deferred.insert(*id, from);
                }
                Stmt::Let(id, expr) => self.expr(*id, expr)?,
                Stmt::Store { address, value } => self.store(address, *value)?,
                Stmt::For(inner) => self.for_loop(inner)?,
                Stmt::Check { address, lanes, site } => self.check(address, *lanes, *site),
                Stmt::If { condition, then } => {
                    let condition = self.value(*condition);
                    self.opens.push(Open::default());
                    self.block(then)?;
                    let then = self.close()?.code;
                    let level = self.opens.len() - 1;
                    self.opens[level].code.push(Node::If { condition, then });
                }
            }
        }
        Ok(())
    }

    /// The scalars of a block that are read from memory only to be put into all lanes before anything is stored.
    fn only_spread(&self, block: &[Stmt]) -> FastSet<ValueId> {
        let (mut read, mut spread) = (FastSet::default(), FastSet::default());
        for stmt in block {
            match stmt {
                Stmt::Let(id, Expr::Load(_)) => {
                    let is_lane = [Kind::F32, Kind::I32].map(Ty::scalar).contains(&self.ty(*id));
                    if is_lane && self.uses[id.0 as usize] == 1 {
                        read.insert(*id);
                    }
                }
                Stmt::Let(_, Expr::Splat(id)) if read.contains(id) => {
                    spread.insert(*id);
                }
                Stmt::Let(..) | Stmt::Check { .. } => {}
                Stmt::Store { .. } | Stmt::For(_) | Stmt::If { .. } => read.clear(),
            }
        }
        spread
    }

    fn check(&mut self, address: &Address, lanes: u8, site: u32) {
        let kernel = self.kernel;
        let Some(checks) = &kernel.checks else { return };
        let Some((place, below)) = checks.place(address, lanes) else { return };
        let place = self.linear(&place);
        let below = self.number(below);
        let report = self.params[checks.report as usize];
        self.push(Inst::Check { place, below, report, site });
    }

    fn store(&mut self, address: &Address, id: ValueId) -> Result<(), CodeError> {
        let ty = self.ty(id);
        let from = self.value(id);
        let to = self.address(address);
        let len = self.len_of(ty)?;
        self.push(match (ty.kind, ty.lanes) {
            (Kind::Bool, 2..) => Inst::StoreMask { len, from, to },
            (Kind::I32 | Kind::I64 | Kind::Bool, 1) => Inst::StoreInt { bytes: ty.kind.bytes(), from, to },
            _ => Inst::Store { len, from, to },
        });
        Ok(())
    }

    fn for_loop(&mut self, inner: &For) -> Result<(), CodeError> {
        let to = match inner.to {
            Bound::Number(number) => self.number(number),
            Bound::Value(id) => self.int(id),
        };
        let counter = self.fresh(Class::General);
        match inner.from {
            Bound::Number(value) => self.push(Inst::Number { dst: counter, value }),
            Bound::Value(id) => {
                let a = self.value(id);
                self.push(Inst::Move { dst: counter, a });
            }
        }
        let slots: Vec<V> = inner.carries.iter().map(|carry| self.slot(carry)).collect();
        self.opens.push(Open { counter: Some(inner.counter), ..Open::default() });
        self.define(inner.counter, counter);
        for (carry, slot) in inner.carries.iter().zip(&slots) {
            self.define(carry.current, *slot);
        }
        self.block(&inner.body)?;
        self.hand_on(&inner.carries, &slots);
        let open = self.close()?;
        let mut multiples = Vec::with_capacity(open.multiples.len());
        for (factor, multiple) in open.multiples {
            let b = self.number(factor);
            self.push(Inst::Multiply { wide: true, dst: multiple, a: counter, b });
            let by = i32::try_from(factor * inner.step);
            multiples.push((multiple, by.map_err(|_| CodeError::internal("a stride of gigabytes"))?));
        }
        let level = self.opens.len() - 1;
        self.opens[level].code.push(Node::Loop(Loop {
            counter,
            to,
            step: i32::try_from(inner.step).map_err(|_| CodeError::internal("a step of gigabytes"))?,
            multiples,
            guarded: !matches!((inner.from, inner.to), (Bound::Number(from), Bound::Number(to)) if from < to),
            body: open.code,
        }));
        for (carry, slot) in inner.carries.iter().zip(&slots) {
            self.define(carry.result, *slot);
        }
        Ok(())
    }

    /// A register for a value that goes round, with what it starts from.
    fn slot(&mut self, carry: &Carry) -> V {
        let class = self.class_of(self.ty(carry.start));
        let slot = self.fresh(class);
        let constant = self.values[carry.start.0 as usize].is_none();
        match (class, self.bits[carry.start.0 as usize]) {
            (Class::Vector, Some(bits)) if constant => self.push(Inst::Set { dst: slot, bits }),
            _ => {
                let start = self.value(carry.start);
                self.copy(slot, start);
            }
        }
        slot
    }

    fn copy(&mut self, dst: V, a: V) {
        self.push(match self.classes[dst.0 as usize] {
            Class::General => Inst::Move { dst, a },
            Class::Vector | Class::Mask => Inst::Copy { dst, a },
        });
    }

    /// At the end of a round: the next values into the registers that go round; straight away where the old
    /// value is not needed any more once the new one is there.
    fn hand_on(&mut self, carries: &[Carry], slots: &[V]) {
        let mut copies: Vec<(V, V)> = Vec::new();
        for (carry, slot) in carries.iter().zip(slots) {
            let next = self.value(carry.next);
            let wanted_later = carries.iter().any(|other| self.values[other.next.0 as usize] == Some(*slot));
            if next == *slot {
                continue;
            }
            let taken = slots.contains(&next) || copies.iter().any(|(_, value)| *value == next);
            let level = self.opens.len() - 1;
            if !wanted_later && !taken && unite(&mut self.opens[level].code, next, *slot) {
                let values = self.values.iter_mut().flatten();
                values.filter(|value| **value == next).for_each(|value| *value = *slot);
                continue;
            }
            copies.push((*slot, next));
        }
        // All are read before any is written.
        let through_others: Vec<usize> =
            (0..copies.len()).filter(|at| slots.contains(&copies[*at].1)).collect();
        for at in through_others {
            let next = copies[at].1;
            let between = self.fresh(self.classes[next.0 as usize]);
            self.copy(between, next);
            copies[at].1 = between;
        }
        copies.into_iter().for_each(|(slot, next)| self.copy(slot, next));
    }
}

/// Lets `next` be written straight into `slot`, if nothing of the block wants the old value of `slot` then.
fn unite(block: &mut [Node], next: V, slot: V) -> bool {
    let mentions = |node: &mut Node, wanted: V| {
        let mut roles = Vec::new();
        node.for_each(&mut |value, role| {
            if *value == wanted {
                roles.push(role);
            }
        });
        roles
    };
    let Some(at) = block.iter_mut().position(|node| !mentions(node, next).is_empty()) else { return false };
    let begins = matches!(mentions(&mut block[at], next).as_slice(), [Role::Write]);
    let is_inst = matches!(block[at], Node::Inst(_));
    if !begins || !is_inst || block[at + 1..].iter_mut().any(|node| !mentions(node, slot).is_empty()) {
        return false;
    }
    for node in &mut block[at..] {
        node.for_each(&mut |value, _| {
            if *value == next {
                *value = slot;
            }
        });
    }
    true
}

/// How often each value is used.
fn count_uses(kernel: &Kernel) -> Vec<u32> {
    fn block(stmts: &[Stmt], uses: &mut Vec<u32>) {
        for stmt in stmts {
            match stmt {
                Stmt::Let(_, expr) => expr.for_each_value(|id| uses[id.0 as usize] += 1),
                Stmt::Store { address, value } => {
                    uses[value.0 as usize] += 1;
                    address.index.terms.iter().for_each(|(id, _)| uses[id.0 as usize] += 1);
                }
                Stmt::Check { address, .. } => {
                    address.index.terms.iter().for_each(|(id, _)| uses[id.0 as usize] += 1);
                }
                Stmt::For(inner) => {
                    for bound in [inner.from, inner.to] {
                        if let Bound::Value(id) = bound {
                            uses[id.0 as usize] += 1;
                        }
                    }
                    for carry in &inner.carries {
                        uses[carry.start.0 as usize] += 1;
                        uses[carry.next.0 as usize] += 1;
                    }
                    block(&inner.body, uses);
                }
                Stmt::If { condition, then } => {
                    uses[condition.0 as usize] += 1;
                    block(then, uses);
                }
            }
        }
    }
    let mut uses = vec![0; kernel.types.len()];
    block(&kernel.body, &mut uses);
    uses
}
