//! Builder of kernels. Common subexpressions are shared and loop-invariant code is hoisted while it is written.
//!
//! An open loop is a level. An expression is placed at the level of its deepest operand, so whatever does
//! not change in a loop stands before it, and an expression that is already there is not made again.
//! Loads keep their place relative to stores that may reach the same memory, and behind the conditions of the
//! `if`s around them.

use crate::ir::hash::FastMap;
use super::LoopError;
use super::ir::*;
use crate::ir::Number;

pub struct Builder {
    params: Vec<Param>,
    steps: Vec<ValueId>,
    piece: Option<ValueId>,
    types: Vec<Ty>,
    /// For each value, the level that defines it.
    levels: Vec<usize>,
    blocks: Vec<OpenBlock>,
    /// For each parameter, the level above which its loads must not be moved; 0 if nothing writes to it.
    fences: Vec<usize>,
    /// Parameters that may reach the same memory.
    aliases: Vec<Vec<u32>>,
    constants: FastMap<ValueId, Expr>,
    /// See [`Kernel::long`].
    pub long: bool,
    /// See [`Target`](super::Target).
    pub own_math: bool,
    /// The first mistake of the emitter. If there is one, no kernel is made.
    broken: Option<&'static str>,
}

#[derive(Default)]
struct OpenBlock {
    stmts: Vec<Stmt>,
    known: FastMap<(Ty, Expr), ValueId>,
    /// What the last store to an address stored.
    stored: FastMap<(Address, Ty), ValueId>,
    /// What came out of the branches that are seldom taken, by what goes in.
    branches: FastMap<[ValueId; 3], [ValueId; 2]>,
    /// Values that stay in registers.
    kept: FastMap<(Address, Ty), ValueId>,
    counter: Option<OpenFor>,
}

enum OpenFor {
    For { counter: ValueId, from: Bound, to: Bound, step: i64, starts: Vec<ValueId>, currents: Vec<ValueId> },
    If { condition: ValueId },
}

impl Builder {
    /// `aliases[p]`: the parameters, `p` included, whose memory a store to `p` may change.
    pub fn new(params: Vec<Param>, aliases: Vec<Vec<u32>>) -> Builder {
        let fences = vec![0; params.len()];
        Builder {
            params,
            steps: Vec::new(),
            piece: None,
            types: Vec::new(),
            levels: Vec::new(),
            blocks: vec![OpenBlock::default()],
            fences,
            aliases,
            constants: FastMap::default(),
            long: false,
            own_math: true,
            broken: None,
        }
    }

    /// Notes what went wrong, so that [`Builder::finish`] gives no kernel; a value to go on with.
    pub fn broken(&mut self, what: &'static str) -> ValueId {
        self.broken.get_or_insert(what);
        self.int(Kind::I64, 0)
    }

    /// The kernel.
    ///
    /// # Errors
    /// If something could not be written: a mistake of the emitter.
    pub fn finish(mut self, pieces: usize) -> Result<Kernel, LoopError> {
        if let Some(what) = self.broken {
            return Err(LoopError(format!("loop IR: {what}")));
        }
        let body = std::mem::take(&mut self.blocks[0].stmts);
        Ok(Kernel {
            params: self.params,
            steps: self.steps,
            piece: self.piece,
            pieces,
            body,
            types: self.types,
            long: self.long,
            checks: None,
        })
    }

    pub fn ty(&self, value: ValueId) -> Ty {
        self.types[value.0 as usize]
    }

    pub fn param_kind(&self, param: u32) -> Kind {
        self.params[param as usize].kind
    }

    /// The number of open blocks.
    pub fn level(&self) -> usize {
        self.blocks.len() - 1
    }

    fn value(&mut self, ty: Ty, level: usize) -> ValueId {
        self.types.push(ty);
        self.levels.push(level);
        ValueId(self.types.len() as u32 - 1)
    }

    /// The counter of a scan around the kernel.
    pub fn step(&mut self) -> ValueId {
        let value = self.value(Ty::INDEX, 0);
        self.steps.push(value);
        value
    }

    /// The number of the piece.
    pub fn piece(&mut self) -> ValueId {
        let value = self.value(Ty::INDEX, 0);
        self.piece = Some(value);
        value
    }

    /// From here on loads from what `written` reach stay behind the stores before; `target` is being written
    /// now, so loads of it stay where they are asked for.
    pub fn begin_stage(&mut self, written: &[u32], target: Option<u32>) {
        let level = self.level();
        for param in written {
            for alias in self.aliases[*param as usize].clone() {
                self.fences[alias as usize] = level;
                for block in &mut self.blocks {
                    block.known.retain(|(_, expr), _| !expr_reads(expr, alias));
                }
            }
        }
        for alias in target.map(|target| self.aliases[target as usize].clone()).unwrap_or_default() {
            self.fences[alias as usize] = usize::MAX;
        }
    }

    /// The level of the innermost open `if`, 0 if there is none. Its condition may be what makes an address
    /// valid, so loads that are asked for inside stay inside.
    fn innermost_if(&self) -> usize {
        let is_if = |block: &OpenBlock| matches!(block.counter, Some(OpenFor::If { .. }));
        self.blocks.iter().rposition(is_if).unwrap_or(0)
    }

    /// Adds an expression, or finds the equal one that is visible here.
    pub fn add(&mut self, ty: Ty, expr: Expr) -> ValueId {
        let mut level = 0;
        expr.for_each_value(|value| level = level.max(self.levels[value.0 as usize]));
        let mut pinned = false;
        let mut fence = |address: &Address| {
            let fence = self.fences[address.param as usize];
            pinned |= fence == usize::MAX;
            level = level.max(if fence == usize::MAX { self.blocks.len() - 1 } else { fence });
        };
        match &expr {
            Expr::Load(address) => fence(address),
            Expr::Gather(addresses) => addresses.iter().for_each(&mut fence),
            _ => {}
        }
        if matches!(expr, Expr::Load(_) | Expr::Gather(_)) {
            level = level.max(self.innermost_if());
        }
        let key = (ty, expr);
        if let Expr::Load(address) = &key.1 {
            let slot = (address.clone(), ty);
            if let Some(value) = self.blocks.last().and_then(|block| block.stored.get(&slot)) {
                return *value;
            }
        }
        if !pinned && let Some(value) = self.blocks[level].known.get(&key) {
            return *value;
        }
        let value = self.value(ty, level);
        if matches!(key.1, Expr::Float(_) | Expr::Int(_) | Expr::Bool(_)) {
            self.constants.insert(value, key.1.clone());
        }
        self.blocks[level].stmts.push(Stmt::Let(value, key.1.clone()));
        if !pinned {
            self.blocks[level].known.insert(key, value);
        }
        value
    }

    pub fn store(&mut self, address: Address, value: ValueId) {
        let ty = self.ty(value);
        let aliases = &self.aliases[address.param as usize];
        let block = self.blocks.last_mut().expect("a block is open");
        block.stored.retain(|(address, _), _| !aliases.contains(&address.param));
        block.stored.insert((address.clone(), ty), value);
        block.stmts.push(Stmt::Store { address, value });
    }

    /// What was kept under this name, in this block or one around it.
    pub fn kept(&self, address: &Address, ty: Ty) -> Option<ValueId> {
        let key = (address.clone(), ty);
        self.blocks.iter().rev().find_map(|block| block.kept.get(&key)).copied()
    }

    /// Remembers a value under a name.
    pub fn keep(&mut self, address: Address, value: ValueId) {
        let ty = self.ty(value);
        let block = self.blocks.last_mut().expect("a block is open");
        block.kept.insert((address, ty), value);
    }

    /// Opens a loop; returns its counter and the values that go round.
    pub fn begin_for(
        &mut self,
        from: Bound,
        to: Bound,
        step: i64,
        starts: &[ValueId],
    ) -> (ValueId, Vec<ValueId>) {
        let level = self.blocks.len();
        let counter = self.value(Ty::INDEX, level);
        let currents: Vec<ValueId> =
            starts.iter().map(|start| self.value(self.types[start.0 as usize], level)).collect();
        let open =
            OpenFor::For { counter, from, to, step, starts: starts.to_vec(), currents: currents.clone() };
        self.blocks.push(OpenBlock { counter: Some(open), ..OpenBlock::default() });
        (counter, currents)
    }

    /// Closes the loop; returns what came out of the values that went round.
    pub fn end_for(&mut self, nexts: &[ValueId]) -> Vec<ValueId> {
        let block = self.blocks.pop().expect("a loop is open");
        let Some(OpenFor::For { counter, from, to, step, starts, currents }) = block.counter else {
            return Vec::new();
        };
        let level = self.level();
        let mut carries = Vec::with_capacity(starts.len());
        let mut results = Vec::with_capacity(starts.len());
        for ((start, current), next) in starts.into_iter().zip(currents).zip(nexts) {
            let result = self.value(self.ty(start), level);
            carries.push(Carry { start, current, next: *next, result });
            results.push(result);
        }
        let outer = self.blocks.last_mut().expect("a block is open");
        outer.stored.clear();
        outer.stmts.push(Stmt::For(For { counter, from, to, step, carries, body: block.stmts }));
        results
    }

    /// What a branch gave that was taken before for the same values, in this block or one around it.
    pub fn known_branch(&self, given: [ValueId; 3]) -> Option<[ValueId; 2]> {
        self.blocks.iter().rev().find_map(|block| block.branches.get(&given)).copied()
    }

    /// Remembers what a branch gives.
    pub fn keep_branch(&mut self, given: [ValueId; 3], results: [ValueId; 2]) {
        self.blocks.last_mut().expect("a block is open").branches.insert(given, results);
    }

    pub fn begin_if(&mut self, condition: ValueId) {
        self.blocks.push(OpenBlock { counter: Some(OpenFor::If { condition }), ..OpenBlock::default() });
    }

    pub fn end_if(&mut self) {
        let block = self.blocks.pop().expect("an if is open");
        if let Some(OpenFor::If { condition }) = block.counter {
            let outer = self.blocks.last_mut().expect("a block is open");
            outer.stored.clear();
            outer.stmts.push(Stmt::If { condition, then: block.stmts });
        }
    }

    pub fn float(&mut self, kind: Kind, value: f64) -> ValueId {
        let value = if kind == Kind::F32 { f64::from(value as f32) } else { value };
        self.add(Ty::scalar(kind), Expr::Float(Number(value)))
    }

    pub fn int(&mut self, kind: Kind, value: i64) -> ValueId {
        let value = if kind == Kind::I32 { i64::from(value as i32) } else { value };
        self.add(Ty::scalar(kind), Expr::Int(value))
    }

    pub fn bool(&mut self, value: bool) -> ValueId {
        self.add(Ty::BOOL, Expr::Bool(value))
    }

    pub fn linear(&mut self, linear: Linear) -> ValueId {
        match linear.terms.as_slice() {
            [] => self.int(Kind::I64, linear.constant),
            [(value, 1)] if linear.constant == 0 => *value,
            _ => self.add(Ty::INDEX, Expr::Linear(linear)),
        }
    }

    /// The value in every lane.
    pub fn splat(&mut self, value: ValueId, lanes: u8) -> ValueId {
        let ty = self.ty(value);
        if ty.lanes == lanes { value } else { self.add(Ty { lanes, ..ty }, Expr::Splat(value)) }
    }

    pub fn extract(&mut self, value: ValueId, lane: u8) -> ValueId {
        let ty = self.ty(value);
        if ty.lanes == 1 { value } else { self.add(Ty::scalar(ty.kind), Expr::Extract(value, lane)) }
    }

    pub fn unary(&mut self, op: Unary, a: ValueId) -> ValueId {
        let ty = self.ty(a);
        match (op, self.constant(a), ty.kind) {
            (Unary::ToBits, Some(Expr::Float(x)), Kind::F32) => {
                return self.int(Kind::I32, i64::from((x.0 as f32).to_bits() as i32));
            }
            (Unary::ToBits, Some(Expr::Float(x)), Kind::F64) => {
                return self.int(Kind::I64, x.0.to_bits() as i64);
            }
            (Unary::Neg, Some(Expr::Float(x)), kind) => return self.float(kind, -x.0),
            (Unary::FromIndex, _, Kind::I32) | (Unary::ToIndex, _, Kind::I64) => return a,
            (Unary::FromIndex, Some(Expr::Int(x)), _) => return self.int(Kind::I32, *x),
            (Unary::ToIndex, Some(Expr::Int(x)), _) => return self.int(Kind::I64, *x),
            _ => {}
        }
        let kind = match op {
            Unary::Neg
            | Unary::Abs
            | Unary::Sqrt
            | Unary::Floor
            | Unary::Ceil
            | Unary::Round
            | Unary::Not => ty.kind,
            // The caller says the kind by `convert` and `bits`.
            Unary::ToFloat | Unary::FromBits => match ty.kind {
                Kind::I64 | Kind::F64 => Kind::F64,
                Kind::I32 | Kind::F32 | Kind::Bool => Kind::F32,
            },
            Unary::ToInt if ty.kind.is_float() => Kind::I64,
            Unary::ToInt | Unary::FromIndex => Kind::I32,
            Unary::ToIndex => Kind::I64,
            Unary::ToBits => match ty.kind {
                Kind::F64 | Kind::I64 => Kind::I64,
                Kind::F32 | Kind::I32 | Kind::Bool => Kind::I32,
            },
        };
        self.add(ty.with_kind(kind), Expr::Unary(op, a))
    }

    /// An int or bool as a float of the given kind.
    pub fn as_float(&mut self, kind: Kind, a: ValueId) -> ValueId {
        let ty = self.ty(a);
        self.add(ty.with_kind(kind), Expr::Unary(Unary::ToFloat, a))
    }

    /// A function of C's library of floats of one type.
    pub fn library(&mut self, function: Library, operands: Vec<ValueId>) -> ValueId {
        let ty = self.ty(operands[0]);
        self.add(ty, Expr::Library(function, operands))
    }

    /// Both operands with as many lanes as the wider one has.
    pub fn match_lanes(&mut self, a: ValueId, b: ValueId) -> (ValueId, ValueId) {
        let lanes = self.ty(a).lanes.max(self.ty(b).lanes);
        (self.splat(a, lanes), self.splat(b, lanes))
    }

    pub fn binary(&mut self, op: Binary, a: ValueId, b: ValueId) -> ValueId {
        let is_shift = matches!(op, Binary::Shl | Binary::Shr);
        let (a, b) = if is_shift { (a, b) } else { self.match_lanes(a, b) };
        let ty = self.ty(a);
        if let (Some(Expr::Int(x)), Some(Expr::Int(y))) = (self.constant(a), self.constant(b))
            && let Some(value) = fold(op, ty.kind, *x, *y)
        {
            let is_comparison = matches!(op, Binary::Lt | Binary::Le | Binary::Eq);
            return if is_comparison { self.bool(value != 0) } else { self.int(ty.kind, value) };
        }
        if let (Binary::And, Some(Expr::Bool(true))) = (op, self.constant(a)) {
            return b;
        }
        let ty = match op {
            Binary::Lt | Binary::Le | Binary::Eq => ty.with_kind(Kind::Bool),
            _ => ty,
        };
        self.add(ty, Expr::Binary(op, a, b))
    }

    /// An int as one of 32 or of 64 bits.
    pub fn as_int(&mut self, kind: Kind, a: ValueId) -> ValueId {
        match kind {
            Kind::I32 => self.unary(Unary::FromIndex, a),
            Kind::I64 => self.unary(Unary::ToIndex, a),
            Kind::F32 | Kind::F64 | Kind::Bool => a,
        }
    }

    /// Whether an operation on two ints leaves 64 bits.
    pub fn overflows(&mut self, op: Binary, a: ValueId, b: ValueId) -> ValueId {
        let (a, b) = (self.as_int(Kind::I64, a), self.as_int(Kind::I64, b));
        self.add(Ty::BOOL, Expr::Overflows(op, a, b))
    }

    /// The definition of a value, if it is a constant.
    fn constant(&self, value: ValueId) -> Option<&Expr> {
        self.constants.get(&value)
    }

    pub fn fma(&mut self, a: ValueId, b: ValueId, c: ValueId) -> ValueId {
        let lanes = self.ty(a).lanes.max(self.ty(b).lanes).max(self.ty(c).lanes);
        let (a, b, c) = (self.splat(a, lanes), self.splat(b, lanes), self.splat(c, lanes));
        self.add(self.ty(a), Expr::Fma(a, b, c))
    }

    pub fn select(&mut self, condition: ValueId, then: ValueId, otherwise: ValueId) -> ValueId {
        let lanes = [condition, then, otherwise].map(|value| self.ty(value).lanes).into_iter().max();
        let lanes = lanes.unwrap_or(1);
        // A scalar condition between vectors stays one: it is a branch-free choice either way.
        let condition = self.splat(condition, lanes);
        let (then, otherwise) = (self.splat(then, lanes), self.splat(otherwise, lanes));
        self.add(self.ty(then), Expr::Select(condition, then, otherwise))
    }
}

fn expr_reads(expr: &Expr, param: u32) -> bool {
    match expr {
        Expr::Load(address) => address.param == param,
        Expr::Gather(addresses) => addresses.iter().any(|address| address.param == param),
        _ => false,
    }
}

/// The result of an operation on two ints that are known; `None` for what is not worth it.
fn fold(op: Binary, kind: Kind, x: i64, y: i64) -> Option<i64> {
    let unsigned = if kind == Kind::I32 { i64::from(x as u32) } else { x } as u64;
    Some(match op {
        Binary::Add => x.checked_add(y)?,
        Binary::Sub => x.checked_sub(y)?,
        Binary::Mul => x.checked_mul(y)?,
        Binary::And => x & y,
        Binary::Or => x | y,
        Binary::Xor => x ^ y,
        Binary::Min => x.min(y),
        Binary::Max => x.max(y),
        Binary::Shl => x.wrapping_shl(y as u32),
        Binary::Shr => unsigned.wrapping_shr(y as u32) as i64,
        Binary::Lt => i64::from(x < y),
        Binary::Le => i64::from(x <= y),
        Binary::Eq => i64::from(x == y),
        Binary::Div | Binary::FloorDiv | Binary::Mod => return None,
    })
}
