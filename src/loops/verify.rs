//! What holds of every kernel:
//!
//! 1. A value is defined once, and used after its definition in the same block or one inside it.
//! 2. Operands have the types that their operation takes, and the result the type it gives.
//! 3. The values that go round a loop have one type each; bounds and address terms are scalars of i64.
//! 4. Parameters exist; a stored value has the kind of its parameter's memory; the parameter is `written`.
//! 5. Steps of loops are positive.
//! 6. Where accesses are checked, each stands behind a check of its address, with as many lanes, in its block.
//! 7. Values, and the parameter of reports, are numbers that the kernel has.
//!
//! What holds of every module:
//!
//! 8. All kernels keep the rules above.
//! 9. A call names a kernel that there is, with as many addresses and counters as it takes; counters are of scans
//!    around it; externals exist; what is written is not read only.
//! 10. Products, random numbers and poison lie in their memory, in all steps of the scans around them.
//! 11. Constants lie in the memory of constants. A step is one function only for a target that makes one.
//!
//! What a kernel reaches behind the addresses that it is given is compared with its buffers where it is lowered
//! ([`super::access`], [`super::params`]), or at run time in checked code.

mod module;

pub use module::{VerifiedModule, module};

use super::LoopError;
use super::ir::*;

/// Checks a kernel; the error names the first rule that is broken.
pub fn verify(kernel: &Kernel) -> Result<(), LoopError> {
    let mut checker = Checker { kernel, visible: vec![false; kernel.types.len()], defined: Vec::new() };
    checker.defined = vec![false; kernel.types.len()];
    if kernel.checks.as_ref().is_some_and(|checks| checks.report as usize >= kernel.params.len()) {
        return checker.fail("the report has no parameter".into());
    }
    for value in kernel.steps.iter().chain(&kernel.piece) {
        checker.define(*value)?;
    }
    checker.block(&kernel.body)
}

struct Checker<'k> {
    kernel: &'k Kernel,
    visible: Vec<bool>,
    defined: Vec<bool>,
}

impl Checker<'_> {
    fn fail<T>(&self, what: String) -> Result<T, LoopError> {
        Err(LoopError(format!("loop IR: {what}\n{}", self.kernel)))
    }

    fn ty(&self, value: ValueId) -> Ty {
        // What is no value has no lanes, which fits nowhere.
        let nothing = Ty { kind: Kind::Bool, lanes: 0 };
        self.kernel.types.get(value.0 as usize).copied().unwrap_or(nothing)
    }

    fn define(&mut self, value: ValueId) -> Result<(), LoopError> {
        let at = value.0 as usize;
        match self.defined.get_mut(at) {
            None => self.fail(format!("{value} has no type")),
            Some(true) => self.fail(format!("{value} is defined twice")),
            Some(defined) => {
                (*defined, self.visible[at]) = (true, true);
                Ok(())
            }
        }
    }

    fn is_visible(&self, value: ValueId) -> bool {
        self.visible.get(value.0 as usize).copied().unwrap_or(false)
    }

    fn used(&self, value: ValueId) -> Result<(), LoopError> {
        if self.is_visible(value) { Ok(()) } else { self.fail(format!("{value} is not defined here")) }
    }

    fn index(&self, value: ValueId) -> Result<(), LoopError> {
        self.used(value)?;
        if self.ty(value) == Ty::INDEX { Ok(()) } else { self.fail(format!("{value} is not an i64")) }
    }

    fn linear(&self, linear: &Linear) -> Result<(), LoopError> {
        linear.terms.iter().try_for_each(|(value, _)| self.index(*value))
    }

    fn address(&self, address: &Address) -> Result<Kind, LoopError> {
        self.linear(&address.index)?;
        match self.kernel.params.get(address.param as usize) {
            Some(param) => Ok(param.kind),
            None => self.fail(format!("there is no parameter {}", address.param)),
        }
    }

    fn block(&mut self, block: &[Stmt]) -> Result<(), LoopError> {
        let mut defined = Vec::new();
        let mut checked: Vec<(&Address, u8)> = Vec::new();
        for stmt in block {
            self.is_checked(stmt, &checked)?;
            match stmt {
                Stmt::Check { address, lanes, .. } => {
                    self.address(address)?;
                    checked.push((address, *lanes));
                }
                Stmt::Let(value, expr) => {
                    self.expr(*value, expr)?;
                    self.define(*value)?;
                    defined.push(*value);
                }
                Stmt::Store { address, value } => {
                    self.used(*value)?;
                    let kind = self.address(address)?;
                    if kind != self.ty(*value).kind {
                        return self.fail(format!("{value} is stored as another kind"));
                    }
                    if !self.kernel.params[address.param as usize].written {
                        return self.fail(format!("parameter {} is not writable", address.param));
                    }
                }
                Stmt::For(inner) => {
                    self.enter_for(inner)?;
                    defined.extend(inner.carries.iter().map(|carry| carry.result));
                }
                Stmt::If { condition, then } => {
                    self.used(*condition)?;
                    if self.ty(*condition) != Ty::BOOL {
                        return self.fail(format!("{condition} is not a condition"));
                    }
                    self.block(then)?;
                }
            }
        }
        defined.into_iter().for_each(|value| self.visible[value.0 as usize] = false);
        Ok(())
    }

    /// Whether the accesses of a statement are among those that were checked, if they have to be.
    fn is_checked(&self, stmt: &Stmt, checked: &[(&Address, u8)]) -> Result<(), LoopError> {
        let Some(checks) = &self.kernel.checks else { return Ok(()) };
        let lanes = |value: &ValueId| self.ty(*value).lanes;
        let accesses: Vec<(&Address, u8)> = match stmt {
            Stmt::Let(value, Expr::Load(address)) => vec![(address, lanes(value))],
            Stmt::Let(_, Expr::Gather(addresses)) => addresses.iter().map(|address| (address, 1)).collect(),
            Stmt::Store { address, value } => vec![(address, lanes(value))],
            Stmt::Let(..) | Stmt::For(_) | Stmt::If { .. } | Stmt::Check { .. } => Vec::new(),
        };
        match accesses.into_iter().find(|access| !checked.contains(access) || checks.place(access.0, access.1).is_none()) {
            Some((address, lanes)) => self.fail(format!("{lanes} elements of {address} are not checked")),
            None => Ok(()),
        }
    }

    fn enter_for(&mut self, inner: &For) -> Result<(), LoopError> {
        for bound in [inner.from, inner.to] {
            if let Bound::Value(value) = bound {
                self.index(value)?;
            }
        }
        if inner.step <= 0 {
            return self.fail(format!("the step of {} is not positive", inner.counter));
        }
        self.define(inner.counter)?;
        for carry in &inner.carries {
            self.used(carry.start)?;
            self.define(carry.current)?;
        }
        // The next values are seen at the end of the body, so they are checked inside of it.
        let mut body: Vec<ValueId> = Vec::new();
        for stmt in &inner.body {
            if let Stmt::Let(value, _) = stmt {
                body.push(*value);
            }
            if let Stmt::For(inner) = stmt {
                body.extend(inner.carries.iter().map(|carry| carry.result));
            }
        }
        self.block(&inner.body)?;
        for carry in &inner.carries {
            let seen = self.is_visible(carry.next) || body.contains(&carry.next);
            let tys = [carry.current, carry.next, carry.result].map(|value| self.ty(value));
            if !seen || tys.iter().any(|ty| *ty != self.ty(carry.start)) {
                return self.fail(format!("{} does not go round", carry.current));
            }
        }
        self.visible[inner.counter.0 as usize] = false;
        for carry in &inner.carries {
            self.visible[carry.current.0 as usize] = false;
            self.define(carry.result)?;
        }
        Ok(())
    }

    fn expr(&self, value: ValueId, expr: &Expr) -> Result<(), LoopError> {
        let mut seen = Ok(());
        expr.for_each_value(|operand| {
            if seen.is_ok() {
                seen = self.used(operand);
            }
        });
        seen?;
        let ty = self.ty(value);
        let fits = match expr {
            Expr::Float(_) => ty.kind.is_float() && ty.lanes == 1,
            Expr::Int(_) => matches!(ty.kind, Kind::I32 | Kind::I64) && ty.lanes == 1,
            Expr::Bool(_) => ty == Ty::BOOL,
            Expr::Linear(linear) => {
                self.linear(linear)?;
                ty == Ty::INDEX
            }
            Expr::Iota(_) => ty.kind == Kind::I32 && ty.lanes > 1,
            Expr::Splat(a) => self.ty(*a) == Ty::scalar(ty.kind) && ty.lanes > 1,
            Expr::Pack(values) => {
                values.len() == usize::from(ty.lanes)
                    && values.iter().all(|value| self.ty(*value) == Ty::scalar(ty.kind))
            }
            Expr::Extract(a, lane) => ty == Ty::scalar(self.ty(*a).kind) && *lane < self.ty(*a).lanes,
            Expr::Half(a, _) => ty.kind == self.ty(*a).kind && 2 * ty.lanes == self.ty(*a).lanes,
            Expr::Load(address) => self.address(address)? == ty.kind,
            Expr::Gather(addresses) => {
                for address in addresses {
                    if self.address(address)? != ty.kind {
                        return self.fail(format!("{value} is gathered from another kind"));
                    }
                }
                addresses.len() == usize::from(ty.lanes)
            }
            Expr::Unary(op, a) => unary_fits(*op, self.ty(*a), ty),
            Expr::Binary(op, a, b) => binary_fits(*op, self.ty(*a), self.ty(*b), ty),
            Expr::Overflows(_, a, b) => {
                self.ty(*a) == Ty::INDEX && self.ty(*b) == Ty::INDEX && ty == Ty::BOOL
            }
            Expr::Library(_, operands) => operands.iter().all(|value| self.ty(*value) == ty) && ty.kind.is_float(),
            Expr::Fma(a, b, c) => [a, b, c].iter().all(|value| self.ty(**value) == ty) && ty.kind.is_float(),
            Expr::Select(c, a, b) => {
                self.ty(*a) == ty && self.ty(*b) == ty && self.ty(*c) == ty.with_kind(Kind::Bool)
            }
        };
        if fits { Ok(()) } else { self.fail(format!("the operands of {value} do not fit")) }
    }
}

fn unary_fits(op: Unary, a: Ty, result: Ty) -> bool {
    if a.lanes != result.lanes {
        return false;
    }
    let (a, result) = (a.kind, result.kind);
    match op {
        Unary::Neg | Unary::Abs => a == result && a != Kind::Bool,
        Unary::Sqrt | Unary::Floor | Unary::Ceil | Unary::Round => a == result && a.is_float(),
        Unary::Not => a == Kind::Bool && result == Kind::Bool,
        Unary::ToFloat => result.is_float() && !a.is_float(),
        Unary::ToInt => result == Kind::I32 && a == Kind::Bool || result == Kind::I64 && a.is_float(),
        Unary::ToIndex => a == Kind::I32 && result == Kind::I64,
        Unary::FromIndex => a == Kind::I64 && result == Kind::I32,
        Unary::ToBits => (a, result) == (Kind::F32, Kind::I32) || (a, result) == (Kind::F64, Kind::I64),
        Unary::FromBits => (result, a) == (Kind::F32, Kind::I32) || (result, a) == (Kind::F64, Kind::I64),
    }
}

fn binary_fits(op: Binary, a: Ty, b: Ty, result: Ty) -> bool {
    let is_int = matches!(a.kind, Kind::I32 | Kind::I64);
    match op {
        Binary::Add | Binary::Sub | Binary::Mul | Binary::Min | Binary::Max => {
            a == b && a == result && a.kind != Kind::Bool
        }
        Binary::Div => a == b && a == result && a.kind.is_float(),
        Binary::FloorDiv | Binary::Mod => a == b && a == result && a.lanes == 1 && is_int,
        Binary::Lt | Binary::Le => a == b && result == a.with_kind(Kind::Bool) && a.kind != Kind::Bool,
        Binary::Eq => a == b && result == a.with_kind(Kind::Bool),
        Binary::And | Binary::Or | Binary::Xor => a == b && a == result && !a.kind.is_float(),
        Binary::Shl | Binary::Shr => a == result && is_int && b == Ty::scalar(Kind::I32),
    }
}
