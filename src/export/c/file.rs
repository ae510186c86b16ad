//! The two files: everything that is declared, and everything that is computed.

use std::collections::BTreeSet;

use super::api::{Api, Member};
use super::train::Network;
use super::values::{bytes_of, elements};
use super::object::Machine;
use super::preamble::{bits, preamble};
use super::{Files, Options, Sizes, failed};
use crate::backend::c::text::{Text, element};
use crate::backend::c::tile::{self, Tile};
use crate::backend::CodeError;
use crate::backend::c::{self, Helper, Input, KINDS, Written, array, kind_of, member};
use crate::backend::object::memory_bytes;
use crate::ir::program::Precision;
use crate::ir::{ExternalKey, InputKey, OutputKey};
use crate::loops::{Target, VerifiedModule};
use crate::plan::{External, Plan};
use crate::runtime::answers::deployed::{Deployed, Preparation};
use crate::runtime::program::Diagnostics;

/// A function that was written, and what it was made of.
pub struct Part {
    pub module: VerifiedModule,
    pub written: Written,
    pub name: &'static str,
}

/// The parameters of a function and the tensors that it works on.
#[derive(Default)]
pub struct Frame {
    pub parameters: Vec<String>,
    /// The names of the parameters.
    pub names: Vec<String>,
    pub externals: Vec<String>,
    pub draw: [String; 2],
}

impl Frame {
    pub fn take(&mut self, parameter: String, name: &str) {
        self.parameters.push(parameter);
        self.names.push(name.to_owned());
    }
}

pub fn write(deployed: &Deployed, options: &Options) -> Result<Files, Diagnostics> {
    let mut api = Api::of(deployed);
    let network = options.train.then(|| Network::of(deployed)).transpose()?;
    let prefix = format!("{}_", options.name);
    let mut writer =
        File { deployed, prefix, options, network, constants: String::new(), constant_bytes: 0, machine: None };
    let model = writer.model(&mut api)?;
    let preparation = match &deployed.preparation {
        Some(preparation) => Some(writer.preparation(preparation, &api)?),
        None => None,
    };
    let training = writer.training()?;
    let others = training.iter().flat_map(|training| &training.parts);
    let parts: Vec<&Part> = preparation.iter().chain([&model]).chain(others).collect();
    let memory = writer.memory(&parts, &api, preparation.as_ref());
    let sizes = Sizes { constants: writer.constant_bytes, memory: memory.1 };
    let mut header = writer.header(&api, &memory.0, sizes);
    let mut code = writer.code(&api, &parts, preparation.as_ref(), &model);
    if let Some(training) = &training {
        header = header.replacen(RESULT_MARK, &training.declared, 1);
        code.push_str(&training.defined);
    }
    header = header.replacen(RESULT_MARK, "", 1);
    let names = [format!("{}.h", options.name), format!("{}.c", options.name)];
    let rust = (!options.train).then(|| writer.rust(&api, sizes));
    Ok(Files { names, header, code, rust, sizes })
}

/// Where the header has what a training needs.
pub const RESULT_MARK: &str = "/* training */\n";
/// What a header ends with.
pub const END_OF_HEADER: &str = "#ifdef __cplusplus\n}\n#endif\n\n#endif";

pub struct File<'a> {
    pub deployed: &'a Deployed,
    pub prefix: String,
    pub options: &'a Options,
    /// What a training changes, if it is written as well.
    pub network: Option<Network>,
    /// Parameters, states, columns and tables.
    pub constants: String,
    pub constant_bytes: i64,
    /// What is written as machine code instead of C.
    pub machine: Option<Machine>,
}

/// A parameter of a function: the tensor of an external.
fn parameter(external: &External, name: &str, precision: Precision) -> String {
    let constant = if external.written { "" } else { "const " };
    format!("{constant}{} *{name}", element(kind_of(external, precision)))
}

impl File<'_> {
    pub fn part(
        &mut self,
        name: &'static str,
        (plan, module): (Plan, VerifiedModule),
        frame: Frame,
    ) -> Result<Part, Diagnostics> {
        let (prefix, parameters) = (&self.prefix, frame.parameters.join(", "));
        if let Some(machine) = &mut self.machine {
            machine.take(&format!("{prefix}{name}"), &frame);
            self.constant_bytes += module.constant_bytes as i64;
            return Ok(Part { module, written: Written::default(), name });
        }
        let (names, externals, draw) = (frame.names, frame.externals, frame.draw);
        let input = Input { plan: &plan, module: &module, prefix, name, externals, parameters, names, draw };
        let written = c::write(&input).map_err(|error| failed(self.deployed, &error))?;
        self.constant_bytes += written.constant_bytes;
        Ok(Part { module, written, name })
    }

    /// Where a function finds a tensor, which must be known.
    pub fn found(&self, external: &External, place: Option<String>) -> Result<String, Diagnostics> {
        let unknown = || CodeError::internal(format!("no tensor is known for {:?}", external.name));
        place.ok_or_else(|| failed(self.deployed, &unknown()))
    }

    /// A frame whose function works in the memory of the caller.
    pub fn frame(&self) -> Frame {
        let seed = self.deployed.program.checked().seed;
        let mut frame = Frame { draw: [format!("UINT64_C({seed})"), "0".to_owned()], ..Frame::default() };
        frame.take(format!("{}memory *memory", self.prefix), "memory");
        frame
    }

    /// What loops are made for, with vectors of so many floats in C.
    fn target(&self, lanes: u8, precision: Precision) -> Target {
        self.machine.as_ref().map_or_else(|| self.options.target(lanes), |machine| machine.target(precision))
    }

    /// The function of the model, whose parameters are constants.
    pub fn model(&mut self, api: &mut Api) -> Result<Part, Diagnostics> {
        let deployed = self.deployed;
        let precision = deployed.program.checked().precision;
        let loops = deployed.model_loops(1, self.target(self.options.lanes, precision))?;
        let fields = if deployed.preparation.is_some() { &mut api.fields } else { &mut api.row };
        let mut names = c::names::Names::default();
        let mut frame = self.frame();
        if self.network.is_some() {
            frame.take(format!("const {}network *network", self.prefix), "network");
        }
        for external in &loops.1.externals {
            let kind = kind_of(external, precision);
            let text = match &external.name {
                ExternalKey::Input(InputKey::Field(name)) => {
                    let at = deployed.fields.iter().position(|field| field.name == *name);
                    at.and_then(|at| fields.get_mut(at)).map(|field| {
                        field.kind = kind;
                        frame.take(parameter(external, &field.name, precision), &field.name);
                        field.name.clone()
                    })
                }
                ExternalKey::Output(OutputKey::Named(number)) => {
                    let result = number.parse().ok().and_then(|at: usize| api.results.get_mut(at));
                    result.map(|result| {
                        result.kind = kind;
                        let name = format!("out_{}", result.name);
                        frame.take(parameter(external, &name, precision), &name);
                        name
                    })
                }
                ExternalKey::Param(path) | ExternalKey::State(path) if self.network.is_some() => {
                    self.network.as_ref().and_then(|network| network.address(path))
                }
                ExternalKey::Param(path) | ExternalKey::State(path) => {
                    let found = deployed.variables.iter().find(|(known, _)| known == path);
                    found.map(|(path, array)| self.constant(&names.give(path), array, external, precision))
                }
                ExternalKey::Input(InputKey::Column(key)) => {
                    let found = deployed.columns.iter().find(|(known, _)| known == key);
                    found.map(|(key, array)| self.constant(&names.give(&key.to_string()), array, external, precision))
                }
                ExternalKey::Input(_) | ExternalKey::Output(_) => None,
            };
            frame.externals.push(self.found(external, text)?);
        }
        self.part("model", loops, frame)
    }

    /// How functions take what a training changes.
    fn network_parameter(&self) -> String {
        match &self.network {
            Some(_) => format!("const {}network *network, ", self.prefix),
            None => String::new(),
        }
    }

    /// Writes an array as a constant, and gives its name.
    pub fn constant(&mut self, name: &str, values: &crate::runtime::array::Array, external: &External, precision: Precision) -> String {
        let kind = kind_of(external, precision);
        let name = format!("{}{name}", self.prefix);
        let shape: Vec<String> = values.shape().iter().map(ToString::to_string).collect();
        match &mut self.machine {
            Some(machine) => machine.constants.push((name.clone(), bytes_of(values, kind))),
            None => {
                self.constants.push_str(&format!("/* [{}] */\n", shape.join(", ")));
                self.constants.push_str(&array(&name, kind, &elements(values, kind)));
                self.constants.push('\n');
            }
        }
        self.constant_bytes += values.elements().len() as i64 * kind.bytes();
        name
    }

    /// The function of the fields, in doubles.
    pub fn preparation(&mut self, preparation: &Preparation, api: &Api) -> Result<Part, Diagnostics> {
        let deployed = self.deployed;
        let loops = deployed.preparation_loops(preparation, self.target(self.options.lanes.min(4), Precision::F64))?;
        let mut frame = self.frame();
        for external in &loops.1.externals {
            let text = match &external.name {
                ExternalKey::Input(key) => {
                    let column = preparation.columns.iter().position(|column| column.name == *key);
                    match (column.and_then(|at| api.row.get(at)), preparation.known.get(key)) {
                        (Some(column), _) => {
                            frame.take(parameter(external, &column.name, Precision::F64), &column.name);
                            Some(column.name.clone())
                        }
                        (None, Some(array)) => {
                            let name = format!("learnt_{}", c::names::identifier(&key.to_string()));
                            Some(self.constant(&name, array, external, Precision::F64))
                        }
                        (None, None) => None,
                    }
                }
                ExternalKey::Output(key) => {
                    let at = deployed.fields.iter().position(|field| field.name == key.text());
                    let name = at.and_then(|at| api.fields.get(at)).map(|field| format!("out_{}", field.name));
                    let name = name.unwrap_or_else(|| "0".to_owned());
                    frame.take(parameter(external, &name, Precision::F64), &name);
                    Some(name)
                }
                ExternalKey::Param(_) | ExternalKey::State(_) => None,
            };
            frame.externals.push(self.found(external, text)?);
        }
        self.part("prepare", loops, frame)
    }

    /// The members of the memory that the caller gives, and its bytes.
    pub fn memory(&self, parts: &[&Part], api: &Api, preparation: Option<&Part>) -> (String, i64) {
        let (mut text, mut bytes) = (Text::at(1), 0);
        if self.machine.is_some() {
            // Its functions use it one after the other.
            let work = parts.iter().map(|part| memory_bytes(&part.module)).max().unwrap_or(1);
            text.line(format!("unsigned char work[{work}];"));
            bytes += work as i64;
        }
        for kind in KINDS {
            for part in parts {
                let elements = part.written.memory.elements(kind);
                if elements > 0 {
                    text.line(format!("{} {}_{}[{elements}];", element(kind), part.name, member(kind)));
                    bytes += elements * kind.bytes();
                }
            }
            for field in &api.fields {
                let prepared = prepared(preparation, field, self.deployed, api);
                if let Some(external) = prepared.filter(|external| kind_of(external, Precision::F64) == kind) {
                    let count = field.count().max(1);
                    text.line(format!("{} prepared_{}[{count}];", element(kind), field.name));
                    bytes += count as i64 * kind_of(external, Precision::F64).bytes();
                }
                if field.kind == kind {
                    text.line(format!("{} field_{}[{}];", element(kind), field.name, field.count().max(1)));
                    bytes += field.count().max(1) as i64 * kind.bytes();
                }
            }
        }
        if bytes == 0 {
            text.line("char unused;");
            bytes = 1;
        }
        (text.text, bytes)
    }

    pub fn header(&self, api: &Api, memory: &str, sizes: Sizes) -> String {
        let linkage = self.linkage();
        let (name, prefix, network) = (&self.options.name, &self.prefix, self.network_parameter());
        let guard = format!("{}_H", name.to_uppercase());
        let mut text = Text::default();
        text.line(format!("/* The network `{}`, written by nnc {}.", shown(&self.deployed.model), env!("CARGO_PKG_VERSION")));
        text.line("");
        text.line(format!("   Flash: {} bytes of constants, and the code.", sizes.constants));
        text.line(format!("   RAM:   {} bytes of {prefix}memory, and the stack of its functions.", sizes.memory));
        text.line("");
        text.line(format!("       static {prefix}memory memory;"));
        text.line(format!("       {prefix}row row;"));
        text.line(format!("       {prefix}result result;"));
        text.line(format!("       {prefix}predict(&memory, {}&row, &result); */", if self.network.is_some() { "&network, " } else { "" }));
        text.line(format!("#ifndef {guard}\n#define {guard}\n"));
        text.line("#include <stddef.h>\n#include <stdint.h>\n");
        text.line("#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
        structure(&mut text, &format!("{prefix}row"), "What is known of one row.", &api.row);
        structure(&mut text, &format!("{prefix}result"), "What the network says of it.", &api.results);
        text.line("/* Room to work in. It may be anywhere, holds nothing between calls, and calls at the same time need one each. */");
        text.line(format!("typedef struct {{\n{memory}}} {prefix}memory;\n"));
        text.text.push_str(RESULT_MARK);
        text.line("/* The result for one row: 0 if all is well, 1 if a whole number has left 64 bits, 2 if a number of the row does\n   not lie in the range that is written above. */");
        text.line(format!("{linkage}int {prefix}predict({prefix}memory *memory, {network}const {prefix}row *row, {prefix}result *result);\n"));
        text.line("/* The same for rows one after the other, up to the first of which it is not 0. */");
        text.line(format!("{linkage}int {prefix}predict_batch({prefix}memory *memory, {network}const {prefix}row *rows, {prefix}result *results, size_t count);\n"));
        for member in api.row.iter().filter(|member| member.names.is_some()) {
            let count = member.names.as_ref().map_or(0, |names| names.len());
            if self.machine.is_none() {
                text.line(format!("/* What the numbers of `{}` mean. */", member.name));
                text.line(format!("extern const char *const {prefix}names_of_{}[{}];\n", member.name, count.max(1)));
            }
            let else_it_is = if member.has_other { "the last one if it has none" } else { "-1 if it has none" };
            text.line(format!("/* The number of a name; {else_it_is}. */"));
            text.line(format!("{linkage}int32_t {prefix}number_of_{}(const char *name);\n", member.name));
        }
        self.declare_classes(&mut text);
        text.line(END_OF_HEADER);
        text.text
    }

    fn code(&self, api: &Api, parts: &[&Part], preparation: Option<&Part>, model: &Part) -> String {
        let (name, prefix) = (&self.options.name, &self.prefix);
        let mut helpers: BTreeSet<Helper> = parts.iter().flat_map(|part| &part.written.helpers).copied().collect();
        for helper in helpers.clone() {
            helpers.extend(helper.needs());
        }
        let mut text = format!(
            "/* Written by nnc {}; see {name}.h. It is C99, and C++.\n\n{bits} */\n\
             #include \"{name}.h\"\n\n#include <math.h>\n\n",
            env!("CARGO_PKG_VERSION"),
            bits = bits(self.options.math, prefix),
        );
        text.push_str(&preamble(prefix));
        for helper in &helpers {
            text.push_str(&helper.text_for(prefix));
            text.push('\n');
        }
        let tiles: BTreeSet<Tile> = parts.iter().flat_map(|part| &part.written.tiles).copied().collect();
        text.push_str(&tile::functions(&tiles, prefix));
        text.push_str(&self.constants);
        for part in parts {
            text.push_str(&part.written.constants);
            text.push('\n');
            text.push_str(&part.written.functions);
            text.push_str(&part.written.step);
            text.push('\n');
        }
        text.push_str(&self.around(api, preparation, model));
        text
    }

    /// The functions around the model: rows, batches, names, classes.
    pub fn around(&self, api: &Api, preparation: Option<&Part>, model: &Part) -> String {
        let mut text = self.predict(api, preparation, model);
        text.push_str(&self.names(api));
        text.push_str(&self.numbers(api));
        text.push_str(&self.define_classes(api));
        text
    }

    /// What stands before those functions: in a header, that every file may have them.
    pub fn linkage(&self) -> &'static str {
        if self.machine.is_some() { "static inline " } else { "" }
    }

    fn predict(&self, api: &Api, preparation: Option<&Part>, model: &Part) -> String {
        let (prefix, network) = (&self.prefix, self.network_parameter());
        let given = if self.network.is_some() { "network, " } else { "" };
        let mut text = Text::default();
        let linkage = self.linkage();
        text.open(format!("{linkage}int {prefix}predict({prefix}memory *memory, {network}const {prefix}row *row, {prefix}result *result)\n"));
        text.text = text.text.replace("\n {", "\n{");
        text.line("int failed;");
        let range_of = |member: &Member, of: &str, below: i64| {
            let (count, name) = (member.count(), format!("{of}{}", member.name));
            let is_array = member.is_array() || of.starts_with("memory");
            let (head, value) = match is_array {
                true => (format!("for (size_t at = 0; at < {count}; ++at) "), format!("{name}[at]")),
                false => (String::new(), name),
            };
            format!("{head}if ({value} < 0 || {value} >= {below}) return 2;")
        };
        for member in &api.row {
            let count = member.names.as_ref().map(|names| names.len() as i64);
            if let (Some(below), false) = (member.below.or(count), member.kind.is_float()) {
                text.line(range_of(member, "row->", below));
            }
        }
        if let Some(part) = preparation {
            let arguments = part.module.externals.iter().filter_map(|external| match &external.name {
                ExternalKey::Input(key) => {
                    let columns = &self.deployed.preparation.as_ref()?.columns;
                    let at = columns.iter().position(|column| column.name == *key)?;
                    Some(api.row.get(at)?.address("row->"))
                }
                ExternalKey::Output(key) => {
                    let at = self.deployed.fields.iter().position(|field| field.name == key.text())?;
                    Some(format!("memory->prepared_{}", api.fields.get(at)?.name))
                }
                _ => None,
            });
            let arguments: Vec<String> = ["memory".to_owned()].into_iter().chain(arguments).collect();
            text.line(format!("failed = {prefix}prepare({});", arguments.join(", ")));
            text.line("if (failed) return failed;");
            for field in &api.fields {
                let (name, ty, count) = (&field.name, element(field.kind), field.count());
                if let (Some(below), false) = (field.below, field.kind.is_float()) {
                    text.line(range_of(field, "memory->prepared_", below));
                }
                text.line(format!("for (size_t at = 0; at < {count}; ++at) memory->field_{name}[at] = ({ty})memory->prepared_{name}[at];"));
            }
        }
        let arguments = model.module.externals.iter().filter_map(|external| match &external.name {
            ExternalKey::Input(InputKey::Field(name)) => {
                let at = self.deployed.fields.iter().position(|field| field.name == *name)?;
                Some(match preparation {
                    Some(_) => format!("memory->field_{}", api.fields.get(at)?.name),
                    None => api.row.get(at)?.address("row->"),
                })
            }
            ExternalKey::Output(OutputKey::Named(number)) => {
                Some(api.results.get(number.parse::<usize>().ok()?)?.address("result->"))
            }
            _ => None,
        });
        let first = ["memory"].into_iter().chain(self.network.as_ref().map(|_| "network"));
        let arguments: Vec<String> = first.map(str::to_owned).chain(arguments).collect();
        text.line(format!("failed = {prefix}model({});", arguments.join(", ")));
        text.line("return failed;");
        text.close();
        text.line("");
        if !text.text.contains("row->") {
            text.text = text.text.replacen("    int failed;\n", "    int failed;\n    (void)row;\n", 1);
        }
        text.line(format!("{linkage}int {prefix}predict_batch({prefix}memory *memory, {network}const {prefix}row *rows, {prefix}result *results, size_t count)\n{{"));
        text.line(format!("    for (size_t at = 0; at < count; ++at) {{\n        const int failed = {prefix}predict(memory, {given}rows + at, results + at);\n        if (failed) return failed;\n    }}\n    return 0;\n}}"));
        text.text
    }

}

/// What the preparation gives for a field.
fn prepared<'p>(part: Option<&'p Part>, field: &Member, deployed: &Deployed, api: &Api) -> Option<&'p External> {
    let at = api.fields.iter().position(|other| other.name == field.name)?;
    let name = &deployed.fields.get(at)?.name;
    part?.module.externals.iter().find(|external| match &external.name {
        ExternalKey::Output(key) => key.text() == *name,
        _ => false,
    })
}

fn structure(text: &mut Text, name: &str, what: &str, members: &[Member]) {
    text.line(format!("/* {what} */"));
    text.open("typedef struct");
    for member in members {
        text.line(line_of(member));
    }
    if members.is_empty() {
        text.line("char unused;");
    }
    text.depth = 0;
    text.line(format!("}} {name};\n"));
}

/// A member of a struct, with what is known of it.
pub fn line_of(member: &Member) -> String {
    let range = match (member.below, &member.names) {
        (_, Some(names)) => format!(", in 0..{}", names.len()),
        (Some(below), None) => format!(", in 0..{below}"),
        (None, None) => String::new(),
    };
    format!("{} /* {}{range} */", member.declaration(), shown(&member.comment))
}

/// A text that may stand in a comment.
fn shown(text: &str) -> String {
    let text: String = text.chars().map(|character| if character.is_ascii_graphic() || character == ' ' { character } else { '?' }).collect();
    text.replace("*/", "* /").replace("/*", "/ *")
}
