//! The items of a step: calls of kernels and products, random numbers, recurrences.

use std::collections::BTreeMap;

use super::helpers::Helper;
use super::kernel::{self, Signature};
use super::memory::{Memory, member};
use super::names::{Names, identifier};
use super::product::{self, Matrices};
use super::text::{Text, element, float, int};
use super::tile::Tile;
use super::{Input, Written};
use crate::backend::CodeError;
use crate::ir::program::Precision;
use crate::ir::{ConstData, ExternalKey, RandKind, StepId};
use crate::loops::{Base, BasePlace, Call, Constant, Gemm, Item, Kind, Rand};
use crate::plan::Name;

pub fn write(input: &Input<'_>) -> Result<Written, CodeError> {
    let mut writer = Steps {
        input,
        memory: Memory::of(input.plan),
        text: Text::at(1),
        calls: BTreeMap::new(),
        names: Names::default(),
        kernel_names: BTreeMap::new(),
        products: Vec::new(),
        product_text: String::new(),
        helpers: std::collections::BTreeSet::new(),
        tiles: std::collections::BTreeSet::new(),
        scans: Vec::new(),
    };
    writer.collect(&input.module.items, &mut Vec::new());
    let signatures = writer.signatures();
    writer.items(&input.module.items, &signatures)?;
    let mut functions = std::mem::take(&mut writer.product_text);
    for (id, signature) in &signatures {
        let kernel = &input.module.kernels[*id as usize];
        let comment = writer.calls.get(id).and_then(|calls| calls.first()).map(|call| comment(&call.call.name));
        functions.push_str(&comment.unwrap_or_default());
        functions.push_str(&kernel::function(kernel, signature, input.prefix, &mut writer.helpers)?);
        functions.push('\n');
    }
    let mut step = Text::default();
    step.line(format!("static int {}{}({})", input.prefix, input.name, input.parameters));
    step.line("{");
    let has_sites = !input.module.sites.is_empty();
    let mut step = step.text;
    if has_sites {
        step.push_str("    int64_t fault = 0;\n");
    }
    for name in input.names.iter().chain(&input.externals) {
        if !has_word(&writer.text.text, name) && !name.contains("->") && !step.contains(&format!("(void){name};")) {
            step.push_str(&format!("    (void){name};\n"));
        }
    }
    step.push_str(&writer.text.text);
    step.push_str(if has_sites { "    return fault != 0;\n}\n" } else { "    return 0;\n}\n" });
    let (constants, constant_bytes) = writer.constants();
    let Steps { memory, helpers, tiles, .. } = writer;
    Ok(Written { constants, functions, step, memory, helpers, tiles, constant_bytes })
}

/// A call with how often the recurrences around it go on.
struct Site<'a> {
    call: &'a Call,
    trips: Vec<(StepId, i64)>,
}

struct Steps<'a> {
    input: &'a Input<'a>,
    memory: Memory,
    text: Text,
    /// The calls of each kernel.
    calls: BTreeMap<u32, Vec<Site<'a>>>,
    names: Names,
    kernel_names: BTreeMap<u32, String>,
    products: Vec<(Matrices, String)>,
    product_text: String,
    helpers: std::collections::BTreeSet<Helper>,
    tiles: std::collections::BTreeSet<Tile>,
    /// The recurrences around.
    scans: Vec<StepId>,
}

impl<'a> Steps<'a> {
    fn collect(&mut self, items: &'a [Item], trips: &mut Vec<(StepId, i64)>) {
        for item in items {
            match item {
                Item::Call(call) => {
                    self.calls.entry(call.kernel.0).or_default().push(Site { call, trips: trips.clone() });
                }
                Item::Scan { step, trip, items, .. } => {
                    trips.push((*step, *trip));
                    self.collect(items, trips);
                    trips.pop();
                }
                Item::Gemm(_) | Item::Rand(_) | Item::Poison { .. } => {}
            }
        }
    }

    /// What each kernel is called, and how its parameters are.
    fn signatures(&mut self) -> BTreeMap<u32, Signature> {
        let mut signatures = BTreeMap::new();
        for (id, calls) in &self.calls {
            let kernel = &self.input.module.kernels[*id as usize];
            let count = kernel.params.len();
            let mut aliases: Vec<Vec<u32>> = (0..count as u32).map(|at| vec![at]).collect();
            let mut shifts = vec![0; count];
            for Site { call, trips } in calls {
                for a in 0..count {
                    for b in (0..count).filter(|b| *b != a) {
                        let (first, second) = (call.buffers[a], call.buffers[b]);
                        let meets = call.bases[a].place == call.bases[b].place
                            && first.0 < second.1
                            && second.0 < first.1
                            && (kernel.params[a].written || kernel.params[b].written);
                        if meets && !aliases[a].contains(&(b as u32)) {
                            aliases[a].push(b as u32);
                        }
                    }
                    let least = self.first(&call.bases[a], call.buffers[a].0, trips);
                    shifts[a] = shifts[a].min(least / kernel.params[a].kind.bytes());
                }
            }
            let title = calls.first().map(|site| site.call.name.text.as_str()).unwrap_or_default();
            let title = title.split_once('.').map_or(title, |(_, rest)| rest);
            let part: String = identifier(title).chars().take(40).collect();
            let name = self.names.give(&format!("{}{}_{}", self.input.prefix, self.input.name, part));
            self.kernel_names.insert(*id, name.clone());
            let params = self.param_names(calls, count);
            signatures.insert(*id, Signature { name, params, aliases, shifts });
        }
        signatures
    }

    /// Where the first element that a base ever means lies in its buffer, in bytes.
    fn first(&self, base: &Base, start: i64, trips: &[(StepId, i64)]) -> i64 {
        let moved = base.steps.iter().map(|(step, factor)| {
            let trip = trips.iter().find(|(other, _)| other == step).map_or(1, |(_, trip)| *trip);
            (factor * (trip - 1)).min(0)
        });
        base.offset - start + moved.sum::<i64>()
    }

    /// What the parameters of a kernel are: tensors of the caller by their names, others by numbers.
    fn param_names(&self, calls: &[Site<'_>], count: usize) -> Vec<String> {
        let mut names = Names::default();
        let mut all = Vec::new();
        for at in 0..count {
            let mut called: Vec<String> = calls
                .iter()
                .map(|site| match site.call.bases[at].place {
                    BasePlace::External(slot) => external_name(&self.input.module.externals[slot as usize].name),
                    BasePlace::Constants => "table".to_owned(),
                    BasePlace::Fault => "fault".to_owned(),
                    BasePlace::Arena | BasePlace::Report => "t".to_owned(),
                })
                .collect();
            called.dedup();
            all.push(names.give(match called.as_slice() {
                [one] => one,
                _ => "t",
            }));
        }
        all
    }

    fn items(&mut self, items: &[Item], signatures: &BTreeMap<u32, Signature>) -> Result<(), CodeError> {
        for item in items {
            match item {
                Item::Call(call) => self.call(call, signatures)?,
                Item::Gemm(gemm) => self.gemm(gemm)?,
                Item::Rand(rand) => self.rand(rand)?,
                Item::Poison { .. } => {}
                Item::Scan { step, trip, reverse, items, .. } => {
                    let s = counter(*step);
                    self.text.open(match reverse {
                        false => format!("for (ptrdiff_t {s} = 0; {s} < {trip}; ++{s})"),
                        true => format!("for (ptrdiff_t {s} = {}; {s} >= 0; --{s})", trip - 1),
                    });
                    self.scans.push(*step);
                    self.items(items, signatures)?;
                    self.scans.pop();
                    self.text.close();
                }
            }
        }
        Ok(())
    }

    fn call(&mut self, call: &Call, signatures: &BTreeMap<u32, Signature>) -> Result<(), CodeError> {
        let kernel = &self.input.module.kernels[call.kernel.0 as usize];
        let signature = signatures.get(&call.kernel.0);
        let signature = signature.ok_or_else(|| CodeError::internal("a call of no kernel"))?;
        let mut arguments = Vec::new();
        for (at, (base, param)) in call.bases.iter().zip(&kernel.params).enumerate() {
            let shift = signature.shifts[at];
            let pointer = self.pointer(base, param.kind, Some(call.buffers[at].0), shift)?;
            arguments.push(pointer);
        }
        arguments.extend(call.steps.iter().map(|step| counter(*step)));
        match kernel.piece {
            None => self.text.line(format!("{}({});", signature.name, arguments.join(", "))),
            Some(_) => {
                // Pieces are carried out one after the other, so they share the memory that each has for itself.
                arguments.push("piece".to_owned());
                let pieces = kernel.pieces;
                self.text.line(format!("for (ptrdiff_t piece = 0; piece < {pieces}; ++piece)"));
                self.text.line(format!("    {}({});", signature.name, arguments.join(", ")));
            }
        }
        Ok(())
    }

    /// A base as an expression. `start` is the first byte of its buffer, if that is known.
    fn pointer(&self, base: &Base, kind: Kind, start: Option<i64>, shift: i64) -> Result<String, CodeError> {
        let bytes = kind.bytes();
        let (name, mut offset) = match base.place {
            BasePlace::External(slot) => {
                let name = self.input.externals.get(slot as usize);
                let name = name.ok_or_else(|| CodeError::internal("an external that is not there"))?;
                (name.clone(), base.offset / bytes)
            }
            BasePlace::Constants => {
                let at = self.input.module.constants.iter().rposition(|constant| constant.offset as i64 <= base.offset.max(0));
                let at = at.ok_or_else(|| CodeError::internal("a constant that is not there"))?;
                let offset = base.offset - self.input.module.constants[at].offset as i64;
                (self.constant_name(at), offset / bytes)
            }
            BasePlace::Arena => {
                let known = start.unwrap_or(base.offset);
                let first = self.memory.element(kind, known);
                let first = first.ok_or_else(|| CodeError::internal("memory that no buffer has"))?;
                let place = format!("memory->{}_{}", self.input.name, member(kind));
                (place, first + (base.offset - known) / bytes)
            }
            BasePlace::Fault => return Ok("&fault".to_owned()),
            BasePlace::Report => return Err(CodeError::unsupported("checked code in C")),
        };
        offset -= shift;
        let mut text = name;
        if offset != 0 {
            text.push_str(&format!(" + {offset}"));
        }
        for (step, factor) in &base.steps {
            let (sign, factor) = (if *factor < 0 { '-' } else { '+' }, factor.abs() / bytes);
            let counter = counter(*step);
            text.push_str(&match factor {
                1 => format!(" {sign} {counter}"),
                _ => format!(" {sign} {factor}*{counter}"),
            });
        }
        Ok(text)
    }

    fn gemm(&mut self, gemm: &Gemm) -> Result<(), CodeError> {
        if gemm.kind == Kind::F32 {
            self.helpers.insert(Helper::FmaFloat);
        }
        let matrices = Matrices::of(gemm);
        let name = match self.products.iter().find(|(known, _)| *known == matrices) {
            Some((_, name)) => name.clone(),
            None => {
                let title = gemm.name.text.split_once('.').map_or(gemm.name.text.as_str(), |(_, rest)| rest);
                let part: String = identifier(title).chars().take(40).collect();
                let name = self.names.give(&format!("{}{}_{part}", self.input.prefix, self.input.name));
                self.product_text.push_str(&comment(&gemm.name));
                let prefix = self.input.prefix;
                let function = product::function(&matrices, &gemm.shape(), &name, prefix, &mut self.tiles);
                self.product_text.push_str(&function);
                self.product_text.push('\n');
                self.products.push((matrices, name.clone()));
                name
            }
        };
        let mut pointers = Vec::new();
        for base in &gemm.bases {
            pointers.push(self.pointer(base, gemm.kind, None, 0)?);
        }
        for (axis, (size, strides)) in gemm.batch.iter().enumerate() {
            let b = format!("b{axis}");
            self.text.open(format!("for (ptrdiff_t {b} = 0; {b} < {size}; ++{b})"));
            for (pointer, stride) in pointers.iter_mut().zip(strides).filter(|(_, stride)| **stride != 0) {
                pointer.push_str(&format!(" + {stride}*{b}"));
            }
        }
        self.text.line(format!("{name}({});", pointers.join(", ")));
        gemm.batch.iter().for_each(|_| self.text.close());
        Ok(())
    }

    fn rand(&mut self, rand: &Rand) -> Result<(), CodeError> {
        let helper = match (rand.kind, rand.elem) {
            (RandKind::Uniform, Kind::F64) => Helper::UniformDouble,
            (RandKind::Normal, Kind::F64) => Helper::NormalDouble,
            (RandKind::Uniform, _) => Helper::UniformFloat,
            (RandKind::Normal, _) => Helper::NormalFloat,
        };
        self.helpers.insert(helper);
        let pointer = self.pointer(&rand.base, rand.elem, None, 0)?;
        let mut first = rand.scan_step.to_string();
        for (step, factor) in &rand.scan_terms {
            first.push_str(&format!(" + {factor}*{}", counter(*step)));
        }
        let prefix = self.input.prefix;
        let [seed, step] = &self.input.draw;
        self.text.open(format!("for (ptrdiff_t draw = 0; draw < {}; ++draw)", rand.draws));
        self.text.line(format!("{prefix}draw it;"));
        self.text.line(format!("it.seed = {seed};"));
        self.text.line(format!("it.stream = {}u;", rand.stream));
        self.text.line(format!("it.step = {step};"));
        self.text.line(format!("it.scan_step = (uint32_t)({first} + draw);"));
        self.text.line(format!("{prefix}{}(&it, {pointer} + {}*draw, {});", helper.name(), rand.len, rand.len));
        self.text.close();
        Ok(())
    }

    fn constant_name(&self, at: usize) -> String {
        format!("{}{}_table_{at}", self.input.prefix, self.input.name)
    }

    /// The constants as arrays, and their bytes.
    fn constants(&self) -> (String, i64) {
        let (mut text, mut bytes) = (String::new(), 0);
        for (at, constant) in self.input.module.constants.iter().enumerate() {
            if !has_word(&self.text.text, &self.constant_name(at)) {
                continue;
            }
            let (kind, values) = constant_values(constant, self.input.module.precision);
            bytes += kind.bytes() * values.len() as i64;
            text.push_str(&array(&self.constant_name(at), kind, &values));
        }
        (text, bytes)
    }
}

/// `static const float NAME[2] = { 0.5f, 1.0f };`
pub fn array(name: &str, kind: Kind, values: &[String]) -> String {
    let mut text = format!("static const {} {name}[{}] = {{", element(kind), values.len().max(1));
    let mut width = usize::MAX / 2;
    for value in values {
        if width + value.len() > 108 {
            text.push_str("\n   ");
            width = 3;
        }
        text.push(' ');
        text.push_str(value);
        text.push(',');
        width += value.len() + 2;
    }
    if values.is_empty() {
        text.push_str(" 0");
    }
    text.push_str("\n};\n");
    text
}

fn constant_values(constant: &Constant, precision: Precision) -> (Kind, Vec<String>) {
    match (&constant.value.data, precision) {
        (ConstData::Float(values), _) => {
            let kind = if precision == Precision::F64 { Kind::F64 } else { Kind::F32 };
            (kind, values.iter().map(|value| float(value.0, kind)).collect())
        }
        (ConstData::Int(values), _) => {
            let is_narrow = values.iter().all(|value| i32::try_from(*value).is_ok());
            let kind = if is_narrow { Kind::I32 } else { Kind::I64 };
            (kind, values.iter().map(|value| int(*value, kind)).collect())
        }
        (ConstData::Bool(values), _) => {
            (Kind::Bool, values.iter().map(|value| u8::from(*value).to_string()).collect())
        }
    }
}

/// Whether a name stands in a text.
fn has_word(text: &str, name: &str) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    text.match_indices(name).any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|at| text.as_bytes().get(at));
        !is_part(before) && !is_part(text.as_bytes().get(at + name.len()))
    })
}

fn counter(step: StepId) -> String {
    format!("s{}", step.0)
}

fn external_name(key: &ExternalKey) -> String {
    match key {
        ExternalKey::Input(key) => key.label().to_string(),
        ExternalKey::Param(path) | ExternalKey::State(path) => path.to_string(),
        ExternalKey::Output(key) => format!("out_{}", key.text()),
    }
}

/// What a function computes, in the words of the program.
fn comment(name: &Name) -> String {
    let text: String = name.text.chars().map(|character| if character.is_ascii_graphic() || character == ' ' { character } else { '?' }).collect();
    match text.trim().is_empty() {
        true => String::new(),
        false => format!("/* {} */\n", text.replace("*/", "* /").replace("/*", "/ *")),
    }
}
