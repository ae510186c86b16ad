//! Training: starting values and a step, with everything that a step changes in one struct.

use std::sync::Arc;

use super::api::Member;
use super::file::{File, Part, line_of};
use super::values::elements;
use crate::backend::c::names::Names;
use crate::backend::c::text::Text;
use crate::backend::c::{array, kind_of};
use crate::base::Diagnostic;
use crate::ir::program::PLATEAUS;
use crate::ir::ranges::MAX_STEP;
use crate::ir::{Elem, ExternalKey, InputKey, OutputKey, Type};
use crate::loops::VerifiedModule;
use crate::runtime::answers::deployed::{Deployed, Training};
use crate::runtime::program::Diagnostics;
use crate::runtime::train::Values;

/// Parameters, states and states of optimisers as members of a struct.
pub struct Network {
    pub members: Vec<(Arc<str>, Member)>,
}

/// What was written of a training.
pub struct Written {
    pub parts: Vec<Part>,
    pub declared: String,
    pub defined: String,
}

impl Network {
    /// # Errors
    /// E0851 if no training calls the model.
    pub fn of(deployed: &Deployed) -> Result<Network, Diagnostics> {
        let Some(training) = &deployed.training else {
            let message = format!("no `train` has a loss that calls `{}`", deployed.model);
            let error = Diagnostic::error("E0851", message);
            return Err(deployed.program.failed([error.help("without `--train` the model is exported as it is")]));
        };
        let precision = deployed.program.checked().precision;
        let mut names = Names::default();
        for taken in ["seed", "steps"] {
            names.give(taken);
        }
        let checked = deployed.program.checked();
        let variables = checked.params.iter().chain(&checked.states).map(|param| (&param.path, &param.ty));
        let states = training.states.iter().map(|(path, ty)| (path, ty));
        let members = variables.chain(states).map(|(path, ty): (&Arc<str>, &Type)| {
            let shape = ty.static_shape().unwrap_or_default();
            let kind = crate::loops::kind_of(ty.elem, false, precision);
            let mut member = Member::of_shape(names.give(path), kind, shape);
            if &**path == PLATEAUS {
                member.comment = "how many there were: whoever trains counts them".to_owned();
            }
            (path.clone(), member)
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
            for external in &loops.1.externals {
                frame.externals.push(self.found(external, address(&external.name))?);
            }
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
            frame.externals.push(self.found(external, address)?);
        }
        parts.push(self.part("step", step, frame)?);
        let declared = self.declared(&network, training, &batch, &report);
        let start = deployed.start_values(training)?;
        let defined = self.defined(&network, &start, &batch);
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
                text.line(format!("    {}", line_of(member)));
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
        text.line(format!("/* Begins a training: parameters as they are before it; no steps taken. 0 if all is well.{} */", self.seeds(training)));
        text.line(format!("int {prefix}init({prefix}memory *memory, {prefix}network *network, uint64_t seed);\n"));
        text.line("/* Puts in the parameters and states that were exported, behind `init`. */");
        text.line(format!("void {prefix}pretrained({prefix}network *network);\n"));
        text.line(format!("/* A step: forward pass, backward pass, update. 0 if all is well, 1 if a whole number has left 64 bits (the\n   network is then not to be used), 2 if a number of the batch does not lie in its range, 3 after {MAX_STEP} steps. */"));
        text.line(format!("int {prefix}train_step({prefix}memory *memory, {prefix}network *network, const {prefix}batch *batch, {prefix}report *report);\n"));
        text.text
    }

    /// What the seed of `nnc run` is.
    fn seeds(&self, training: &Training) -> String {
        let first = self.deployed.program.checked().seed;
        match first == training.seed {
            true => format!("\n   The program has the seed {first}."),
            false => format!("\n   The program draws parameters from the seed {first}, and in steps from {}: `network->seed` behind `init`.", training.seed),
        }
    }

    fn defined(&mut self, network: &Network, start: &Values, batch: &[(ExternalKey, Member)]) -> String {
        let prefix = self.prefix.clone();
        let mut text = Text::default();
        text.line(format!("\nint {prefix}init({prefix}memory *memory, {prefix}network *network, uint64_t seed)\n{{"));
        text.depth = 1;
        text.line("int failed;");
        text.line("network->seed = seed;");
        text.line("network->steps = 0;");
        for (_, member) in &network.members {
            text.line(set_all(member, "0"));
        }
        text.line(format!("failed = {prefix}start(memory, network);"));
        text.line(format!("if (!failed) failed = {prefix}start_states(memory, network);"));
        let of_start = self.put(&mut text, network, "begun", start);
        text.line("return failed;");
        text.close();
        text.line(format!("\nvoid {prefix}pretrained({prefix}network *network)\n{{"));
        text.depth = 1;
        let of_pretrained = self.put(&mut text, network, "trained", &self.deployed.variables);
        if self.deployed.variables.is_empty() {
            text.line("(void)network;");
        }
        text.close();
        text.line(format!("\nint {prefix}train_step({prefix}memory *memory, {prefix}network *network, const {prefix}batch *batch, {prefix}report *report)\n{{"));
        text.depth = 1;
        text.line("int32_t number;");
        text.line("int failed;");
        text.line(format!("if (network->steps < 0 || network->steps >= {MAX_STEP}) return 3;"));
        text.line("number = network->steps + 1;");
        for (_, member) in batch {
            let (Some(below), name) = (member.below, &member.name) else { continue };
            match member.is_array() {
                true => text.line(format!("for (size_t at = 0; at < {}; ++at) if (batch->{name}[at] < 0 || batch->{name}[at] >= {below}) return 2;", member.count())),
                false => text.line(format!("if (batch->{name} < 0 || batch->{name} >= {below}) return 2;")),
            }
        }
        text.line(format!("failed = {prefix}step(memory, network, batch, report, &number);"));
        text.line("if (!failed) network->steps = number;");
        text.line("return failed;");
        text.close();
        self.constant_bytes += of_start.bytes + of_pretrained.bytes;
        of_start.text + &of_pretrained.text + &text.text
    }

    /// Lines that give parameters and states of a network values, and the constants that they take them from.
    fn put(&self, text: &mut Text, network: &Network, what: &str, values: &Values) -> Constants {
        let mut constants = Constants::default();
        for (path, values) in values {
            let Some(member) = network.member(path) else { continue };
            let name = format!("{}{what}_{}", self.prefix, member.name);
            constants.text.push_str(&array(&name, member.kind, &elements(values, member.kind)));
            constants.bytes += values.elements().len() as i64 * member.kind.bytes();
            text.line(set_all(member, &format!("{name}[{}]", if member.is_array() { "at" } else { "0" })));
        }
        constants
    }
}

/// Arrays that are written as constants.
#[derive(Default)]
struct Constants {
    text: String,
    bytes: i64,
}

/// Gives each element of a member of the network a value.
fn set_all(member: &Member, value: &str) -> String {
    match member.is_array() {
        true => format!("for (size_t at = 0; at < {}; ++at) network->{}[at] = {value};", member.count(), member.name),
        false => format!("network->{} = {value};", member.name),
    }
}

/// The fields of a batch.
pub fn batch_of(training: &Training, step: &VerifiedModule) -> Vec<(ExternalKey, Member)> {
    let mut names = Names::default();
    let members = training.fields.iter().filter_map(|(key, field)| {
        let key = ExternalKey::Input(key.clone());
        let external = step.externals.iter().find(|external| external.name == key)?;
        let kind = kind_of(external, step.precision);
        let member = Member::of_shape(names.give(&field.name), kind, external.shape.clone());
        Some((key, Member { below: field.below.filter(|_| field.row.elem == Elem::Int), ..member }))
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
        let kind = kind_of(external, step.precision);
        members.push((external.name.clone(), Member::of_shape(names.give(&called), kind, external.shape.clone())));
    }
    members
}
