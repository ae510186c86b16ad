//! Data sets as values: `digits`, `digits.test`, `digits.image`, `digits.rows`; and the functions with which a
//! `data` item reads its source: `column`, `columns`, `tensor`, `window`.

use crate::base::Span;
use crate::sema::body::data_table::FieldInfo;
use crate::ir::program::{DataRef, Select, Source, SourceColumn};
use crate::ir::{Affine, ColumnKey, Dim, Elem, InputKey, LoopBuilder, NodeId, Op, StepId, Sub, Type};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::scope::report::data::DataError;
use crate::sema::scope::report::sources::{ColumnError, SourceError};
use crate::sema::settings::{self, Arguments};
use crate::sema::value::{DataValue, IntSource, Interval, Tensor, Value};
use crate::syntax::ast;
use std::sync::Arc;

/// A column as graphs name it: `digits.image`, `digits.test.image`.
fn column_key(data: &DataValue, field: &str) -> InputKey {
    ColumnKey { set: data.item.clone(), part: data.part.clone(), field: field.into() }.into()
}

impl Elaborator<'_> {
    /// The number of rows of a data set or part.
    pub fn data_rows(&self, data: &DataValue) -> Option<Dim> {
        let info = self.data.sets.get(&data.item)?;
        Some(match &data.part {
            Some(part) => Dim::symbol(DataRef::rows_of(&data.item, Some(part))),
            None => info.rows.clone(),
        })
    }

    /// `data.name`: a column, a part or the number of rows.
    pub fn data_field(&mut self, data: &DataValue, name: &str, span: Span) -> Value {
        if !self.demand_data(&data.item, span) {
            return Value::Error;
        }
        let Some(info) = self.data.sets.get(&data.item).cloned() else {
            return self.report(DataError::OfItself { data: data.item.clone(), at: span });
        };
        if name == "rows" {
            return self.data_rows(data).map_or(Value::Error, Value::Int);
        }
        if data.part.is_none() && info.parts.iter().any(|part| &**part == name) {
            return Value::Data(DataValue { item: data.item.clone(), part: Some(name.into()) });
        }
        let Some(field) = info.fields.iter().find(|field| &*field.name == name) else {
            if info.broken {
                return Value::Error;
            }
            if self.data.is_open(&data.item)
                && self.data.current.declared.iter().any(|field| field.name.as_str() == name)
            {
                let name = name.to_owned();
                return self.report(DataError::FieldBelow { data: data.item.clone(), name, at: span });
            }
            let mut known: Vec<Arc<str>> = info.fields.iter().map(|field| field.name.clone()).collect();
            if data.part.is_none() {
                known.extend(info.parts.iter().cloned());
            }
            known.push("rows".into());
            let (declared, name) = (info.span, name.to_owned());
            return self.report(DataError::NoField { data: data.item.clone(), name, known, declared, at: span });
        };
        if data.part.is_none() && self.data.is_open(&data.item) {
            return self.data.current.whole.get(name).cloned().map_or(Value::Error, Value::Tensor);
        }
        let Some(rows) = self.data_rows(data) else { return Value::Error };
        let source = IntSource::Field { set: data.item.clone(), field: field.name.clone() };
        self.input_tensor(column_key(data, name), rows, field, source, span)
    }

    /// An input whose first axis is rows of a data set, in the outermost graph.
    pub fn input_tensor(
        &mut self,
        name: InputKey,
        rows: Dim,
        field: &FieldInfo,
        source: IntSource,
        span: Span,
    ) -> Value {
        let shape: Vec<Dim> = std::iter::once(rows).chain(field.row.shape.iter().cloned()).collect();
        let ty = Type::new(field.row.elem, shape);
        if self.is_compile_time() {
            return self.report(DataError::AtCompileTime { at: span });
        }
        let outer = &mut self.levels[0];
        let node = outer.graph.add(Op::Input { name, ty: ty.clone() }, Vec::new());
        let level = outer.id;
        let stretch = vec![false; ty.rank()];
        let is_int = ty.elem == Elem::Int;
        let interval = field.below.as_ref().filter(|_| is_int).map(Interval::below);
        let field = is_int.then_some(source);
        Value::Tensor(Tensor { node, level, ty, stretch, interval, affine: None, field, span })
    }

    /// A call that means something in a `data` item only: of the source's columns, or `standardize`.
    pub fn data_call(
        &mut self,
        callee: &ast::Expr,
        args: &ast::Args,
        span: Span,
        expected: Option<&Expected>,
    ) -> Option<Value> {
        let name = callee.as_name()?.clone();
        self.context.row()?;
        let is_text = matches!(self.context.row().map(|row| &row.source), Some(Source::Text { .. }));
        let call = match settings::find(settings::COLUMNS, &name)? {
            call if call.name == "window" && !is_text => &settings::ROW_WINDOW,
            call => call,
        };
        // A field may have the name of the call that reads it: it is a tensor, and cannot be called.
        if self.frame().find(&name).is_some_and(|binding| !matches!(binding.value, Value::Tensor(_))) {
            return None;
        }
        // The user's function of this name is meant.
        if matches!(call.name, "fill" | "is_missing" | "date" | "category" | "words" | "characters" | "pairs") && self.global(&name, callee.span).is_some() {
            return None;
        }
        let Some(arguments) = self.arguments(call, args) else { return Some(Value::Error) };
        if call.name == "standardize" {
            let values = arguments.get("values")?;
            return Some(super::statistics::standardize(self, values, span, expected));
        }
        if matches!(call.name, "fill" | "is_missing") {
            return super::missing::call(self, call.name, &arguments, span);
        }
        match call.name {
            "window" if !is_text => {
                return Some(super::windows::window(self, &arguments, span, expected).unwrap_or(Value::Error));
            }
            "date" => return Some(super::readings::date(self, &arguments, expected).unwrap_or(Value::Error)),
            "words" | "characters" | "pairs" => {
                return Some(super::readings::text(self, call.name, &arguments, span).unwrap_or(Value::Error));
            }
            "category" => {
                return Some(super::readings::category(self, &arguments, span).unwrap_or(Value::Error));
            }
            _ => {}
        }
        Some(self.source_call(call.name, &arguments, span, expected))
    }

    /// `column(…)`, `columns(…)`, `tensor(…)`, `window(…)`, `pixels()`, `labels()` in a `data` item.
    fn source_call(
        &mut self,
        name: &'static str,
        arguments: &Arguments<'_>,
        span: Span,
        expected: Option<&Expected>,
    ) -> Value {
        let Some(reading) = self.context.row().cloned() else { return Value::Error };
        let Some((select, shape)) = self.selection(name, arguments, span) else { return Value::Error };
        if !(settings::kind_of(&reading.source).has)(&select) {
            let source = reading.source.clone();
            return self.report(ColumnError::OtherSource { call: name, source, at: span });
        }
        let elem = match (&select, expected.and_then(|expected| expected.elem)) {
            (Select::Labels | Select::Window { .. }, _) => Elem::Int,
            (_, Some(elem)) => elem,
            (_, None) => Elem::Float,
        };
        let names = match arguments.get("names") {
            Some(names) => match self.class_names(names, elem) {
                Some(names) => Some(names),
                None => return Value::Error,
            },
            None => None,
        };
        let shape = match (shape, expected) {
            (Some(shape), _) => shape,
            (None, Some(expected)) => expected.shape(),
            (None, None) => return self.report(ColumnError::NoShape { at: span }),
        };
        self.read_column(select, names, Type::new(elem, shape), span)
    }

    /// What a call reads of its source, and the shape of one row unless the field says it.
    fn selection(
        &mut self,
        name: &str,
        arguments: &Arguments<'_>,
        span: Span,
    ) -> Option<(Select, Option<Vec<Dim>>)> {
        Some(match name {
            "column" => (self.column_select(arguments.get("column")?)?, Some(Vec::new())),
            "columns" => {
                let select = self.columns_select(arguments)?;
                let width = match &select {
                    Select::Columns { from, to } => to - from,
                    Select::Named(names) => names.len(),
                    Select::Tensor(_)
                    | Select::Whole
                    | Select::Scaled(_)
                    | Select::Labels
                    | Select::Window { .. } => 0,
                };
                (select, Some(vec![Dim::from(width)]))
            }
            "tensor" => match arguments.get("name") {
                Some(name) => (Select::Tensor(self.text_arg(name)?), None),
                None => (Select::Whole, None),
            },
            "pixels" => match arguments.get("fit") {
                Some(fit) => (Select::Scaled(super::readings::fit(self, fit)?), None),
                None => (Select::Whole, None),
            },
            "labels" => (Select::Labels, Some(Vec::new())),
            _ => {
                let length = self.compile_time_int(arguments.get("length")?, "the length of a window")?;
                let offset = match arguments.get("shift") {
                    Some(shift) => self.compile_time_int(shift, "the shift of a window")?,
                    None => 0,
                };
                let (Ok(length @ 1..), Ok(offset)) = (usize::try_from(length), usize::try_from(offset))
                else {
                    self.report(ColumnError::Window { at: span });
                    return None;
                };
                (Select::Window { length, offset }, Some(vec![Dim::from(length)]))
            }
        })
    }

    /// `names = ["cat", "dog"]`, of ints: the names of the classes in order. `None` is reported.
    pub(super) fn class_names(&mut self, names: &ast::Expr, elem: Elem) -> Option<Vec<String>> {
        let value = self.expr(names, None);
        if value.is_error() {
            return None;
        }
        let Some(texts) = value.as_texts() else {
            self.report(ColumnError::NamesNotTexts { found: value, at: names.span });
            return None;
        };
        if let Some(again) = (1..texts.len()).find(|at| texts[..*at].contains(&texts[*at])) {
            self.report(ColumnError::NameTwice { name: texts[again].clone(), at: names.span });
            return None;
        }
        if elem != Elem::Int {
            self.report(ColumnError::NamesOfNumbers { count: texts.len(), at: names.span });
            return None;
        }
        Some(texts)
    }

    /// The present row of a column, which becomes an input of the data graph.
    pub(super) fn read_column(&mut self, select: Select, names: Option<Vec<String>>, row: Type, span: Span) -> Value {
        let Some(reading) = self.context.row().cloned() else { return Value::Error };
        let row = match reading.text {
            Some(units) => Type::new(Elem::Int, vec![Dim::from(units.length)]),
            None => row,
        };
        let columns = &mut self.data.current.columns;
        let has_other = reading.category.is_some();
        let column = SourceColumn {
            name: InputKey::Source(columns.len() as u32),
            field: reading.field.clone(),
            select,
            names: reading.category.clone().flatten().or(names),
            row: row.clone(),
            training_only: reading.training_only,
            may_miss: reading.may_miss,
            has_other,
            date: reading.date,
            text: reading.text,
            summary: reading.summary,
            span,
        };
        let known = columns.iter().find(|known| {
            let (name, span) = (column.name.clone(), column.span);
            SourceColumn { name, span, ..(*known).clone() } == column
        });
        let name = known.map(|known| known.name.clone());
        let name = name.unwrap_or_else(|| {
            let name = column.name.clone();
            columns.push(column);
            name
        });
        let (rows, step) = (reading.rows.clone(), reading.step);
        let is_summary = reading.summary.is_some();
        let rows = std::iter::once(rows).filter(|_| !is_summary);
        let shape: Vec<Dim> = rows.chain(row.shape.iter().cloned()).collect();
        let ty = Type::new(row.elem, shape);
        let outer = &mut self.levels[0];
        let node = outer.graph.add(Op::Input { name, ty: ty.clone() }, Vec::new());
        let whole = Tensor {
            node,
            level: outer.id,
            stretch: vec![false; ty.rank()],
            ty,
            interval: None,
            affine: None,
            field: None,
            span,
        };
        if is_summary {
            return Value::Tensor(whole);
        }
        self.row_of(&whole, step, span).map_or(Value::Error, Value::Tensor)
    }

    /// The present row of a tensor of the outer graph.
    pub fn row_of(&mut self, whole: &Tensor, step: StepId, span: Span) -> Option<Tensor> {
        let node: NodeId = self.node(whole, span)?;
        let shape = whole.ty.shape[1..].to_vec();
        let mut l = LoopBuilder::new(self.graph(), shape);
        let mut subs = vec![Sub::Affine(Affine::step(step))];
        subs.extend((0..whole.ty.rank() - 1).map(|axis| l.index(axis)));
        let value = l.read(node, subs);
        let body = l.map(value);
        let mut row = self.add_loop(span, body);
        row.interval = whole.interval.clone();
        Some(row)
    }

    fn column_select(&mut self, column: &ast::Expr) -> Option<Select> {
        match self.expr(column, None) {
            Value::Str(name) => Some(Select::Named(vec![name.to_string()])),
            Value::Int(number) => match number.as_number() {
                Some(number) if number >= 0 => {
                    Some(Select::Columns { from: number as usize, to: number as usize + 1 })
                }
                _ => {
                    self.report(ColumnError::NegativeColumn { at: column.span });
                    None
                }
            },
            Value::Error => None,
            found => {
                self.report(ColumnError::NotColumn { found, at: column.span });
                None
            }
        }
    }

    fn columns_select(&mut self, arguments: &Arguments<'_>) -> Option<Select> {
        let columns: Vec<&ast::Expr> = arguments.all("columns").collect();
        if let [only] = columns.as_slice()
            && let ast::ExprKind::Slice(slice) = &only.kind
        {
            let from = match &slice.start {
                Some(start) => self.compile_time_int(start, "the first column")?,
                None => 0,
            };
            let Some(end) = &slice.end else {
                self.report(ColumnError::NoEnd { at: only.span });
                return None;
            };
            let to = self.compile_time_int(end, "the end of the columns")?;
            if slice.step.is_some() || from < 0 || to <= from {
                self.report(ColumnError::NotRange { from, to, at: only.span });
                return None;
            }
            return Some(Select::Columns { from: from as usize, to: to as usize });
        }
        let mut names = Vec::new();
        for column in columns {
            match self.expr(column, None) {
                Value::Str(name) => names.push(name.to_string()),
                Value::Error => return None,
                found => {
                    self.report(ColumnError::NotName { found, at: column.span });
                    return None;
                }
            }
        }
        Some(Select::Named(names))
    }

    /// A string known at compile time; `None` is reported.
    pub fn text_arg(&mut self, expr: &ast::Expr) -> Option<String> {
        match self.expr(expr, None) {
            Value::Str(text) => Some(text.to_string()),
            Value::Error => None,
            found => {
                self.report(SourceError::NotText { found, at: expr.span });
                None
            }
        }
    }
}
