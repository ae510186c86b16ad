//! One kernel as Cranelift instructions.

mod arithmetic;

use crate::ir::hash::FastMap;
use crate::loops::{Address, Bound, Expr, For, Kernel, Kind, Linear, Stmt, Ty, ValueId};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, types};
use cranelift_frontend::FunctionBuilder;

/// Up to so many different strides of one counter are kept as induction variables; with more of them, each address
/// multiplies.
const MAX_OFFSETS: usize = 6;

/// Writes the body of `kernel` at the builder's place.
pub fn kernel(
    builder: &mut FunctionBuilder<'_>,
    kernel: &Kernel,
    has_fma: bool,
    bases: &[ir::Value],
    steps: &[ir::Value],
    piece: Option<ir::Value>,
) {
    let values = vec![None; kernel.types.len()];
    let mut codegen =
        Codegen { b: builder, kernel, has_fma, bases: bases.to_vec(), values, offsets: FastMap::default() };
    for (id, value) in kernel.steps.iter().zip(steps) {
        codegen.define(*id, *value);
    }
    if let (Some(id), Some(value)) = (kernel.piece, piece) {
        codegen.define(id, value);
    }
    codegen.block(&kernel.body);
}

struct Codegen<'b, 'f> {
    b: &'b mut FunctionBuilder<'f>,
    kernel: &'b Kernel,
    has_fma: bool,
    bases: Vec<ir::Value>,
    values: Vec<Option<ir::Value>>,
    /// Induction variables: multiples of loop counters, in bytes, that are increased with the counter.
    offsets: FastMap<(ValueId, i64), ir::Value>,
}

/// Accesses of memory that is known to be there, at any alignment.
fn flags() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

/// The type of a scalar or vector in a register.
fn register(ty: Ty) -> ir::Type {
    let lane = match (ty.kind, ty.lanes) {
        (Kind::F32, _) => types::F32,
        (Kind::F64, _) => types::F64,
        (Kind::I32, _) => types::I32,
        (Kind::I64, _) => types::I64,
        (Kind::Bool, 1) => types::I8,
        (Kind::Bool, 2) => types::I64,
        (Kind::Bool, _) => types::I32,
    };
    match ty.lanes {
        1 => lane,
        lanes => lane.by(u32::from(lanes)).expect("the verifier allows as many lanes as the target has"),
    }
}

impl Codegen<'_, '_> {
    fn define(&mut self, id: ValueId, value: ir::Value) {
        self.values[id.0 as usize] = Some(value);
    }

    fn value(&self, id: ValueId) -> ir::Value {
        self.values[id.0 as usize].expect("the verifier saw every value defined before its use")
    }

    fn ty(&self, id: ValueId) -> Ty {
        self.kernel.types[id.0 as usize]
    }

    fn block(&mut self, block: &[Stmt]) {
        for stmt in block {
            match stmt {
                Stmt::Let(id, expr) => {
                    let value = self.expr(self.ty(*id), expr);
                    self.define(*id, value);
                }
                Stmt::Store { address, value } => self.store(address, *value),
                Stmt::For(inner) => self.for_loop(inner),
                Stmt::Check { address, lanes, site } => self.check(address, *lanes, *site),
                Stmt::If { condition, then } => {
                    let (inside, after) = (self.b.create_block(), self.b.create_block());
                    let condition = self.value(*condition);
                    self.b.ins().brif(condition, inside, &[], after, &[]);
                    self.b.switch_to_block(inside);
                    self.block(then);
                    self.b.ins().jump(after, &[]);
                    self.b.switch_to_block(after);
                }
            }
        }
    }

    /// Leaves the function with a report if the access would lie outside of its buffer.
    fn check(&mut self, address: &Address, lanes: u8, site: u32) {
        let Some(checks) = &self.kernel.checks else { return };
        let Some((place, below)) = checks.place(address, lanes) else { return };
        let place = self.linear(&place);
        // Unsigned, so that what is negative is too large.
        let below = self.b.ins().iconst(types::I64, below);
        let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, place, below);
        let (outside, after) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(outside);
        self.b.ins().brif(inside, after, &[], outside, &[]);
        self.b.switch_to_block(outside);
        let report = self.bases[checks.report as usize];
        let site = self.b.ins().iconst(types::I64, i64::from(site));
        self.b.ins().store(flags(), place, report, 8);
        self.b.ins().store(flags(), site, report, 0);
        self.b.ins().return_(&[]);
        self.b.switch_to_block(after);
    }

    fn bound(&mut self, bound: Bound) -> ir::Value {
        match bound {
            Bound::Number(number) => self.b.ins().iconst(types::I64, number),
            Bound::Value(value) => self.value(value),
        }
    }

    /// Tested at the end of each round, and before the first one if it is not known that there is one.
    fn for_loop(&mut self, inner: &For) {
        let (body, exit) = (self.b.create_block(), self.b.create_block());
        let from = self.bound(inner.from);
        let to = self.bound(inner.to);
        let mut factors = Vec::new();
        strides(&inner.body, self.kernel, inner.counter, &mut factors);
        factors.truncate(MAX_OFFSETS);
        let mut entry: Vec<ir::Value> = vec![from];
        for factor in &factors {
            entry.push(self.b.ins().imul_imm_s(from, *factor));
        }
        let starts: Vec<ir::Value> = inner.carries.iter().map(|carry| self.value(carry.start)).collect();
        for _ in 0..entry.len() {
            self.b.append_block_param(body, types::I64);
        }
        for carry in &inner.carries {
            let ty = register(self.ty(carry.start));
            self.b.append_block_param(body, ty);
            self.b.append_block_param(exit, ty);
        }
        entry.extend(&starts);
        let entry = arguments(&entry);
        match (inner.from, inner.to) {
            (Bound::Number(from), Bound::Number(to)) if from < to => {
                self.b.ins().jump(body, &entry);
            }
            _ => {
                let runs = self.b.ins().icmp(IntCC::SignedLessThan, from, to);
                self.b.ins().brif(runs, body, &entry, exit, &arguments(&starts));
            }
        }
        self.b.switch_to_block(body);
        let params = self.b.block_params(body).to_vec();
        let counter = params[0];
        self.define(inner.counter, counter);
        for (factor, offset) in factors.iter().zip(&params[1..]) {
            self.offsets.insert((inner.counter, *factor), *offset);
        }
        for (carry, current) in inner.carries.iter().zip(&params[1 + factors.len()..]) {
            self.define(carry.current, *current);
        }
        self.block(&inner.body);
        let mut next = vec![self.b.ins().iadd_imm_s(counter, inner.step)];
        for (factor, offset) in factors.iter().zip(&params[1..]) {
            next.push(self.b.ins().iadd_imm_s(*offset, factor * inner.step));
        }
        let nexts: Vec<ir::Value> = inner.carries.iter().map(|carry| self.value(carry.next)).collect();
        let again = self.b.ins().icmp(IntCC::SignedLessThan, next[0], to);
        next.extend(&nexts);
        self.b.ins().brif(again, body, &arguments(&next), exit, &arguments(&nexts));
        self.b.switch_to_block(exit);
        let results = self.b.block_params(exit).to_vec();
        for (carry, result) in inner.carries.iter().zip(results) {
            self.define(carry.result, result);
        }
    }

    fn linear(&mut self, linear: &Linear) -> ir::Value {
        let mut sum: Option<ir::Value> = None;
        for (id, factor) in &linear.terms {
            let value = self.value(*id);
            let term = if *factor == 1 { value } else { self.b.ins().imul_imm_s(value, *factor) };
            sum = Some(match sum {
                None => term,
                Some(sum) => self.b.ins().iadd(sum, term),
            });
        }
        match sum {
            None => self.b.ins().iconst(types::I64, linear.constant),
            Some(sum) if linear.constant == 0 => sum,
            Some(sum) => self.b.ins().iadd_imm_s(sum, linear.constant),
        }
    }

    /// A register and what is to be added to it.
    fn address(&mut self, address: &Address) -> (ir::Value, i32) {
        let bytes = self.kernel.params[address.param as usize].kind.bytes();
        let mut sum = self.bases[address.param as usize];
        for (id, factor) in &address.index.terms {
            let factor = factor * bytes;
            let term = match self.offsets.get(&(*id, factor)) {
                Some(offset) => *offset,
                None => {
                    let value = self.value(*id);
                    match factor {
                        1 => value,
                        2 | 4 | 8 => self.b.ins().ishl_imm_s(value, i64::from(factor.trailing_zeros())),
                        _ => self.b.ins().imul_imm_s(value, factor),
                    }
                }
            };
            sum = self.b.ins().iadd(sum, term);
        }
        let constant = address.index.constant * bytes;
        match i32::try_from(constant) {
            Ok(constant) => (sum, constant),
            Err(_) => (self.b.ins().iadd_imm_s(sum, constant), 0),
        }
    }

    fn load(&mut self, ty: Ty, address: &Address) -> ir::Value {
        let (base, offset) = self.address(address);
        if ty.kind != Kind::Bool || ty.lanes == 1 {
            return self.b.ins().load(register(ty), flags(), base, offset);
        }
        // Bytes 0 and 1 become lanes of zeros and ones, then of no bits and all bits.
        let packed = if ty.lanes == 4 {
            self.b.ins().load(types::I32, flags(), base, offset)
        } else {
            let packed = self.b.ins().load(types::I16, flags(), base, offset);
            self.b.ins().uextend(types::I32, packed)
        };
        let packed = self.b.ins().scalar_to_vector(types::I32X4, packed);
        let bytes = self.cast(types::I8X16, packed);
        let halves = self.b.ins().uwiden_low(bytes);
        let mut lanes = self.b.ins().uwiden_low(halves);
        if ty.lanes == 2 {
            lanes = self.b.ins().uwiden_low(lanes);
        }
        self.b.ins().ineg(lanes)
    }

    fn store(&mut self, address: &Address, id: ValueId) {
        let ty = self.ty(id);
        let value = self.value(id);
        let (base, offset) = self.address(address);
        if ty.kind != Kind::Bool || ty.lanes == 1 {
            self.b.ins().store(flags(), value, base, offset);
            return;
        }
        if ty.lanes == 4 {
            let halves = self.b.ins().snarrow(value, value);
            let bytes = self.b.ins().snarrow(halves, halves);
            let packed = self.cast(types::I32X4, bytes);
            let packed = self.b.ins().extractlane(packed, 0);
            let packed = self.b.ins().band_imm_s(packed, 0x0101_0101);
            self.b.ins().store(flags(), packed, base, offset);
            return;
        }
        for lane in 0..ty.lanes {
            let value = self.b.ins().extractlane(value, lane);
            let value = self.b.ins().ireduce(types::I8, value);
            let value = self.b.ins().band_imm_s(value, 1);
            self.b.ins().store(flags(), value, base, offset + i32::from(lane));
        }
    }

    /// Reinterprets the bits of a value as another type of the same width.
    fn cast(&mut self, ty: ir::Type, value: ir::Value) -> ir::Value {
        let flags = MemFlagsData::new().with_endianness(ir::Endianness::Little);
        self.b.ins().bitcast(ty, flags, value)
    }

    /// A scalar in the form that it has in a lane of a vector.
    fn lane(&mut self, ty: Ty, value: ir::Value) -> ir::Value {
        if ty.kind != Kind::Bool {
            return value;
        }
        let wide = self.b.ins().uextend(register(ty).lane_type(), value);
        self.b.ins().ineg(wide)
    }

    fn pack(&mut self, ty: Ty, values: &[ir::Value]) -> ir::Value {
        let first = self.lane(ty, values[0]);
        let mut vector = self.b.ins().scalar_to_vector(register(ty), first);
        for (lane, value) in values.iter().enumerate().skip(1) {
            let value = self.lane(ty, *value);
            vector = self.b.ins().insertlane(vector, value, lane as u8);
        }
        vector
    }

    fn expr(&mut self, ty: Ty, expr: &Expr) -> ir::Value {
        match expr {
            Expr::Float(value) if ty.kind == Kind::F32 => self.b.ins().f32const(value.0 as f32),
            Expr::Float(value) => self.b.ins().f64const(value.0),
            Expr::Int(value) => {
                let value =
                    if ty.kind == Kind::I32 { i64::from(*value as i32) & 0xFFFF_FFFF } else { *value };
                self.b.ins().iconst(register(ty), value)
            }
            Expr::Bool(value) => self.b.ins().iconst(types::I8, i64::from(*value)),
            Expr::Linear(linear) => self.linear(linear),
            Expr::Iota(step) => {
                let bytes: Vec<u8> = (0..i32::from(ty.lanes))
                    .flat_map(|lane| (*step as i32).wrapping_mul(lane).to_le_bytes())
                    .collect();
                let constant = self.b.func.dfg.constants.insert(bytes.into());
                self.b.ins().vconst(register(ty), constant)
            }
            Expr::Splat(a) => {
                let value = self.value(*a);
                let value = self.lane(ty, value);
                self.b.ins().splat(register(ty), value)
            }
            Expr::Pack(ids) => {
                let values: Vec<ir::Value> = ids.iter().map(|id| self.value(*id)).collect();
                self.pack(ty, &values)
            }
            Expr::Extract(a, lane) => {
                let value = self.value(*a);
                let value = self.b.ins().extractlane(value, *lane);
                if ty.kind == Kind::Bool { self.b.ins().icmp_imm_s(IntCC::NotEqual, value, 0) } else { value }
            }
            Expr::Half(..) => unreachable!("only vectors wider than these have halves"),
            Expr::Load(address) => self.load(ty, address),
            Expr::Gather(addresses) => {
                let scalar = Ty::scalar(ty.kind);
                let values: Vec<ir::Value> = addresses.iter().map(|address| self.load(scalar, address)).collect();
                self.pack(ty, &values)
            }
            Expr::Unary(op, a) => self.unary(ty, *op, *a),
            Expr::Binary(op, a, b) => self.binary(ty, *op, *a, *b),
            Expr::Fma(a, b, c) => {
                let (a, b, c) = (self.value(*a), self.value(*b), self.value(*c));
                if self.has_fma {
                    return self.b.ins().fma(a, b, c);
                }
                // Without the instruction it is rounded twice: the one place where processors differ.
                let product = self.b.ins().fmul(a, b);
                self.b.ins().fadd(product, c)
            }
            Expr::Overflows(op, a, b) => self.overflows(*op, *a, *b),
            // Targets of this back end have own functions: see `host::check`.
            Expr::Library(_, operands) => self.value(operands[0]),
            Expr::Select(c, a, b) => {
                let (c, a, b) = (self.value(*c), self.value(*a), self.value(*b));
                self.select(ty, c, a, b)
            }
        }
    }
}

fn arguments(values: &[ir::Value]) -> Vec<ir::BlockArg> {
    values.iter().map(|value| ir::BlockArg::Value(*value)).collect()
}

/// The numbers of bytes by which addresses move with a counter, where the processor cannot scale by them.
fn strides(block: &[Stmt], kernel: &Kernel, counter: ValueId, into: &mut Vec<i64>) {
    let note = |address: &Address, into: &mut Vec<i64>| {
        for (id, factor) in &address.index.terms {
            let factor = factor * kernel.params[address.param as usize].kind.bytes();
            if *id == counter && !matches!(factor, 1 | 2 | 4 | 8) && !into.contains(&factor) {
                into.push(factor);
            }
        }
    };
    for stmt in block {
        match stmt {
            Stmt::Let(_, Expr::Load(address)) | Stmt::Store { address, .. } => note(address, into),
            Stmt::Let(_, Expr::Gather(addresses)) => addresses.iter().for_each(|address| note(address, into)),
            Stmt::Let(..) | Stmt::Check { .. } => {}
            Stmt::For(inner) => strides(&inner.body, kernel, counter, into),
            Stmt::If { then, .. } => strides(then, kernel, counter, into),
        }
    }
}
