//! One point of a stage: what is read there, computed, and written.

use super::access::{Access, Check, Form, Node, Work};
use super::emit::Emitter;
use super::ir::*;
use super::regions::{self, Known};
use super::scalar;
use crate::ir::{ScalarId, UnaryOp};

impl Emitter<'_> {
    /// The value of a point; an int with as many bits as the target's.
    pub fn value_of(&mut self, work: &Work, point: &[i64]) -> ValueId {
        let mut memo = vec![None; work.nodes.len()];
        let value = self.eval(work, work.result, point, &mut memo);
        self.builder.as_int(work.value_kind(), value)
    }

    pub fn eval(
        &mut self,
        work: &Work,
        id: ScalarId,
        point: &[i64],
        memo: &mut Vec<Option<ValueId>>,
    ) -> ValueId {
        if let Some(value) = memo[id.0 as usize] {
            return value;
        }
        let kind = work.kinds[id.0 as usize];
        let value = match &work.nodes[id.0 as usize] {
            Node::Float(value) => self.builder.float(kind, value.0),
            Node::Int(value) => self.builder.int(kind, *value),
            Node::Bool(value) => self.builder.bool(*value),
            Node::Form(form) => self.form(form, point, kind),
            Node::Same(a) => {
                let value = self.eval(work, *a, point, memo);
                self.builder.as_int(kind, value)
            }
            Node::Read(access) => self.read(work, access, point, memo),
            Node::Unary(op, a) => {
                let a = self.eval(work, *a, point, memo);
                let a = match op {
                    UnaryOp::Neg => self.builder.as_int(kind, a),
                    _ => a,
                };
                let value = scalar::unary(self.builder, self.float, *op, a);
                self.builder.as_int(kind, value)
            }
            Node::Binary(op, a, b) => {
                let a = self.eval(work, *a, point, memo);
                let b = self.eval(work, *b, point, memo);
                let (a, b) = self.same_int(kind, a, b);
                let value = scalar::binary(self.builder, *op, a, b);
                self.builder.as_int(kind, value)
            }
            Node::Select(c, a, b) => {
                let c = self.eval(work, *c, point, memo);
                let a = self.eval(work, *a, point, memo);
                let b = self.eval(work, *b, point, memo);
                let (a, b) = (self.builder.as_int(kind, a), self.builder.as_int(kind, b));
                self.builder.select(c, a, b)
            }
        };
        memo[id.0 as usize] = Some(value);
        value
    }

    /// A linear form as a number (i64), the first lane's.
    fn linear(&self, form: &Form, point: &[i64]) -> Linear {
        let mut linear = Linear::number(form.constant);
        for ((factor, cursor), offset) in form.coefficients.iter().zip(&self.cursors).zip(point) {
            linear.constant += factor * (cursor.offset + offset);
            if let Some(counter) = cursor.counter {
                linear.add_term(counter, *factor);
            }
        }
        for (step, factor) in &form.steps {
            linear.add_term(self.steps[step], *factor);
        }
        linear
    }

    /// Two ints with as many bits as the wider one of them and of the result has.
    fn same_int(&mut self, result: Kind, a: ValueId, b: ValueId) -> (ValueId, ValueId) {
        let kinds = [result, self.builder.ty(a).kind, self.builder.ty(b).kind];
        let is_long =
            kinds[1..].iter().all(|kind| matches!(kind, Kind::I32 | Kind::I64)) && kinds.contains(&Kind::I64);
        if is_long { (self.builder.as_int(Kind::I64, a), self.builder.as_int(Kind::I64, b)) } else { (a, b) }
    }

    /// A linear form as an int of the program.
    pub fn form(&mut self, form: &Form, point: &[i64], kind: Kind) -> ValueId {
        let linear = self.linear(form, point);
        let value = self.builder.linear(linear);
        if kind == Kind::I64 {
            return value;
        }
        let value = self.builder.unary(Unary::FromIndex, value);
        match self.vector.map(|index| form.coefficients[index]) {
            Some(factor) if factor != 0 => {
                let ty = Ty { kind: Kind::I32, lanes: self.lanes };
                let iota = self.builder.add(ty, Expr::Iota(factor));
                self.builder.binary(Binary::Add, value, iota)
            }
            _ => value,
        }
    }

    fn read(
        &mut self,
        work: &Work,
        access: &Access,
        point: &[i64],
        memo: &mut Vec<Option<ValueId>>,
    ) -> ValueId {
        let kind = self.builder.param_kind(access.param);
        let mut values = Vec::new();
        for (id, stride) in &access.values {
            values.push((self.eval(work, *id, point, memo), *stride));
        }
        let mut conditions = Vec::new();
        for check in &access.checks {
            match (check.value, self.known(work, check)) {
                // Of an axis without elements there is not even the first, which is read instead of others.
                (_, Known::Never) => return scalar::zero(self.builder, kind),
                (None, Known::Always) => {}
                (None, Known::Open) => conditions.push((self.check_form(check, point), None)),
                (Some(id), _) => {
                    let value = self.eval(work, id, point, memo);
                    conditions.push((value, Some(check.size)));
                }
            }
        }
        let lanes_of = |emitter: &Self, value: ValueId| emitter.builder.ty(value).lanes;
        let by_value = values.iter().any(|(value, _)| lanes_of(self, *value) > 1)
            || conditions.iter().any(|(value, _)| lanes_of(self, *value) > 1);
        let stride = self.vector.map_or(0, |index| access.form.coefficients[index]);
        let linear = self.linear(&access.form, point);
        if let Some(address) = self.register(access, point) {
            // One number for all lanes if these are of the stage's own reduction, or if it is the same in all.
            let shared = self.vector.is_some_and(|index| index < self.n_shared);
            let kept = |lanes: u8| self.builder.kept(&address, Ty { kind, lanes });
            if let Some(value) = shared.then(|| kept(self.lanes)).flatten().or_else(|| kept(1)) {
                return value;
            }
        }
        if stride == 0 && !by_value {
            return self.read_lane(access.param, linear, &values, &conditions, 0, 1);
        }
        if stride == 1 && !by_value {
            return self.read_lane(access.param, linear, &values, &conditions, 0, self.lanes);
        }
        if values.is_empty() && conditions.is_empty() {
            let addresses = (0..i64::from(self.lanes)).map(|lane| {
                let mut index = linear.clone();
                index.constant += lane * stride;
                Address { param: access.param, index }
            });
            let expr = Expr::Gather(addresses.collect());
            return self.builder.add(Ty { kind, lanes: self.lanes }, expr);
        }
        let lanes: Vec<ValueId> = (0..self.lanes)
            .map(|lane| {
                let mut index = linear.clone();
                index.constant += i64::from(lane) * stride;
                self.read_lane(access.param, index, &values, &conditions, lane, 1)
            })
            .collect();
        self.builder.add(Ty { kind, lanes: self.lanes }, Expr::Pack(lanes))
    }

    /// One element, or `lanes` consecutive ones, with the values of lane `lane`.
    fn read_lane(
        &mut self,
        param: u32,
        mut index: Linear,
        values: &[(ValueId, i64)],
        conditions: &[(ValueId, Option<i64>)],
        lane: u8,
        lanes: u8,
    ) -> ValueId {
        for (value, stride) in values {
            let value = self.builder.extract(*value, lane);
            let value = self.builder.unary(Unary::ToIndex, value);
            index.add_term(value, *stride);
        }
        let mut all: Option<ValueId> = None;
        for (value, size) in conditions {
            let value = self.builder.extract(*value, lane);
            let holds = match size {
                None => value,
                Some(size) => {
                    let value = self.builder.unary(Unary::ToIndex, value);
                    self.in_range(value, *size)
                }
            };
            all = Some(self.both(all, holds));
        }
        let ty = Ty { kind: self.builder.param_kind(param), lanes };
        let Some(holds) = all else { return self.builder.add(ty, Expr::Load(Address { param, index })) };
        let inside = self.builder.linear(index);
        let zero = self.builder.int(Kind::I64, 0);
        let safe = self.builder.select(holds, inside, zero);
        let mut index = Linear::default();
        index.add_term(safe, 1);
        let value = self.builder.add(ty, Expr::Load(Address { param, index }));
        let nothing = scalar::zero(self.builder, ty.kind);
        self.builder.select(holds, value, nothing)
    }

    /// A name for private memory that has one place for points that are worked on together: the value lives
    /// in a register, one for each of these points.
    fn register(&self, access: &Access, point: &[i64]) -> Option<Address> {
        if !self.private[access.param as usize] {
            return None;
        }
        let jams = self.jams.iter().filter(|jam| jam.index < self.n_shared);
        let open = jams.clone().map(|jam| jam.index).chain(self.vector.filter(|at| *at < self.n_shared));
        if !open.into_iter().any(|index| access.form.coefficients[index] == 0) {
            return None;
        }
        let number = jams.fold(1, |number, jam| number * 64 + point[jam.index] / jam.stride);
        let index = Linear::number(access.form.constant + (number << 40));
        Some(Address { param: access.param, index })
    }

    /// What is known of a check in the loops that are open.
    fn known(&self, work: &Work, check: &Check) -> Known {
        regions::known(check, &work.sizes, &self.ranges)
    }

    /// Whether all conditions so far hold, and this one.
    fn both(&mut self, all: Option<ValueId>, holds: ValueId) -> ValueId {
        match all {
            None => holds,
            Some(all) => self.builder.binary(Binary::And, all, holds),
        }
    }

    fn check_form(&mut self, check: &Check, point: &[i64]) -> ValueId {
        let linear = self.linear(&check.form, point);
        let value = self.builder.linear(linear);
        self.in_range(value, check.size)
    }

    fn in_range(&mut self, value: ValueId, size: i64) -> ValueId {
        let zero = self.builder.int(Kind::I64, 0);
        let size = self.builder.int(Kind::I64, size);
        let above = self.builder.binary(Binary::Le, zero, value);
        let below = self.builder.binary(Binary::Lt, value, size);
        self.builder.binary(Binary::And, above, below)
    }

    pub fn write(&mut self, work: &Work, point: &[i64], value: ValueId, reads_back: bool) {
        let access = &work.write;
        let mut memo = vec![None; work.nodes.len()];
        let mut index = self.linear(&access.form, point);
        for (id, stride) in &access.values {
            let value = self.eval(work, *id, point, &mut memo);
            let value = self.builder.unary(Unary::ToIndex, value);
            index.add_term(value, *stride);
        }
        let mut all: Option<ValueId> = None;
        for check in &access.checks {
            let holds = match (check.value, self.known(work, check)) {
                (_, Known::Never) => return,
                (None, Known::Always) => continue,
                (None, Known::Open) => self.check_form(check, point),
                (Some(id), _) => {
                    let value = self.eval(work, id, point, &mut memo);
                    let value = self.builder.unary(Unary::ToIndex, value);
                    self.in_range(value, check.size)
                }
            };
            all = Some(self.both(all, holds));
        }
        if let Some(holds) = all {
            self.builder.begin_if(holds);
        } else if let Some(address) = self.register(access, point) {
            let lanes = if self.vector.is_some() { self.lanes } else { 1 };
            let value = self.builder.splat(value, lanes);
            self.builder.keep(address, value);
            return;
        }
        let stride = self.vector.map_or(0, |at| access.form.coefficients[at]);
        let address = |lane: i64| {
            let mut index = index.clone();
            index.constant += lane * stride;
            Address { param: access.param, index }
        };
        if self.vector.is_none() || stride == 1 {
            let lanes = if self.vector.is_some() { self.lanes } else { 1 };
            let value = self.builder.splat(value, lanes);
            self.write_one(work, address(0), value, reads_back);
        } else {
            let value = self.builder.splat(value, self.lanes);
            for lane in 0..self.lanes {
                let value = self.builder.extract(value, lane);
                self.write_one(work, address(i64::from(lane)), value, reads_back);
            }
        }
        if all.is_some() {
            self.builder.end_if();
        }
    }

    fn write_one(&mut self, work: &Work, address: Address, value: ValueId, reads_back: bool) {
        let value = if reads_back {
            let ty = self.builder.ty(value);
            let old = self.builder.add(ty, Expr::Load(address.clone()));
            let overflow = self.combine_overflows(work, old, value);
            self.report(overflow);
            scalar::combine(self.builder, work.combine, old, value)
        } else {
            value
        };
        self.builder.store(address, value);
    }
}
