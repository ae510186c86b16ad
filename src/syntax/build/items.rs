//! Items: definitions of every role, `data`, `train`, and the other items that run.

use std::sync::Arc;

use pest::iterators::{Pair, Pairs};

use crate::base::Span;

use super::super::ast::{
    Args, Block, Const, Data, DataField, Definition, Expect, Expr, ExprKind, FloatWidth, Generate,
    Group, Import, Item, ItemKind, Measure, Minimize, Name, ParameterList, Plot, Precision, Print, Role, SPLIT_OPTIONS, Setting,
    Split, StrPiece, Train, Type, Update, Windows,
};
use super::super::grammar::Rule;
use super::super::report::{BuildError, ItemError};
use super::{Builder, take};

impl Builder<'_> {
    pub(super) fn item(&mut self, pair: Pair<'_, Rule>) -> Option<Item> {
        let span = self.span(&pair);
        let doc = self.doc(span);
        let pair = pair.into_inner().next()?;
        let rule = pair.as_rule();
        let mut parts = pair.into_inner();
        let kind = match rule {
            Rule::definition => ItemKind::Definition(Box::new(self.definition(parts, span)?)),
            Rule::data => ItemKind::Data(Box::new(self.data(parts, span))),
            Rule::train => ItemKind::Train(Box::new(self.train(parts, span))),
            Rule::sweep => ItemKind::Sweep(Box::new(self.sweep(parts, span))),
            Rule::items_for => ItemKind::For(Box::new(self.items_for(parts, span))),
            _ => {
                parts.next();
                self.small_item(rule, parts, span)?
            }
        };
        Some(Item { doc, kind, span })
    }

    /// The items without a block; their keyword is taken already.
    fn small_item(&mut self, rule: Rule, mut parts: Pairs<'_, Rule>, span: Span) -> Option<ItemKind> {
        Some(match rule {
            Rule::precision => {
                take(&mut parts, Rule::eq);
                let value = parts.next()?;
                let float = match value.as_str() {
                    "f32" => FloatWidth::F32,
                    "f64" => FloatWidth::F64,
                    other => {
                        let (word, at) = (other.to_owned(), self.span(&value));
                        self.error(ItemError::Precision { word, at });
                        return None;
                    }
                };
                ItemKind::Precision(Precision { float, span })
            }
            Rule::import => {
                let string = parts.next()?;
                let path_span = self.span(&string);
                let mut path = String::new();
                for piece in self.str_pieces(string) {
                    match piece {
                        StrPiece::Text(text) => path.push_str(&text),
                        StrPiece::Expr(expr) => self.error(ItemError::ImportedExpr { at: expr.span }),
                    }
                }
                ItemKind::Import(Import { path: Arc::from(path), path_span })
            }
            Rule::constant => {
                let name = self.next_name(&mut parts, span);
                take(&mut parts, Rule::colon);
                let ty = take(&mut parts, Rule::ty).map(|ty| self.ty(ty));
                take(&mut parts, Rule::eq);
                ItemKind::Const(Const { name, ty, value: self.next_expr(&mut parts, span) })
            }
            Rule::print => {
                let values = parts.filter(|part| part.as_rule() == Rule::expr);
                ItemKind::Print(Print { values: values.map(|value| self.expr(value)).collect() })
            }
            Rule::expect => {
                let condition = self.next_expr(&mut parts, span);
                take(&mut parts, Rule::comma);
                let message = take(&mut parts, Rule::expr).map(|message| self.expr(message));
                ItemKind::Expect(Expect { condition, message })
            }
            Rule::generate => ItemKind::Generate(self.generate(parts, span)),
            _ => {
                let arguments = parts.filter(|part| part.as_rule() == Rule::argument);
                let args = arguments.map(|argument| self.argument(argument)).collect();
                ItemKind::Plot(Plot { args: Args { args, span } })
            }
        })
    }

    // ------------------------------------------------------------------------- definitions

    fn definition(&mut self, mut parts: Pairs<'_, Rule>, span: Span) -> Option<Definition> {
        let keyword = parts.next()?;
        let role = Role::ALL.into_iter().find(|role| role.keyword() == keyword.as_str())?;
        let name = self.next_name(&mut parts, span);
        let first = take(&mut parts, Rule::params).map(|params| self.parameters(params));
        let second = take(&mut parts, Rule::params).map(|params| self.parameters(params));
        let whole = take(&mut parts, Rule::kw_whole).map(|word| self.span(&word));
        let arrow = parts.peek().filter(|part| matches!(part.as_rule(), Rule::arrow | Rule::colon));
        let result = match arrow {
            Some(arrow) => {
                parts.next();
                let ty = take(&mut parts, Rule::ty).map(|ty| self.ty(ty));
                self.check_arrow(role, &arrow);
                ty
            }
            None => None,
        };
        let body = self.body(parts.next(), span);
        let mut is_surrogate = false;
        let gradient = parts.next().and_then(|part| {
            if !matches!(role, Role::Activation | Role::Fn | Role::Loss) {
                let at = self.span(&part);
                self.error(ItemError::GradientOf { role, at });
            }
            is_surrogate = part.clone().into_inner().any(|word| word.as_rule() == Rule::kw_surrogate);
            let clause = part.into_inner().find(|part| matches!(part.as_rule(), Rule::expr | Rule::block))?;
            Some(match clause.as_rule() {
                Rule::block => self.block(clause),
                _ => {
                    let value = self.expr(clause);
                    let span = value.span;
                    Block { statements: Vec::new(), value: Some(Box::new(value)), span }
                }
            })
        });
        if let (Some(at), true) = (whole, role != Role::Metric) {
            self.error(ItemError::WholeOf { role, at });
        }
        let (hyper, inputs) = self.lists(role, &name, first, second);
        let definition = Definition { role, name, hyper, inputs, result, whole, body, gradient, is_surrogate };
        self.check_body(&definition);
        Some(definition)
    }

    fn body(&mut self, pair: Option<Pair<'_, Rule>>, around: Span) -> Block {
        let Some(pair) = pair else { return Block { statements: Vec::new(), value: None, span: around } };
        let mut parts = pair.into_inner();
        match take(&mut parts, Rule::eq) {
            Some(_) => {
                let value = self.next_expr(&mut parts, around);
                let span = value.span;
                Block { statements: Vec::new(), value: Some(Box::new(value)), span }
            }
            None => match parts.next() {
                Some(block) => self.block(block),
                None => Block { statements: Vec::new(), value: None, span: around },
            },
        }
    }

    /// Which list is hyperparameters and which is inputs.
    fn lists(
        &mut self,
        role: Role,
        name: &Name,
        first: Option<ParameterList>,
        second: Option<ParameterList>,
    ) -> (Option<ParameterList>, Option<ParameterList>) {
        match role {
            Role::Layer | Role::Model | Role::Optimizer if second.is_some() => return (first, second),
            Role::Init | Role::Schedule | Role::Optimizer => {
                self.refuse_second_list(role, second);
                return (first, None);
            }
            Role::Activation | Role::Fn | Role::Loss | Role::Metric => self.refuse_second_list(role, second),
            Role::Layer | Role::Model => {}
        }
        if first.is_none() {
            self.error(ItemError::NoInputs { role, name: name.clone() });
        }
        (None, first)
    }

    fn refuse_second_list(&mut self, role: Role, second: Option<ParameterList>) {
        if let Some(list) = second {
            self.error(ItemError::SecondList { role, at: list.span });
        }
    }

    fn check_arrow(&mut self, role: Role, sign: &Pair<'_, Rule>) {
        let at = self.span(sign);
        match (role, sign.as_rule()) {
            (Role::Init, Rule::arrow) => self.error(ItemError::Arrow { at }),
            (Role::Init, _) | (_, Rule::arrow) => {}
            (_, _) => self.error(ItemError::Colon { at }),
        }
    }

    fn check_body(&mut self, definition: &Definition) {
        let body = &definition.body;
        match (definition.role, &body.value) {
            (Role::Optimizer, Some(value)) => self.error(ItemError::OptimizerValue { at: value.span }),
            (Role::Optimizer, None) => {}
            (_, Some(_)) => {}
            (role, None) => {
                // A wrong last statement was reported already.
                if !self.errors.iter().any(BuildError::is_of_last_statement) {
                    let at = Span { start: body.span.end.saturating_sub(1), ..body.span };
                    self.error(ItemError::NoValue { role, name: definition.name.span, at });
                }
            }
        }
    }

    // ---------------------------------------------------------------------- data and train

    pub(super) fn setting(&mut self, pair: Pair<'_, Rule>) -> Setting {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let name = self.next_name(&mut parts, span);
        take(&mut parts, Rule::eq);
        Setting { name, value: self.next_expr(&mut parts, span), span }
    }

    fn data(&mut self, mut parts: Pairs<'_, Rule>, span: Span) -> Data {
        parts.next();
        let name = self.next_name(&mut parts, span);
        let source = take(&mut parts, Rule::eq).map(|_| self.next_expr(&mut parts, span));
        let mut data = Data { name, source, fields: Vec::new(), rows: None, seed: None, split: None, drops: Vec::new(), windows: None };
        let Some(block) = parts.next() else {
            if data.source.is_none() {
                self.error(ItemError::EmptyData { at: span });
            }
            return data;
        };
        for line in block.into_inner() {
            match line.as_rule() {
                Rule::split => {
                    let split = self.split(line);
                    match &data.split {
                        Some(first) => self.twice(&"split".into(), first.span, split.span),
                        None => data.split = Some(split),
                    }
                }
                Rule::windows => {
                    let windows = self.windows(line);
                    match &data.windows {
                        Some(first) => self.twice(&"windows".into(), first.span, windows.span),
                        None => data.windows = Some(windows),
                    }
                }
                Rule::drop => {
                    let span = self.span(&line);
                    let condition = line.into_inner().find(|part| part.as_rule() == Rule::expr);
                    let condition = condition.map(|condition| self.expr(condition));
                    data.drops.push(condition.unwrap_or(Expr::new(ExprKind::Error, span)));
                }
                _ => self.data_line(line, &mut data),
            }
        }
        data
    }

    fn data_line(&mut self, pair: Pair<'_, Rule>, data: &mut Data) {
        let span = self.span(&pair);
        let doc = self.doc(span);
        let mut parts = pair.into_inner();
        let name = self.next_name(&mut parts, span);
        let ty: Option<Type> = match take(&mut parts, Rule::colon) {
            Some(_) => take(&mut parts, Rule::ty).map(|ty| self.ty(ty)),
            None => None,
        };
        let value = take(&mut parts, Rule::eq).map(|_| self.next_expr(&mut parts, span));
        let (slot, value) = match (&*name.text, value) {
            ("rows", Some(value)) => (&mut data.rows, value),
            ("seed", Some(value)) => (&mut data.seed, value),
            (_, value) => {
                data.fields.push(DataField { doc, name, ty, value, span });
                return;
            }
        };
        match slot {
            Some(first) => {
                let first = first.span;
                self.twice(&name.text, first, span);
            }
            None => *slot = Some(Setting { name, value, span }),
        }
    }

    fn windows(&mut self, pair: Pair<'_, Rule>) -> Windows {
        let span = self.span(&pair);
        let settings = pair.into_inner().filter(|part| part.as_rule() == Rule::setting);
        Windows { options: settings.map(|part| self.setting(part)).collect(), span }
    }

    fn split(&mut self, pair: Pair<'_, Rule>) -> Split {
        let span = self.span(&pair);
        let mut split = Split { parts: Vec::new(), options: Vec::new(), span };
        for part in pair.into_inner().filter(|part| part.as_rule() == Rule::setting) {
            let setting = self.setting(part);
            if !SPLIT_OPTIONS.contains(&setting.name.as_str()) {
                split.parts.push(setting);
            } else if let Some(first) = split.option(setting.name.as_str()) {
                let first = first.span;
                self.twice(&setting.name.text, first, setting.span);
            } else {
                split.options.push(setting);
            }
        }
        split
    }

    fn train(&mut self, mut parts: Pairs<'_, Rule>, span: Span) -> Train {
        let keyword_span = parts.next().map_or(span, |word| self.span(&word));
        let name = take(&mut parts, Rule::ident).map(|name| self.name(&name));
        let mut train =
            Train { name, settings: Vec::new(), companions: Vec::new(), minimize: Vec::new(), measures: Vec::new(), updates: Vec::new(), intervals: Vec::new(), keyword_span };
        for line in parts {
            match line.as_rule() {
                Rule::minimize => {
                    let minimize = self.minimize(line);
                    train.minimize.push(minimize);
                }
                Rule::measure => {
                    let measure = self.measure(line);
                    train.measures.push(measure);
                }
                Rule::companion => {
                    let companion = self.companion(line);
                    match train.companions.iter().find(|first| first.name.text == companion.name.text) {
                        Some(first) => self.twice(&companion.name.text, first.span, companion.span),
                        None => train.companions.push(companion),
                    }
                }
                Rule::every => {
                    let interval = self.interval(line);
                    train.intervals.push(interval);
                }
                Rule::start | Rule::update => {
                    let update = self.train_update(line, train.minimize.len());
                    train.updates.push(update);
                }
                _ => {
                    let setting = self.setting(line);
                    match train.settings.iter().find(|first| first.name.text == setting.name.text) {
                        Some(first) => self.twice(&setting.name.text, first.span, setting.span),
                        None => train.settings.push(setting),
                    }
                }
            }
        }
        train
    }

    /// `data NAME = DATA, batch = n`
    fn companion(&mut self, pair: Pair<'_, Rule>) -> crate::syntax::ast::Companion {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        take(&mut parts, Rule::kw_data);
        let name = match take(&mut parts, Rule::ident) {
            Some(name) => self.name(&name),
            None => Name::new("", span),
        };
        take(&mut parts, Rule::eq);
        let data = self.next_expr(&mut parts, span);
        let options = parts.filter(|part| part.as_rule() == Rule::setting).map(|part| self.setting(part)).collect();
        crate::syntax::ast::Companion { name, data, options, span }
    }

    /// `Teacher <- expr`, `init Teacher = expr`
    fn train_update(&mut self, pair: Pair<'_, Rule>, after: usize) -> Update {
        let (span, is_start) = (self.span(&pair), pair.as_rule() == Rule::start);
        let mut parts = pair.into_inner();
        take(&mut parts, Rule::kw_init);
        let target = match take(&mut parts, Rule::term) {
            Some(term) => self.term(term),
            None => Expr::new(ExprKind::Error, span),
        };
        take(&mut parts, Rule::eq);
        take(&mut parts, Rule::larrow);
        let value = self.next_expr(&mut parts, span);
        Update { target, value, is_start, after, span }
    }

    fn minimize(&mut self, pair: Pair<'_, Rule>) -> Minimize {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        parts.next();
        let loss = self.next_expr(&mut parts, span);
        let mut line =
            Minimize { loss, methods: Vec::new(), over: Vec::new(), groups: Vec::new(), options: Vec::new(), span };
        for part in parts {
            match part.as_rule() {
                Rule::methods => line.methods = self.expressions(part),
                Rule::over => line.over = self.expressions(part),
                Rule::members => {
                    let span = self.span(&part);
                    let (methods, places): (Vec<_>, Vec<_>) =
                        part.into_inner().partition(|part| part.as_rule() == Rule::methods);
                    let places = places.into_iter().filter(|part| part.as_rule() == Rule::expr);
                    let places = places.map(|place| self.expr(place)).collect();
                    let methods = methods.into_iter().flat_map(|part| self.expressions(part)).collect();
                    line.groups.push(Group { places, methods, span });
                }
                Rule::setting => line.options.push(self.setting(part)),
                _ => {}
            }
        }
        line
    }

    /// The expressions that stand in a part.
    fn expressions(&mut self, part: Pair<'_, Rule>) -> Vec<Expr> {
        let parts = part.into_inner().filter(|part| part.as_rule() == Rule::expr);
        parts.map(|part| self.expr(part)).collect()
    }

    fn generate(&mut self, mut parts: Pairs<'_, Rule>, span: Span) -> Generate {
        let model = self.next_expr(&mut parts, span);
        take(&mut parts, Rule::kw_from);
        let prompt = self.next_expr(&mut parts, span);
        take(&mut parts, Rule::kw_with);
        let choice = self.next_expr(&mut parts, span);
        let mut options: Vec<Setting> = Vec::new();
        for part in parts.filter(|part| part.as_rule() == Rule::setting) {
            let option = self.setting(part);
            match options.iter().find(|first| first.name.text == option.name.text) {
                Some(first) => self.twice(&option.name.text, first.span, option.span),
                None => options.push(option),
            }
        }
        Generate { model, prompt, choice, options }
    }

    fn measure(&mut self, pair: Pair<'_, Rule>) -> Measure {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        parts.next();
        let name = take(&mut parts, Rule::ident).map(|name| self.name(&name));
        take(&mut parts, Rule::eq);
        Measure { name, value: self.next_expr(&mut parts, span), span }
    }

    pub(super) fn twice(&mut self, name: &Arc<str>, first: Span, at: Span) {
        self.error(ItemError::GivenTwice { name: name.clone(), first, at });
    }
}
