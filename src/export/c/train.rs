//! Training: starting values and a step, with everything that a step changes in one struct.

use std::sync::Arc;

use super::api::Member;
use super::file::{File, Part};
use super::values::elements;
use crate::backend::c::names::Names;
use crate::backend::c::text::{Text, element};
use crate::backend::c::{array, kind_of};
use crate::base::Diagnostic;
use crate::ir::{Elem, ExternalKey, InputKey, OutputKey, Type};
use crate::loops::VerifiedModule;
use crate::runtime::answers::deployed::{Deployed, Training};
use crate::runtime::program::Diagnostics;

/// Parameters, states and states of optimisers as members of a struct.
pub struct Network {
    members: Vec<(Arc<str>, Member)>,
}

/// What was written of a training.
pub struct Written {
    pub parts: Vec<Part>,
    pub declared: String,
    pub defined: String,
}

impl Network {
    /// # Errors
    /// E0851 if no training calls the model; E0883 if it draws from several data sets.
    pub fn of(deployed: &Deployed) -> Result<Network, Diagnostics> {
        let Some(training) = &deployed.training else {
            let message = format!("no `train` has a loss that calls `{}`", deployed.model);
            let error = Diagnostic::error("E0851", message);
            return Err(deployed.program.failed([error.help("without `--train` the model is exported as it is")]));
        };
        if training.has_companions {
            let message = "the training draws rows of several data sets, which the C code of a training does not";
            let error = Diagnostic::error("E0883", message);
            return Err(deployed.program.failed([error.help("without `--train` the model is exported as it is")]));
        }
        let precision = deployed.program.checked().precision;
        let mut names = Names::default();
        names.give("steps");
        let checked = deployed.program.checked();
        let variables = checked.params.iter().chain(&checked.states).map(|param| (&param.path, &param.ty));
        let states = training.states.iter().map(|(path, ty)| (path, ty));
        let members = variables.chain(states).map(|(path, ty): (&Arc<str>, &Type)| {
            let shape = ty.static_shape().unwrap_or_default();
            let kind = crate::loops::kind_of(ty.elem, false, precision);
            let comment = String::new();
            (path.clone(), Member { name: names.give(path), kind, shape, comment, below: None, names: None, has_other: false })
        });
        Ok(Network { members: members.collect() })
    }

    fn member(&self, path: &str) -> Option<&Member> {
        self.members.iter().find(|(known, _)| **known == *path).map(|(_, member)| member)
    }

    /// The address of a parameter or state.
    pub fn address(&self, path: &str) -> Option<String> {
        self.member(path).map(|member| member.address("network->"))
    }
}

impl File<'_> {
    /// The functions of a training, if it is to be written.
    pub fn training(&mut self) -> Result<Option<Written>, Diagnostics> {
        let deployed = self.deployed;
        let (Some(network), Some(training)) = (self.network.take(), &deployed.training) else { return Ok(None) };
        let [start, states, step] = deployed.training_loops(training, self.options.target(self.options.lanes))?;
        let batch = batch_of(training, &step.1);
        let report = report_of(&step.1);
        let mut parts = Vec::new();
        for (name, loops) in [("start", start), ("start_states", states)] {
            let mut frame = self.frame();
            frame.take(format!("{}network *network", self.prefix), "network");
            frame.draw[0] = "network->seed".to_owned();
            let address = |key: &ExternalKey| match key {
                ExternalKey::Output(OutputKey::Named(path)) => network.address(path),
                _ => None,
            };
            let externals = loops.1.externals.iter().map(|external| address(&external.name));
            frame.externals = externals.map(|external| external.unwrap_or_else(|| "0".to_owned())).collect();
            parts.push(self.part(name, loops, frame)?);
        }
        let mut frame = self.frame();
        for (ty, name) in [("network", "network"), ("batch", "batch"), ("report", "report")] {
            let constant = if ty == "batch" { "const " } else { "" };
            frame.take(format!("{constant}{}{ty} *{name}", self.prefix), name);
        }
        frame.take("const int32_t *number".to_owned(), "number");
        frame.draw = ["network->seed".to_owned(), "(uint32_t)*number".to_owned()];
        let mut names = Names::default();
        for external in &step.1.externals {
            let member = |all: &[(ExternalKey, Member)], of: &str| {
                all.iter().find(|(key, _)| *key == external.name).map(|(_, member)| member.address(of))
            };
            let address = match &external.name {
                ExternalKey::Input(InputKey::Step) => Some("number".to_owned()),
                ExternalKey::Input(InputKey::Column(key)) => {
                    let found = training.columns.iter().find(|(known, _)| known == key);
                    let precision = deployed.program.checked().precision;
                    found.map(|(key, values)| {
                        let name = names.give(&format!("train_{key}"));
                        self.constant(&name, values, external, precision)
                    })
                }
                ExternalKey::Param(path) | ExternalKey::State(path) => network.address(path),
                ExternalKey::Output(key) => match key.variable() {
                    Some(ExternalKey::Param(path) | ExternalKey::State(path)) => network.address(&path),
                    _ => member(&report, "report->"),
                },
                ExternalKey::Input(_) => member(&batch, "batch->"),
            };
            frame.externals.push(address.unwrap_or_else(|| "0".to_owned()));
        }
        parts.push(self.part("step", step, frame)?);
        let declared = self.declared(&network, training, &batch, &report);
        let defined = self.defined(&network, training, &batch);
        self.network = Some(network);
        Ok(Some(Written { parts, declared, defined }))
    }

    fn declared(
        &self,
        network: &Network,
        training: &Training,
        batch: &[(ExternalKey, Member)],
        report: &[(ExternalKey, Member)],
    ) -> String {
        let prefix = &self.prefix;
        let mut text = Text::default();
        let mut structure = |name: &str, what: &str, first: &str, members: &mut dyn Iterator<Item = &Member>| {
            text.line(format!("/* {what} */\ntypedef struct {{"));
            if !first.is_empty() {
                text.line(format!("    {first}"));
            }
            let mut count = 0;
            for member in members {
                text.line(format!("    {}", member.declaration()));
                count += 1;
            }
            if count == 0 && first.is_empty() {
                text.line("    char unused;");
            }
            text.line(format!("}} {prefix}{name};\n"));
        };
        let of_network = "Everything that a training changes: parameters, states of the model and of the optimisers.";
        let first = "uint64_t seed;\n    int32_t steps; /* steps taken */";
        structure("network", of_network, first, &mut network.members.iter().map(|(_, member)| member));
        let of_batch = format!("What a step learns from: fields of {} rows, as the model reads them.", training.batch);
        structure("batch", &of_batch, "", &mut batch.iter().map(|(_, member)| member));
        structure("report", "Losses and metrics of a step.", "", &mut report.iter().map(|(_, member)| member));
        text.line("/* Begins a training: parameters as they are before it, drawn from this seed; no steps taken. 0 if all is well. */");
        text.line(format!("int {prefix}init({prefix}memory *memory, {prefix}network *network, uint64_t seed);\n"));
        text.line("/* Takes the parameters and states that were exported. */");
        text.line(format!("void {prefix}pretrained({prefix}network *network);\n"));
        text.line("/* A step: forward pass, backward pass, update. 0 if all is well, 1 if a whole number has left 64 bits (the\n   network is then not to be used), 2 if a number of the batch does not lie in its range. */");
        text.line(format!("int {prefix}train_step({prefix}memory *memory, {prefix}network *network, const {prefix}batch *batch, {prefix}report *report);\n"));
        text.text
    }

    fn defined(&mut self, network: &Network, training: &Training, batch: &[(ExternalKey, Member)]) -> String {
        let prefix = self.prefix.clone();
        let mut text = Text::default();
        text.line(format!("\nint {prefix}init({prefix}memory *memory, {prefix}network *network, uint64_t seed)\n{{"));
        text.depth = 1;
        text.line("int failed;");
        text.line("network->seed = seed;");
        text.line("network->steps = 0;");
        let each = |member: &Member, value: &str| match member.is_array() {
            true => format!("for (size_t at = 0; at < {}; ++at) network->{}[at] = {value};", member.count(), member.name),
            false => format!("network->{} = {value};", member.name),
        };
        for (_, member) in &network.members {
            text.line(each(member, "0"));
        }
        text.line(format!("failed = {prefix}start(memory, network);"));
        text.line(format!("return failed ? failed : {prefix}start_states(memory, network);"));
        text.close();
        text.line(format!("\nvoid {prefix}pretrained({prefix}network *network)\n{{"));
        text.depth = 1;
        let mut constants = String::new();
        for (path, values) in &self.deployed.variables {
            let Some(member) = network.member(path) else { continue };
            let name = format!("{prefix}trained_{}", member.name);
            constants.push_str(&array(&name, member.kind, &elements(values, member.kind)));
            self.constant_bytes += values.elements().len() as i64 * member.kind.bytes();
            text.line(each(member, &format!("{name}[{}]", if member.is_array() { "at" } else { "0" })));
        }
        if self.deployed.variables.is_empty() {
            text.line("(void)network;");
        }
        text.close();
        text.line(format!("\nint {prefix}train_step({prefix}memory *memory, {prefix}network *network, const {prefix}batch *batch, {prefix}report *report)\n{{"));
        text.depth = 1;
        text.line("const int32_t number = network->steps + 1;");
        text.line("int failed;");
        for (key, member) in batch {
            let field = training.fields.iter().find(|field| *key == ExternalKey::Input(InputKey::Field(field.name.clone())));
            let Some(below) = field.filter(|field| field.row.elem == Elem::Int).and_then(|field| field.below) else { continue };
            let name = &member.name;
            text.line(format!("for (size_t at = 0; at < {}; ++at) if (batch->{name}[at] < 0 || batch->{name}[at] >= {below}) return 2;", member.count()));
        }
        text.line(format!("failed = {prefix}step(memory, network, batch, report, &number);"));
        text.line("if (!failed) network->steps = number;");
        text.line("return failed;");
        text.close();
        constants + &text.text
    }
}

/// The fields of a batch.
pub fn batch_of(training: &Training, step: &VerifiedModule) -> Vec<(ExternalKey, Member)> {
    let mut names = Names::default();
    let members = training.fields.iter().filter_map(|field| {
        let key = ExternalKey::Input(InputKey::Field(field.name.clone()));
        let external = step.externals.iter().find(|external| external.name == key)?;
        let (kind, shape) = (kind_of(external, step.precision), external.shape.clone());
        let (name, below) = (names.give(&field.name), field.below);
        Some((key, Member { name, kind, shape, comment: String::new(), below, names: None, has_other: false }))
    });
    members.collect()
}

/// Losses, metrics, and what metrics over all rows are computed from.
pub fn report_of(step: &VerifiedModule) -> Vec<(ExternalKey, Member)> {
    let mut names = Names::default();
    let mut members = Vec::new();
    for external in &step.externals {
        let ExternalKey::Output(key) = &external.name else { continue };
        let called = match key {
            OutputKey::Loss(0) => "loss".to_owned(),
            OutputKey::Loss(line) => format!("loss {line}"),
            OutputKey::Metric(name) => name.to_string(),
            OutputKey::Whole(name, at) => format!("{name} {at}"),
            _ => continue,
        };
        let (kind, shape) = (kind_of(external, step.precision), external.shape.clone());
        let (name, comment) = (names.give(&called), element(kind).to_owned());
        members.push((external.name.clone(), Member { name, kind, shape, comment, below: None, names: None, has_other: false }));
    }
    members
}
