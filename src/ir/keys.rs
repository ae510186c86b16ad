//! Keys: what an input, an output or a tensor of the caller is, as a type that all stages share.
//!
//! A key prints as the text form of a graph has it, and reads back to the same key: `image`, `digits.test.image`,
//! `step`, `loss:0`. A field whose name would be read as something else, such as `step`, prints as `field:step`.

use super::graph::{Graph, Op};
use std::fmt;
use std::sync::Arc;

/// A column of a data set, or that of one part of it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ColumnKey {
    pub set: Arc<str>,
    pub part: Option<Arc<str>>,
    pub field: Arc<str>,
}

/// The key of an input of a graph.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum InputKey {
    /// A field of the data that is trained on, for the rows of a batch; an input of a model; an argument.
    Field(Arc<str>),
    /// A field of data that a training draws from beside its own, for the rows of its batch: the name of the data in
    /// the training, and that of the field.
    Companion(Arc<str>, Arc<str>),
    /// The number of the training step, from 1.
    Step,
    /// All rows of a column that the program names.
    Column(ColumnKey),
    /// What a data set reads of its source, by number.
    Source(u32),
    /// Random numbers of a data set that are drawn row by row.
    Drawn(u32),
    /// A statistic over the rows of a data set that was taken before.
    Statistic(u32),
    /// The gradient of a parameter: what the updates of an optimiser are computed from.
    Gradient(Arc<str>),
    /// The loss of a line, for the updates of an optimiser that asks for it.
    LineLoss,
    /// A value that an earlier part of a divided step passes, by number.
    Passed(u32),
}

/// The key of an output of a graph.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum OutputKey {
    /// A field, a carry, a result by its number.
    Named(Arc<str>),
    /// The loss of a `minimize` line, by number.
    Loss(u32),
    /// A metric that is averaged over batches.
    Metric(Arc<str>),
    /// An argument, by number, of a metric that is computed over all rows.
    Whole(Arc<str>, u32),
    /// The new value of a parameter.
    Param(Arc<str>),
    /// The new value of a state.
    State(Arc<str>),
    /// A statistic over the rows of a data set.
    Statistic(u32),
    /// A value that a part of a divided step passes to later ones, by number.
    Passed(u32),
}

/// A tensor that the caller of compiled code gives.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ExternalKey {
    Input(InputKey),
    Param(Arc<str>),
    State(Arc<str>),
    Output(OutputKey),
}

/// The whole columns that the outputs of a graph need.
pub fn columns_of(graph: &Graph) -> Vec<ColumnKey> {
    let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
    let nodes = graph.nodes().filter(|(id, _)| needed[id.0 as usize]);
    let key = |op: &Op| match op {
        Op::Input { name: InputKey::Column(key), .. } => Some(key.clone()),
        _ => None,
    };
    nodes.filter_map(|(_, node)| key(&node.op)).collect()
}

impl InputKey {
    pub fn field(name: impl Into<Arc<str>>) -> InputKey {
        InputKey::Field(name.into())
    }

    /// The key that a text stands for.
    pub fn parse(text: &str) -> InputKey {
        let number = |word: &str| numbered(text, word);
        if text == "step" {
            InputKey::Step
        } else if text == "line-loss" {
            InputKey::LineLoss
        } else if let Some(number) = number("column") {
            InputKey::Source(number)
        } else if let Some(number) = number("random") {
            InputKey::Drawn(number)
        } else if let Some(number) = number("statistic") {
            InputKey::Statistic(number)
        } else if let Some(number) = number("passed") {
            InputKey::Passed(number)
        } else if let Some(path) = text.strip_prefix("gradient:") {
            InputKey::Gradient(path.into())
        } else if let Some((data, field)) = text.strip_prefix("companion:").and_then(|rest| rest.split_once('.')) {
            InputKey::Companion(data.into(), field.into())
        } else if let Some(name) = text.strip_prefix("field:") {
            InputKey::Field(name.into())
        } else {
            ColumnKey::parse(text).map_or_else(|| InputKey::Field(text.into()), InputKey::Column)
        }
    }

    /// As the text form of a graph has it.
    pub fn text(&self) -> Arc<str> {
        match self {
            InputKey::Field(name) if InputKey::parse(name) == *self => name.clone(),
            key => key.to_string().into(),
        }
    }

    /// As people read it, who are not misled by a field called `step`.
    pub fn label(&self) -> Arc<str> {
        match self {
            InputKey::Field(name) => name.clone(),
            InputKey::Companion(data, field) => format!("{data}.{field}").into(),
            key => key.to_string().into(),
        }
    }
}

impl ColumnKey {
    /// `digits.image`, `digits.test.image`
    fn parse(text: &str) -> Option<ColumnKey> {
        let parts: Vec<&str> = text.split('.').collect();
        if parts.iter().any(|part| part.is_empty() || part.contains(':')) {
            return None;
        }
        match parts[..] {
            [set, field] => Some(ColumnKey { set: set.into(), part: None, field: field.into() }),
            [set, part, field] => {
                Some(ColumnKey { set: set.into(), part: Some(part.into()), field: field.into() })
            }
            _ => None,
        }
    }
}

impl OutputKey {
    pub fn named(name: impl Into<Arc<str>>) -> OutputKey {
        OutputKey::Named(name.into())
    }

    /// The key that a text stands for.
    pub fn parse(text: &str) -> OutputKey {
        if let Some(number) = numbered(text, "loss") {
            return OutputKey::Loss(number);
        }
        if let Some(number) = numbered(text, "statistic") {
            return OutputKey::Statistic(number);
        }
        if let Some(number) = numbered(text, "passed") {
            return OutputKey::Passed(number);
        }
        match text.split_once(':') {
            Some(("metric", name)) => OutputKey::Metric(name.into()),
            Some(("param", path)) => OutputKey::Param(path.into()),
            Some(("state", path)) => OutputKey::State(path.into()),
            Some(("named", name)) => OutputKey::Named(name.into()),
            Some(("whole", rest)) => match rest.rsplit_once(':').map(|(name, at)| (name, natural(at))) {
                Some((name, Some(at))) => OutputKey::Whole(name.into(), at),
                _ => OutputKey::Named(text.into()),
            },
            _ => OutputKey::Named(text.into()),
        }
    }

    /// As the text form of a graph has it.
    pub fn text(&self) -> Arc<str> {
        match self {
            OutputKey::Named(name) if OutputKey::parse(name) == *self => name.clone(),
            key => key.to_string().into(),
        }
    }

    /// The variable of which this is the new value.
    pub fn variable(&self) -> Option<ExternalKey> {
        match self {
            OutputKey::Param(path) => Some(ExternalKey::Param(path.clone())),
            OutputKey::State(path) => Some(ExternalKey::State(path.clone())),
            OutputKey::Named(_)
            | OutputKey::Loss(_)
            | OutputKey::Metric(_)
            | OutputKey::Whole(..)
            | OutputKey::Statistic(_)
            | OutputKey::Passed(_) => None,
        }
    }
}

impl ExternalKey {
    /// The key that a text stands for: `input:x`, `param:fc.weight`, `output:loss:0`.
    pub fn parse(text: &str) -> ExternalKey {
        match text.split_once(':') {
            Some(("input", rest)) => ExternalKey::Input(InputKey::parse(rest)),
            Some(("param", path)) => ExternalKey::Param(path.into()),
            Some(("state", path)) => ExternalKey::State(path.into()),
            Some(("output", rest)) => ExternalKey::Output(OutputKey::parse(rest)),
            _ => ExternalKey::Input(InputKey::parse(text)),
        }
    }
}

/// The number N of `WORD:N`.
fn numbered(text: &str, word: &str) -> Option<u32> {
    text.strip_prefix(word)?.strip_prefix(':').and_then(natural)
}

/// A number that prints as it is written.
fn natural(text: &str) -> Option<u32> {
    text.parse::<u32>().ok().filter(|number| number.to_string() == text)
}

impl fmt::Display for ColumnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            Some(part) => write!(f, "{}.{part}.{}", self.set, self.field),
            None => write!(f, "{}.{}", self.set, self.field),
        }
    }
}

impl fmt::Display for InputKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InputKey::Field(name) if InputKey::parse(name) == *self => f.write_str(name),
            InputKey::Field(name) => write!(f, "field:{name}"),
            InputKey::Companion(data, field) => write!(f, "companion:{data}.{field}"),
            InputKey::Step => f.write_str("step"),
            InputKey::Column(column) => write!(f, "{column}"),
            InputKey::Source(number) => write!(f, "column:{number}"),
            InputKey::Drawn(number) => write!(f, "random:{number}"),
            InputKey::Statistic(number) => write!(f, "statistic:{number}"),
            InputKey::Gradient(path) => write!(f, "gradient:{path}"),
            InputKey::LineLoss => f.write_str("line-loss"),
            InputKey::Passed(number) => write!(f, "passed:{number}"),
        }
    }
}

impl fmt::Display for OutputKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OutputKey::Named(name) if OutputKey::parse(name) == *self => f.write_str(name),
            OutputKey::Named(name) => write!(f, "named:{name}"),
            OutputKey::Loss(line) => write!(f, "loss:{line}"),
            OutputKey::Metric(name) => write!(f, "metric:{name}"),
            OutputKey::Whole(name, at) => write!(f, "whole:{name}:{at}"),
            OutputKey::Param(path) => write!(f, "param:{path}"),
            OutputKey::State(path) => write!(f, "state:{path}"),
            OutputKey::Statistic(number) => write!(f, "statistic:{number}"),
            OutputKey::Passed(number) => write!(f, "passed:{number}"),
        }
    }
}

impl fmt::Display for ExternalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExternalKey::Input(key) => write!(f, "input:{key}"),
            ExternalKey::Param(path) => write!(f, "param:{path}"),
            ExternalKey::State(path) => write!(f, "state:{path}"),
            ExternalKey::Output(key) => write!(f, "output:{key}"),
        }
    }
}

impl From<&str> for InputKey {
    fn from(text: &str) -> InputKey {
        InputKey::parse(text)
    }
}

impl From<&str> for OutputKey {
    fn from(text: &str) -> OutputKey {
        OutputKey::parse(text)
    }
}

impl From<String> for OutputKey {
    fn from(text: String) -> OutputKey {
        OutputKey::parse(&text)
    }
}

impl From<Arc<str>> for OutputKey {
    fn from(text: Arc<str>) -> OutputKey {
        OutputKey::parse(&text)
    }
}

impl From<&str> for ExternalKey {
    fn from(text: &str) -> ExternalKey {
        ExternalKey::parse(text)
    }
}

impl From<ColumnKey> for InputKey {
    fn from(column: ColumnKey) -> InputKey {
        InputKey::Column(column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 26] = [
        "x",
        "gradient:fc.weight",
        "companion:u.x",
        "companion:u",
        "step",
        "field:step",
        "a.b",
        "a.b.c",
        "a..b",
        "a.b.c.d",
        ".",
        "column:3",
        "column:03",
        "column:x",
        "random:0",
        "statistic:7",
        "passed:3",
        "field:field:x",
        "loss:0",
        "loss:-1",
        "metric:loss:1",
        "whole:acc:2",
        "whole:acc",
        "param:fc.weight",
        "named:loss:1",
        "",
    ];

    /// Printing and reading are inverse, also for fields and outputs that are called like something else.
    #[test]
    fn keys_read_back() {
        for text in TEXTS {
            let (input, output) = (InputKey::parse(text), OutputKey::parse(text));
            assert_eq!(InputKey::parse(&input.to_string()), input, "{text}");
            assert_eq!(OutputKey::parse(&output.to_string()), output, "{text}");
            let (input, output) = (InputKey::field(text), OutputKey::named(text));
            assert_eq!(InputKey::parse(&input.to_string()), input, "{text}");
            assert_eq!(InputKey::parse(&input.text()), input, "{text}");
            assert_eq!(OutputKey::parse(&output.to_string()), output, "{text}");
            for key in [ExternalKey::Input(input), ExternalKey::Output(output)] {
                assert_eq!(ExternalKey::parse(&key.to_string()), key, "{text}");
            }
        }
    }
}
