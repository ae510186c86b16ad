//! What a graph should compute: by the interpreter, with a bound of the rounding error of each element.

use nnc::ir::interpret::{Data, Tensor};
use nnc::ir::{Graph, compact};

use super::backends::{Given, Results, interpreted};
use super::rounding::{Format, Rounded, decided_by_rounding};

/// How far a result may be off, in bounds of the rounding error of the formula as it is written.
const SLACK: f64 = 4.0;

/// The elements of every output, in the order of the graph; none where rounding decides what they are.
pub struct Expected<P> {
    pub outputs: Vec<(String, Option<Vec<Rounded<P>>>)>,
}

/// How many elements were compared, and how many could not be: rounding decides them, or they overflow.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Seen {
    pub known: usize,
    pub unknown: usize,
}

impl<P: Format> Expected<P> {
    /// # Errors
    /// Those of the interpreter.
    pub fn of(graph: &Graph, given: &Given) -> Result<Expected<P>, String> {
        let whole = graph.outputs.iter().map(|output| output.name.to_string()).collect::<Vec<_>>();
        let (mut results, sure) = evaluated(graph, given)?;
        if sure {
            let outputs = whole.into_iter().map(|name| {
                let elements = results.remove(&name);
                (name, elements)
            });
            return Ok(Expected { outputs: outputs.collect() });
        }
        // Something depends on rounding: which of the outputs does?
        let mut outputs = Vec::new();
        for output in &graph.outputs {
            let mut alone = graph.clone();
            alone.outputs = vec![output.clone()];
            let (results, sure) = evaluated(&compact(&alone), given)?;
            outputs.push((output.name.to_string(), results.into_values().next().filter(|_| sure)));
        }
        Ok(Expected { outputs })
    }

    /// Compares results with it.
    ///
    /// # Errors
    /// The first element that is off.
    pub fn admit(&self, found: &Results) -> Result<Seen, String> {
        let mut seen = Seen::default();
        for (name, elements) in &self.outputs {
            let Some(found) = found.get(name) else { return Err(format!("there is no output `{name}`")) };
            let Some(elements) = elements else {
                seen.unknown += found.len();
                continue;
            };
            if elements.len() != found.len() {
                return Err(format!("`{name}` has {} elements, not {}", found.len(), elements.len()));
            }
            for (at, (expected, found)) in elements.iter().zip(found).enumerate() {
                let known = usize::from(expected.is_known());
                seen.known += known;
                seen.unknown += 1 - known;
                if !expected.admits(*found, SLACK) {
                    let Rounded { value, error, .. } = expected;
                    return Err(format!("element {at} of `{name}` is {found:e}, not {value:e} ± {error:e}"));
                }
            }
        }
        Ok(seen)
    }
}

type Elements<P> = std::collections::BTreeMap<String, Vec<Rounded<P>>>;

/// The outputs, and whether no comparison depended on rounding.
fn evaluated<P: Format>(graph: &Graph, given: &Given) -> Result<(Elements<P>, bool), String> {
    decided_by_rounding();
    let results = interpreted::<Rounded<P>>(graph, given, |_, _, value| Rounded::exact(value))?;
    let sure = !decided_by_rounding();
    Ok((results.into_iter().map(|(name, value)| (name, numbers(value))).collect(), sure))
}

/// Elements of any type as numbers; ints and bools are exact.
fn numbers<P: Format>(tensor: Tensor<Rounded<P>>) -> Vec<Rounded<P>> {
    match tensor.data {
        Data::Float(values) => values,
        Data::Int(_) | Data::Bool(_) => tensor.to_f64().into_iter().map(Rounded::exact).collect(),
    }
}
