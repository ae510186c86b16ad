//! What the numbers mean that a model gives: what its loss compares them with, and how.
//!
//! The compiler knows no loss by name, so the loss is asked. Its part behind the model is evaluated on a few rows
//! of made results `z`, for each class `k` that the target may be. If it is a negative log-likelihood, then
//! `exp(-loss(z, k))`, divided by its sum over `k`, is the probability that the model gives to `k`:
//!
//! | it comes out as | the results are |
//! |---|---|
//! | `softmax(z)` | scores or log-probabilities of classes |
//! | `z`, where `z` is positive and sums to 1 | probabilities of classes |
//! | `sigmoid(z)`, of one result and two classes, or of a float target that is 0 or 1 | scores of the second |
//! | `z` of these | its probability |
//! | something else, and no loss of a class rises with the result of this class | scores without probabilities |
//!
//! Anything else are numbers.

use std::sync::Arc;

use super::asked::{Asked, fields_of};
use crate::ir::interpret::{Data, Feed, Tensor, evaluate};
use crate::base::Diagnostic;
use crate::ir::program::{BATCH, DataSet, Source, Train};
use crate::ir::{Combine, Dim, Elem, Graph, InputKey, Op, Output, OutputKey, Sizes, compact, copy, specialise};
use crate::runtime::program::Program;
use crate::runtime::report::answers::NotUndone;

/// The results of the model as an input of the loss; no field has a space in its name.
const RESULTS: &str = "results of the model";
/// Two numbers are the same if they differ by less.
const CLOSE: f64 = 1e-6;
/// The loss is asked for each class if there are no more classes than this.
const MOST_CLASSES: usize = 1024;

/// How the results of a row are to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    /// One of `n` classes, from `n` results, or from a single one if there are two.
    Classes(usize, Probabilities),
    /// Each element is true or false.
    Truth(Probabilities),
    Numbers,
}

/// How probabilities follow from results.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Probabilities {
    /// By `softmax`, or `sigmoid` if it is one result.
    OfScores,
    /// They are these.
    Themselves,
    /// The loss says none.
    Unknown,
}

/// What results are compared with, and how they are to be read.
#[derive(Clone, Debug)]
pub struct Meaning {
    /// The field of the data that the loss compares the results with.
    pub target: Option<Arc<str>>,
    pub reading: Reading,
    /// The shape of the results of one row.
    pub row: Vec<usize>,
    /// Whether the loss is least where the results are the target.
    pub is_of_target: bool,
}

impl Meaning {
    /// What the first result of a model means.
    pub fn of(program: &Program, asked: &Asked) -> Meaning {
        let shape = |node| asked.graph.shape(node).get(1..).unwrap_or_default();
        let row = asked.graph.outputs.first().map(|output| shape(output.node));
        let row =
            row.and_then(|row| row.iter().map(size).collect::<Option<Vec<usize>>>()).unwrap_or_default();
        let mut meaning = Meaning { target: None, reading: Reading::Numbers, row, is_of_target: false };
        let Some(train) = asked.train(program) else { return meaning };
        let Some(set) = program.checked().data.iter().find(|set| set.name == asked.set) else {
            return meaning;
        };
        let Some(loss) = loss_behind(asked, train) else { return meaning };
        let fields = fields_of(program, train, &loss);
        let Some(target) = target(set, &fields, &meaning.row) else { return meaning };
        meaning.target = Some(target.0.clone());
        let Some(probe) = Probe::new(program, set, &loss, &fields, &target.0, &meaning.row) else {
            return meaning;
        };
        meaning.reading = match target.1 {
            Target::Class(classes) => probe.classes(classes),
            Target::Numbers => probe.truth(),
        };
        meaning.is_of_target = meaning.reading == Reading::Numbers && probe.is_least_at_target();
        meaning
    }

    /// That the numbers are those of a field that is computed from its columns, and not the columns' own.
    pub fn is_transformed(&self, set: &DataSet) -> Option<Diagnostic> {
        let target = self.target.as_ref().filter(|_| self.reading == Reading::Numbers)?;
        let field = set.fields.iter().find(|field| field.name == *target)?;
        let output = set.graph.outputs.iter().find(|output| output.name.text() == *target)?;
        let needed = set.graph.reachable([output.node]);
        let mut nodes = set.graph.nodes().filter(|(id, _)| needed[id.0 as usize]);
        let is_column = nodes.all(|(_, node)| match &node.op {
            Op::Loop(body) => body.is_view() && body.combine == Combine::Set,
            Op::Input { .. } | Op::Reshape { .. } | Op::Mark(_) => true,
            _ => false,
        });
        if is_column || matches!(set.source, Source::None) {
            return None;
        }
        Some(NotUndone { target: target.clone(), at: field.span }.into())
    }

    /// The class of a row and the probability of each, or of each element that it is true.
    pub fn read(&self, results: &[f64]) -> (usize, Option<Vec<f64>>) {
        let greatest = |values: &[f64]| {
            let mut best = 0;
            for (at, value) in values.iter().enumerate() {
                if *value > values[best] {
                    best = at;
                }
            }
            best
        };
        let single = |of: Probabilities| match of {
            Probabilities::OfScores => {
                let p = sigmoid(results[0]);
                (usize::from(results[0] > 0.0), Some(vec![sigmoid(-results[0]), p]))
            }
            Probabilities::Themselves => {
                (usize::from(results[0] > 0.5), Some(vec![1.0 - results[0], results[0]]))
            }
            Probabilities::Unknown => (usize::from(results[0] > 0.0), None),
        };
        match self.reading {
            Reading::Classes(_, of) if results.len() == 1 => single(of),
            Reading::Classes(_, Probabilities::OfScores) => (greatest(results), Some(softmax(results))),
            Reading::Classes(_, Probabilities::Themselves) => (greatest(results), Some(results.to_vec())),
            Reading::Classes(_, Probabilities::Unknown) => (greatest(results), None),
            Reading::Truth(Probabilities::OfScores) => {
                (0, Some(results.iter().map(|result| sigmoid(*result)).collect()))
            }
            Reading::Truth(_) => (0, Some(results.to_vec())),
            Reading::Numbers => (0, None),
        }
    }
}

fn size(dim: &Dim) -> Option<usize> {
    dim.as_number().and_then(|size| usize::try_from(size).ok())
}

/// The loss of the line as a graph of the results of the model.
fn loss_behind(asked: &Asked, train: &Train) -> Option<Graph> {
    let [node] = asked.answer.results.as_slice() else { return None };
    let graph = train.evaluate.as_ref()?;
    let loss = graph.find_output(OutputKey::Loss(asked.line))?;
    let needed = graph.reachable([loss]);
    let mut new = Graph::new();
    let places = copy(&mut new, graph, &needed, |new, id, old, operands| match id == *node {
        true => new.add(Op::Input { name: InputKey::field(RESULTS), ty: old.ty.clone() }, Vec::new()),
        false => new.add(old.op.clone(), operands),
    });
    new.outputs = vec![Output { name: OutputKey::named("loss"), node: places[loss.0 as usize]? }];
    Some(compact(&new))
}

enum Target {
    Class(usize),
    Numbers,
}

/// The field that the results are compared with: the only one that holds classes, one for each row, or else the
/// only one of the shape of the results.
fn target(set: &DataSet, fields: &[Arc<str>], row: &[usize]) -> Option<(Arc<str>, Target)> {
    let field = |name: &Arc<str>| set.fields.iter().find(|field| field.name == *name);
    let classes = |name: &Arc<str>| {
        let field = field(name).filter(|field| field.row.elem == Elem::Int && field.row.shape.is_empty())?;
        let declared = field.bounds.iter().filter(|bound| bound.is_declared);
        let count = declared.filter_map(|bound| size(&bound.below)).next()?;
        let count_of_results: usize = row.iter().product();
        (row.len() <= 1 && (count_of_results == count || count_of_results == 1 && count == 2))
            .then_some(count)
    };
    let mut of_classes = fields.iter().filter_map(|name| Some((name.clone(), classes(name)?)));
    if let Some((name, count)) = of_classes.next() {
        return of_classes.next().is_none().then_some((name, Target::Class(count)));
    }
    let fits = |name: &&Arc<str>| {
        let shape = field(name).and_then(|field| field.row.static_shape()).unwrap_or_default();
        shape == row || shape.iter().product::<usize>() == 1 && row.iter().product::<usize>() == 1
    };
    let mut others = fields.iter().filter(fits);
    let first = others.next()?;
    others.next().is_none().then(|| (first.clone(), Target::Numbers))
}

/// The loss of one row as a function of results and target.
struct Probe {
    loss: Graph,
    feed: Feed<f64>,
    target: Arc<str>,
    target_type: (Elem, Vec<usize>),
    shape: Vec<usize>,
}

impl Probe {
    fn new(
        program: &Program,
        set: &DataSet,
        loss: &Graph,
        fields: &[Arc<str>],
        target: &Arc<str>,
        row: &[usize],
    ) -> Option<Probe> {
        let mut sizes = Sizes::new();
        sizes.insert(BATCH.into(), Dim::ONE);
        let loss = specialise(loss, &sizes).ok()?;
        let of_one_row = |row: Vec<usize>| std::iter::once(1).chain(row).collect::<Vec<usize>>();
        let mut feed = Feed { step: 1, ..Feed::default() };
        let mut target_type = None;
        for name in fields {
            let field = set.fields.iter().find(|field| field.name == *name)?;
            let shape = of_one_row(field.row.static_shape()?);
            if name == target {
                target_type = Some((field.row.elem, shape));
                continue;
            }
            // Weights and masks: a row that counts.
            let count = shape.iter().product();
            let tensor = match field.row.elem {
                Elem::Float => Tensor::floats(shape, vec![1.0; count]),
                Elem::Int => Tensor::ints(shape, vec![1; count]),
                Elem::Bool => Tensor::bools(shape, vec![true; count]),
            };
            feed.inputs.insert(InputKey::Field(name.clone()), tensor);
        }
        for variable in program.checked().params.iter().chain(&program.checked().states) {
            let zeros = Tensor::zeros(variable.ty.elem, variable.ty.static_shape()?);
            feed.variables.insert(variable.path.clone(), zeros);
        }
        let shape = of_one_row(row.to_vec());
        Some(Probe { loss, feed, target: target.clone(), target_type: target_type?, shape })
    }

    fn loss(&self, results: &[f64], target: &[f64]) -> Option<f64> {
        let mut feed = self.feed.clone();
        let results = Tensor::floats(self.shape.clone(), results.to_vec());
        feed.inputs.insert(InputKey::field(RESULTS), results);
        let (elem, shape) = self.target_type.clone();
        let target = match elem {
            Elem::Float => Tensor::floats(shape, target.to_vec()),
            Elem::Int => Tensor::ints(shape, target.iter().map(|value| *value as i64).collect()),
            Elem::Bool => Tensor::bools(shape, target.iter().map(|value| *value != 0.0).collect()),
        };
        feed.inputs.insert(InputKey::Field(self.target.clone()), target);
        let values = evaluate(&self.loss, &feed).ok()?;
        let loss = values.get(&OutputKey::named("loss"))?;
        match &loss.data {
            Data::Float(values) => values.first().copied().filter(|loss| loss.is_finite()),
            Data::Int(_) | Data::Bool(_) => None,
        }
    }

    /// The losses of one row for each class.
    fn losses(&self, results: &[f64], classes: usize) -> Option<Vec<f64>> {
        (0..classes).map(|class| self.loss(results, &[class as f64])).collect()
    }

    fn classes(&self, classes: usize) -> Reading {
        let count: usize = self.shape.iter().product();
        if classes > MOST_CLASSES {
            return Reading::Classes(classes, Probabilities::Unknown);
        }
        let says = |results: &[f64], expected: Vec<f64>| {
            let Some(losses) = self.losses(results, classes) else { return false };
            let negative: Vec<f64> = losses.iter().map(|loss| -loss).collect();
            softmax(&negative).iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < CLOSE)
        };
        let of_scores = |results: &[f64]| match results {
            [one] => vec![sigmoid(-one), sigmoid(*one)],
            several => softmax(several),
        };
        let themselves = |results: &[f64]| match results {
            [one] => vec![1.0 - one, *one],
            several => several.to_vec(),
        };
        if samples(count).iter().all(|results| says(results, of_scores(results))) {
            return Reading::Classes(classes, Probabilities::OfScores);
        }
        let shares = samples(count).into_iter().map(|results| match results.as_slice() {
            [one] => vec![sigmoid(*one)],
            several => softmax(several),
        });
        if shares.into_iter().all(|results| says(&results, themselves(&results))) {
            return Reading::Classes(classes, Probabilities::Themselves);
        }
        match count > 1 && self.ranks(classes) {
            true => Reading::Classes(classes, Probabilities::Unknown),
            false => Reading::Numbers,
        }
    }

    /// Whether the loss of a class never rises with the result of that class, and falls somewhere.
    fn ranks(&self, classes: usize) -> bool {
        let mut falls = false;
        for results in samples(classes) {
            for class in 0..classes.min(16) {
                let mut more = results.clone();
                more[class] += 0.5;
                let target = [class as f64];
                let (Some(before), Some(after)) = (self.loss(&results, &target), self.loss(&more, &target))
                else {
                    return false;
                };
                if after > before + CLOSE {
                    return false;
                }
                falls |= after < before - CLOSE;
            }
        }
        falls
    }

    /// Whether the loss is nowhere less than where the results are the target.
    fn is_least_at_target(&self) -> bool {
        let count: usize = self.shape.iter().product();
        if self.target_type.1.iter().product::<usize>() != count {
            return false;
        }
        samples(count).iter().all(|target| {
            let Some(least) = self.loss(target, target) else { return false };
            let is_more = |(at, by): (usize, f64)| {
                let mut other = target.clone();
                other[at] += by;
                self.loss(&other, target).is_some_and(|loss| loss > least)
            };
            (0..count.min(16)).flat_map(|at| [(at, 0.3), (at, -0.3)]).all(is_more)
        })
    }

    /// A target of the shape of the results whose elements are 0 or 1.
    fn truth(&self) -> Reading {
        let count: usize = self.shape.iter().product();
        let elements = self.target_type.1.iter().product::<usize>();
        if elements != count {
            return Reading::Numbers;
        }
        // The loss may be the sum over the elements or their mean.
        for scale in [1.0, count as f64] {
            let says = |results: &[f64], expected: &dyn Fn(f64) -> f64| {
                (0..count.min(16)).all(|at| {
                    let mut target = vec![0.0; count];
                    let without = self.loss(results, &target);
                    target[at] = 1.0;
                    let with = self.loss(results, &target);
                    let (Some(without), Some(with)) = (without, with) else { return false };
                    (sigmoid(scale * (without - with)) - expected(results[at])).abs() < CLOSE
                })
            };
            if samples(count).iter().all(|results| says(results, &sigmoid)) {
                return Reading::Truth(Probabilities::OfScores);
            }
            let shares = samples(count).into_iter();
            let mut shares = shares.map(|results| results.into_iter().map(sigmoid).collect::<Vec<f64>>());
            if shares.all(|results| says(&results, &|result| result)) {
                return Reading::Truth(Probabilities::Themselves);
            }
        }
        Reading::Numbers
    }
}

/// A few rows of results that have nothing special.
fn samples(count: usize) -> Vec<Vec<f64>> {
    let value = |row: usize, at: usize| 2.0 * ((row * 37 + at * 11 + 5) as f64 * 0.7).sin();
    (0..3).map(|row| (0..count).map(|at| value(row, at)).collect()).collect()
}

fn softmax(values: &[f64]) -> Vec<f64> {
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = values.iter().map(|value| (value - greatest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

fn sigmoid(value: f64) -> f64 {
    if value >= 0.0 { 1.0 / (1.0 + (-value).exp()) } else { value.exp() / (1.0 + value.exp()) }
}
