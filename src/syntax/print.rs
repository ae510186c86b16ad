//! The text form of a syntax tree, for `nnc ir --stage ast`: items and statements are lines of an
//! indented tree, expressions are in prefix form. Spans are left out, so two texts mean the same
//! tree exactly if they print the same.

use crate::base::with_stack;

use super::ast::{
    Arg, Block, Data, DefineOp, Definition, Dim, DimKind, Doc, Element, Expr, ExprKind, File, ForRange,
    Generate, IfBlock, Index, Item, ItemKind, Name, NamePiece, Otherwise, ParameterList, Path, ReduceIndex,
    Setting, Slice, Statement, StatementKind, StrPiece, SubscriptKind, Subscripts, TargetSubscriptKind,
    TemplateName, Train, Type, TypeKind,
};

/// The tree of a file, one item after the other.
pub fn print(file: &File) -> String {
    let mut printer = Printer { text: String::new(), indent: 0 };
    for item in &file.items {
        printer.item(item);
    }
    for broken in &file.broken {
        let name = broken.name.as_ref().map_or("", |name| name.as_str());
        printer.line(format!("broken {} {name}", broken.keyword).trim_end());
    }
    printer.text
}

struct Printer {
    text: String,
    indent: usize,
}

impl Printer {
    fn line(&mut self, text: &str) {
        for _ in 0..self.indent {
            self.text.push_str("  ");
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn indented(&mut self, print: impl FnOnce(&mut Self)) {
        self.indent += 1;
        print(self);
        self.indent -= 1;
    }

    fn doc(&mut self, doc: &Option<Doc>) {
        for line in doc.iter().flat_map(|doc| doc.text.lines()) {
            self.line(format!("## {line}").trim_end());
        }
    }

    fn item(&mut self, item: &Item) {
        self.doc(&item.doc);
        match &item.kind {
            ItemKind::Precision(precision) => {
                self.line(&format!("precision {:?}", precision.float).to_lowercase())
            }
            ItemKind::Import(import) => self.line(&format!("import {:?}", &*import.path)),
            ItemKind::Const(item) => {
                self.line(&format!("const {}{} {}", item.name, annotation(&item.ty), expr(&item.value)));
            }
            ItemKind::Definition(definition) => self.definition(definition),
            ItemKind::Data(data) => self.data(data),
            ItemKind::Train(train) => self.train(train),
            ItemKind::Print(print) => self.line(&list("print", print.values.iter().map(expr))),
            ItemKind::Expect(expect) => {
                let parts = [Some(&expect.condition), expect.message.as_ref()];
                self.line(&list("expect", parts.into_iter().flatten().map(expr)));
            }
            ItemKind::Plot(plot) => self.line(&list("plot", plot.args.args.iter().map(arg))),
            ItemKind::Generate(generate) => self.generate(generate),
            ItemKind::Sweep(sweep) => {
                self.line("sweep");
                self.indented(|printer| {
                    for tried in &sweep.tried {
                        let header = for_header(&tried.name, &tried.values);
                        printer.line(header.trim_start_matches("for "));
                        let options = tried.options.iter();
                        printer.indented(|printer| options.for_each(|option| printer.line(&format!("set {}", setting_text(option)))));
                    }
                    sweep.settings.iter().for_each(|setting| printer.line(&format!("set {}", setting_text(setting))));
                });
            }
            ItemKind::For(header) => {
                self.line(&for_header(&header.variable, &header.over));
                self.indented(|printer| header.items.iter().for_each(|item| with_stack(|| printer.item(item))));
            }
        }
    }

    fn definition(&mut self, definition: &Definition) {
        let whole = if definition.whole.is_some() { " whole" } else { "" };
        self.line(&format!("{} {}{whole}", definition.role.keyword(), definition.name));
        self.indented(|printer| {
            printer.parameters("hyper", &definition.hyper);
            printer.parameters("inputs", &definition.inputs);
            if let Some(result) = &definition.result {
                printer.line(&format!("result {}", ty(result)));
            }
            printer.block(&definition.body);
            if let Some(gradient) = &definition.gradient {
                printer.line(if definition.is_surrogate { "surrogate" } else { "gradient" });
                printer.indented(|printer| printer.block(gradient));
            }
        });
    }

    fn parameters(&mut self, title: &str, parameters: &Option<ParameterList>) {
        let Some(parameters) = parameters else { return };
        self.line(title);
        self.indented(|printer| {
            for parameter in &parameters.parameters {
                printer.line(&named(&parameter.name.text, &parameter.ty, parameter.default.as_ref()));
            }
        });
    }

    fn data(&mut self, data: &Data) {
        let source = data.source.as_ref().map_or(String::new(), |source| format!(" {}", expr(source)));
        self.line(&format!("data {}{source}", data.name));
        self.indented(|printer| {
            for setting in data.rows.iter().chain(&data.seed) {
                printer.line(&format!("set {}", setting_text(setting)));
            }
            for field in &data.fields {
                printer.doc(&field.doc);
                printer.line(&format!("field {}", named(&field.name.text, &field.ty, field.value.as_ref())));
            }
            for condition in &data.drops {
                printer.line(&format!("drop {}", expr(condition)));
            }
            if let Some(windows) = &data.windows {
                printer.line(&list("windows", windows.options.iter().map(|option| format!("({})", setting_text(option)))));
            }
            if let Some(split) = &data.split {
                let settings = split.parts.iter().chain(&split.options);
                printer.line(&list("split", settings.map(|part| format!("({})", setting_text(part)))));
            }
        });
    }

    fn methods(&mut self, methods: &[Expr]) {
        for (at, method) in methods.iter().enumerate() {
            self.line(&format!("{} {}", if at == 0 { "with" } else { "else" }, expr(method)));
        }
    }

    fn train(&mut self, train: &Train) {
        let name = train.name.as_ref().map_or("", |name| name.as_str());
        self.line(format!("train {name}").trim_end());
        self.indented(|printer| {
            for setting in &train.settings {
                printer.line(&format!("set {}", setting_text(setting)));
            }
            for companion in &train.companions {
                printer.line(&format!("data {} {}", companion.name, expr(&companion.data)));
                printer.indented(|printer| {
                    companion.options.iter().for_each(|option| printer.line(&format!("set {}", setting_text(option))));
                });
            }
            for minimize in &train.minimize {
                printer.line(&format!("minimize {}", expr(&minimize.loss)));
                printer.indented(|printer| {
                    printer.methods(&minimize.methods);
                    for model in &minimize.over {
                        printer.line(&format!("over {}", expr(model)));
                    }
                    for group in &minimize.groups {
                        let places: Vec<String> = group.places.iter().map(expr).collect();
                        printer.line(&format!("group {}", places.join(", ")));
                        printer.indented(|printer| printer.methods(&group.methods));
                    }
                    for option in &minimize.options {
                        printer.line(&format!("set {}", setting_text(option)));
                    }
                });
            }
            for update in &train.updates {
                let (word, after) = (if update.is_start { "init" } else { "<-" }, update.after);
                printer.line(&format!("{word} {} {} after {after}", expr(&update.target), expr(&update.value)));
            }
            for interval in &train.intervals {
                let count = interval.count.as_ref().map_or_else(String::new, |count| format!(" {}", expr(count)));
                printer.line(&format!("every{count} {:?}", interval.unit).to_lowercase());
                printer.indented(|printer| interval.items.iter().for_each(|item| printer.item(item)));
            }
            for measure in &train.measures {
                let name = measure.name.as_ref().map_or("_", |name| name.as_str());
                printer.line(&format!("measure {name} {}", expr(&measure.value)));
            }
        });
    }

    fn generate(&mut self, generate: &Generate) {
        self.line(&format!("generate {}", expr(&generate.model)));
        self.indented(|printer| {
            printer.line(&format!("from {}", expr(&generate.prompt)));
            printer.line(&format!("with {}", expr(&generate.choice)));
            for option in &generate.options {
                printer.line(&format!("set {}", setting_text(option)));
            }
        });
    }

    fn block(&mut self, block: &Block) {
        for statement in &block.statements {
            self.statement(statement);
        }
        match block.value.as_deref() {
            Some(Expr { kind: ExprKind::IfBlock(branches), .. }) => {
                self.line("value");
                self.indented(|printer| printer.if_block(branches));
            }
            Some(value) => self.line(&format!("value {}", expr(value))),
            None => {}
        }
    }

    fn statement(&mut self, statement: &Statement) {
        self.doc(&statement.doc);
        match &statement.kind {
            StatementKind::Bind { target, ty, value } => {
                self.line(&format!("let {}", named(&path(target), ty, Some(value))));
            }
            StatementKind::Unpack { names, value, .. } => {
                let names =
                    names.iter().map(|name| name.as_ref().map_or("_", |name| name.as_str()).to_string());
                self.line(&format!("unpack ({}) {}", names.collect::<Vec<_>>().join(" "), expr(value)));
            }
            StatementKind::Define(define) => {
                let subscripts = define.subscripts.iter().map(|subscript| match &subscript.kind {
                    TargetSubscriptKind::Index(index) => index_text(index),
                    TargetSubscriptKind::Pack(name) => format!("...{name}"),
                    TargetSubscriptKind::Expr(value) => expr(value),
                });
                let word = match define.op {
                    DefineOp::Set => "define",
                    DefineOp::Add => "add",
                };
                let mut subscripts = subscripts.collect::<Vec<_>>().join(" ");
                subscripts.push_str(&otherwise_text(define.otherwise.as_ref()));
                self.line(&format!("{word} {}[{subscripts}] {}", define.name, expr(&define.value)));
            }
            StatementKind::Update { target, value } => {
                self.line(&format!("update {} {}", path(target), expr(value)));
            }
            StatementKind::Declare { name, ty: declared } => {
                self.line(&format!("declare {name}: {}", ty(declared)));
            }
            StatementKind::Param { name, ty, value, frozen } => {
                let frozen = if frozen.is_some() { " frozen" } else { "" };
                self.line(&format!("param {}{frozen}", named(&path(name), ty, value.as_ref())));
            }
            StatementKind::State { name, ty, value } => {
                self.line(&format!("state {}", named(&path(name), ty, value.as_ref())));
            }
            StatementKind::Carry { name, ty, value } => {
                self.line(&format!("carry {}", named(&name.text, ty, value.as_ref())));
            }
            StatementKind::Collect { name, value, axis } => {
                let axis = axis.as_ref().map_or(String::new(), |axis| format!(" along {}", expr(axis)));
                self.line(&format!("collect {name} {}{axis}", expr(value)));
            }
            StatementKind::Scan(scan) => {
                let reverse = if scan.reverse.is_some() { " reverse" } else { "" };
                self.line(&format!("scan{reverse} {} < {}", scan.variable, expr(&scan.bound)));
                self.indented(|printer| printer.block(&scan.body));
            }
            StatementKind::Require { condition, message, is_advice } => {
                let word = if *is_advice { "advise" } else { "require" };
                let parts = [Some(condition), message.as_ref()];
                self.line(&list(word, parts.into_iter().flatten().map(expr)));
            }
            StatementKind::For(for_loop) => {
                self.line(&for_header(&for_loop.variable, &for_loop.over));
                self.indented(|printer| printer.block(&for_loop.body));
            }
            StatementKind::If(block) => self.if_block(block),
            StatementKind::Stray(value) => self.line(&format!("stray {}", expr(value))),
        }
    }

    fn if_block(&mut self, block: &IfBlock) {
        for branch in &block.branches {
            self.line(&format!("if {}", expr(&branch.condition)));
            self.indented(|printer| printer.block(&branch.body));
        }
        if let Some(otherwise) = &block.otherwise {
            self.line("else");
            self.indented(|printer| printer.block(otherwise));
        }
    }
}

/// An expression in prefix form, on one line.
pub fn expr(value: &Expr) -> String {
    with_stack(|| prefix_form(value))
}

/// The line of a `for`, of items or of statements.
fn for_header(variable: &Name, over: &ForRange) -> String {
    let over = match over {
        ForRange::Range { start, end } => format!("{}..{}", expr(start), expr(end)),
        ForRange::List(list) => expr(list),
    };
    format!("for {variable} in {over}")
}

fn prefix_form(value: &Expr) -> String {
    match &value.kind {
        ExprKind::Int(number) => number.to_string(),
        ExprKind::Float(number) => format!("{number:?}"),
        ExprKind::Str(pieces) => str_text(pieces),
        ExprKind::Constant(constant) => constant.as_str().to_string(),
        ExprKind::Name(name) => name.to_string(),
        ExprKind::Template(name) => template(name),
        ExprKind::List(elements) => list("list", elements.iter().map(expr)),
        ExprKind::Tuple(elements) => list("tuple", elements.iter().map(expr)),
        ExprKind::Spread(name) => format!("...{name}"),
        ExprKind::Unary { op, operand, .. } => list(op.as_str(), [expr(operand)]),
        ExprKind::Binary { op, left, right, .. } => list(op.as_str(), [expr(left), expr(right)]),
        ExprKind::If { condition, then, otherwise } => {
            list("if", [condition, then, otherwise].map(|part| expr(part)))
        }
        ExprKind::IfBlock(block) => if_block_text(block),
        ExprKind::Call { callee, args } => {
            let parts = std::iter::once(expr(callee)).chain(args.args.iter().map(arg));
            list("call", parts)
        }
        ExprKind::At { value, parameters } => list("at", [expr(value), expr(parameters)]),
        ExprKind::Pipeline { input, stages } => list("|>", std::iter::once(&**input).chain(stages).map(expr)),
        ExprKind::Subscript { base, subscripts } => {
            format!("{}[{}]", expr(base), subscripts_text(subscripts))
        }
        ExprKind::Reduce(reduce) => {
            let indices = reduce.indices.iter().map(|index| match index {
                ReduceIndex::Index(index) => index_text(index),
                ReduceIndex::Pack(name) => format!("...{name}"),
            });
            let indices = indices.collect::<Vec<_>>().join(" ");
            format!("({}[{indices}] {})", reduce.op.as_str(), expr(&reduce.body))
        }
        ExprKind::Field { base, name } => format!("{}.{}", expr(base), template(name)),
        ExprKind::Transpose(base) => format!("{}.T", expr(base)),
        ExprKind::Slice(slice) => slice_text(slice),
        ExprKind::Error => "(error)".to_string(),
    }
}

/// A type as it is written.
pub fn ty(value: &Type) -> String {
    match &value.kind {
        TypeKind::Tensor { element, dims } => {
            let dims = dims.iter().map(dim).collect::<Vec<_>>().join(" ");
            let element = match element {
                Element::Float => String::new(),
                Element::Int => "int".to_string(),
                Element::Bool => "bool".to_string(),
                Element::Class(count) => format!("class({})", expr(count)),
            };
            format!("{element}[{dims}]")
        }
        TypeKind::Tuple(members) => format!("({})", members.iter().map(ty).collect::<Vec<_>>().join(" ")),
    }
}

fn list(head: &str, parts: impl IntoIterator<Item = String>) -> String {
    let mut text = format!("({head}");
    for part in parts {
        text.push(' ');
        text.push_str(&part);
    }
    text.push(')');
    text
}

fn dim(value: &Dim) -> String {
    match &value.kind {
        DimKind::Size(size) => expr(size),
        DimKind::Pack(Some(name)) => format!("...{name}"),
        DimKind::Pack(None) => "...".to_string(),
        DimKind::Stretch => "_".to_string(),
    }
}

fn annotation(declared: &Option<Type>) -> String {
    declared.as_ref().map_or(String::new(), |declared| format!(": {}", ty(declared)))
}

fn named(name: &str, declared: &Option<Type>, value: Option<&Expr>) -> String {
    let value = value.map_or(String::new(), |value| format!(" {}", expr(value)));
    format!("{name}{}{value}", annotation(declared))
}

fn setting_text(setting: &Setting) -> String {
    format!("{} {}", setting.name, expr(&setting.value))
}

fn arg(arg: &Arg) -> String {
    match &arg.name {
        Some(name) => format!("{name}={}", expr(&arg.value)),
        None => expr(&arg.value),
    }
}

fn template(name: &TemplateName) -> String {
    let pieces = name.pieces.iter().map(|piece| match piece {
        NamePiece::Text(text) => text.to_string(),
        NamePiece::Expr(value) => format!("{{{}}}", expr(value)),
    });
    pieces.collect()
}

fn path(path: &Path) -> String {
    path.parts.iter().map(template).collect::<Vec<_>>().join(".")
}

fn index_text(index: &Index) -> String {
    match &index.bound {
        Some(bound) => format!("(< {} {})", index.name, expr(bound)),
        None => index.name.to_string(),
    }
}

fn str_text(pieces: &[StrPiece]) -> String {
    let mut text = String::from("\"");
    for piece in pieces {
        match piece {
            StrPiece::Text(piece) => text.extend(piece.escape_debug()),
            StrPiece::Expr(value) => text.push_str(&format!("{{{}}}", expr(value))),
        }
    }
    text.push('"');
    text
}

fn slice_text(slice: &Slice) -> String {
    let part = |part: &Option<Expr>| part.as_ref().map_or(String::from("_"), expr);
    list(":", [part(&slice.start), part(&slice.end), part(&slice.step)])
}

fn subscripts_text(subscripts: &Subscripts) -> String {
    let items = subscripts.items.iter().map(|item| match &item.kind {
        SubscriptKind::At(value) => expr(value),
        SubscriptKind::Slice(slice) => slice_text(slice),
        SubscriptKind::New => "new".to_string(),
        SubscriptKind::Rest => "...".to_string(),
        SubscriptKind::Pack(name) => format!("...{name}"),
    });
    let mut text = items.collect::<Vec<_>>().join(" ");
    text.push_str(&otherwise_text(subscripts.otherwise.as_ref()));
    text
}

fn otherwise_text(otherwise: Option<&Otherwise>) -> String {
    match otherwise {
        Some(Otherwise::Value(value)) => format!(" else {}", expr(value)),
        Some(Otherwise::Skip(_)) => " else skip".to_string(),
        None => String::new(),
    }
}

/// An `if` block inside an expression; its statements follow each other on the line.
fn if_block_text(block: &IfBlock) -> String {
    let mut printer = Printer { text: String::new(), indent: 0 };
    printer.if_block(block);
    let lines: Vec<&str> = printer.text.lines().collect();
    format!("({})", lines.join("; "))
}
