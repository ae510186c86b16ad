//! Data sets as values: `digits`, `digits.test`, `digits.image`, `digits.rows`; and the functions with which a
//! `data` item reads its source: `column`, `columns`, `tensor`, `window`.

use crate::base::{Diagnostic, Span, nearest};
use super::data_table::FieldInfo;
use crate::ir::program::{DataRef, Select, Source, SourceColumn};
use crate::ir::{Affine, ColumnKey, Dim, Elem, InputKey, LoopBuilder, NodeId, Op, StepId, Sub, Type};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::settings::{self, Arguments};
use crate::sema::value::{DataValue, IntSource, Interval, Tensor, Value};
use crate::syntax::ast;

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
            let message = format!("the data `{}` is made from itself", data.item);
            return self.error("E0630", message, span, "what it has is not known before its fields are");
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
            if self.data.is_own(&data.item) && self.data.current.declared.iter().any(|it| it.name.as_str() == name) {
                let message = format!("`{name}` of `{}` is not known yet", data.item);
                let error = Diagnostic::error("E0601", message).at(span, "this field, or one below it");
                self.report(error.help("a field may use those above it"));
                return Value::Error;
            }
            let mut known: Vec<&str> = info.fields.iter().map(|field| &*field.name).collect();
            if data.part.is_none() {
                known.extend(info.parts.iter().map(|part| &**part));
            }
            known.push("rows");
            let error = Diagnostic::error("E0601", format!("the data `{}` has no field `{name}`", data.item));
            let error =
                error.at(span, "not a field").and_at(info.span, format!("it has {}", list_names(&known)));
            self.report(match nearest(name, known.iter().copied()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error,
            });
            return Value::Error;
        };
        if data.part.is_none() && self.data.is_own(&data.item) {
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
            return self.error("E0602", "data is not known at compile time", span, "a column of a data set");
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
        let call = settings::find(settings::COLUMNS, &name)?;
        // A field may have the name of the call that reads it: it is a tensor, and cannot be called.
        if self.frame().find(&name).is_some_and(|it| !matches!(it.value, Value::Tensor(_))) {
            return None;
        }
        // The user's function of this name is meant.
        if matches!(call.name, "fill" | "is_missing" | "date" | "category") && self.global(&name, callee.span).is_some() {
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
            "date" => return Some(super::readings::date(self, &arguments, expected).unwrap_or(Value::Error)),
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
        if !fits(&reading.source, &select) {
            let message = format!("`{name}` does not read {}", source_word(&reading.source));
            let help = match &reading.source {
                Source::Csv { .. } => "use `column(\"name\")` or `columns(0:4)`",
                Source::Npz { .. } | Source::Safetensors { .. } => "use `tensor(\"name\")`",
                Source::Npy { .. } | Source::Idx { .. } => "use `tensor()`, or `tensor(\"file\")`",
                Source::Images { .. } => "use `pixels()` and `labels()`",
                Source::Text { .. } => "use `window(64)` and `window(64, shift = 1)`",
                Source::Given { .. } => "a field that the program is given has a type and no value: `x: [4]`",
                Source::None => "name a source after `=`: `data x = csv(\"x.csv\") { … }`",
            };
            self.report(Diagnostic::error("E0603", message).at(span, "not for this source").help(help));
            return Value::Error;
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
            (None, None) => {
                let error = Diagnostic::error("E0603", "the shape of this field must be declared");
                let error = error.at(span, "`check` opens no file, so the shape of one row cannot be seen");
                self.report(error.help("declare the field's type: `x: [28, 28] = …`"));
                return Value::Error;
            }
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
                    Select::Tensor(_) | Select::Whole | Select::Labels | Select::Window { .. } => 0,
                };
                (select, Some(vec![Dim::from(width)]))
            }
            "tensor" => match arguments.get("name") {
                Some(name) => (Select::Tensor(self.text_arg(name)?), None),
                None => (Select::Whole, None),
            },
            "pixels" => (Select::Whole, None),
            "labels" => (Select::Labels, Some(Vec::new())),
            _ => {
                let length = self.compile_time_int(arguments.get("length")?, "the length of a window")?;
                let offset = match arguments.get("shift") {
                    Some(shift) => self.compile_time_int(shift, "the shift of a window")?,
                    None => 0,
                };
                let (Ok(length @ 1..), Ok(offset)) = (usize::try_from(length), usize::try_from(offset))
                else {
                    let message = "a window has a length of at least 1 and a shift of at least 0";
                    self.error("E0603", message, span, "out of range");
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
            let message = format!("`names` is a list of strings, found {}", value.describe());
            let error = Diagnostic::error("E0603", message).at(names.span, "not a list of strings");
            self.report(error.help("write the names of the classes in order: `names = [\"cat\", \"dog\"]`"));
            return None;
        };
        if let Some(again) = (1..texts.len()).find(|at| texts[..*at].contains(&texts[*at])) {
            let message = format!("`names` has \"{}\" twice", texts[again]);
            self.error("E0603", message, names.span, "each name is one class");
            return None;
        }
        if elem != Elem::Int {
            let message = "names are numbered in a field of classes only";
            let error = Diagnostic::error("E0603", message).at(names.span, "this field holds no classes");
            self.report(error.help(format!("declare it as `class({})`", texts.len())));
            return None;
        }
        Some(texts)
    }

    /// The present row of a column, which becomes an input of the data graph.
    pub(super) fn read_column(&mut self, select: Select, names: Option<Vec<String>>, row: Type, span: Span) -> Value {
        let Some(reading) = self.context.row().cloned() else { return Value::Error };
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
                    self.error("E0603", "columns are counted from 0", column.span, "not a column");
                    None
                }
            },
            Value::Error => None,
            other => {
                let message = format!("a column is given by number or name, found {}", other.describe());
                self.error("E0603", message, column.span, "not a column");
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
                self.error("E0603", "the end of the columns is missing", only.span, "write `columns(0:64)`");
                return None;
            };
            let to = self.compile_time_int(end, "the end of the columns")?;
            if slice.step.is_some() || from < 0 || to <= from {
                self.error(
                    "E0603",
                    format!("`{from}:{to}` is no range of columns"),
                    only.span,
                    "columns are counted from 0, the end is not included",
                );
                return None;
            }
            return Some(Select::Columns { from: from as usize, to: to as usize });
        }
        let mut names = Vec::new();
        for column in columns {
            match self.expr(column, None) {
                Value::Str(name) => names.push(name.to_string()),
                Value::Error => return None,
                other => {
                    let message = format!("columns are a range `0:4` or names, found {}", other.describe());
                    let error = Diagnostic::error("E0603", message).at(column.span, "not a name");
                    self.report(error.help("`columns(0:4)` reads four, `column(2)` a single one"));
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
            other => {
                self.error(
                    "E0604",
                    format!("a string is needed here, found {}", other.describe()),
                    expr.span,
                    "not a string",
                );
                None
            }
        }
    }
}

/// Whether a source has such columns.
fn fits(source: &Source, select: &Select) -> bool {
    match select {
        Select::Columns { .. } | Select::Named(_) => matches!(source, Source::Csv { .. }),
        Select::Tensor(_) => matches!(
            source,
            Source::Npz { .. } | Source::Safetensors { .. } | Source::Npy { .. } | Source::Idx { .. }
        ),
        Select::Whole => matches!(source, Source::Npy { .. } | Source::Idx { .. } | Source::Images { .. }),
        Select::Labels => matches!(source, Source::Images { .. }),
        Select::Window { .. } => matches!(source, Source::Text { .. }),
    }
}

fn source_word(source: &Source) -> &'static str {
    match source {
        Source::None => "data without a source",
        Source::Given { .. } => "data that the program is given",
        Source::Csv { .. } => "a csv file",
        Source::Npy { .. } => "an npy file",
        Source::Npz { .. } => "an npz file",
        Source::Safetensors { .. } => "a safetensors file",
        Source::Idx { .. } => "an idx file",
        Source::Images { .. } => "a folder of images",
        Source::Text { .. } => "a text",
    }
}

/// "`a`, `b` and `c`"
pub fn list_names(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_string(),
        [one] => format!("`{one}`"),
        [init @ .., last] => {
            let init: Vec<String> = init.iter().map(|name| format!("`{name}`")).collect();
            format!("{} and `{last}`", init.join(", "))
        }
    }
}
