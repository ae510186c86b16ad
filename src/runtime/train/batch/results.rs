//! What the steps of a series gave: losses, metrics, and arguments of metrics over all rows.

use std::ops::Range;

use crate::ir::OutputKey;
use crate::ir::program::Train;
use crate::runtime::array::Array;

/// Results of the steps of the last series, one behind another.
#[derive(Clone)]
pub struct Results {
    /// Rows of each step.
    pub size: usize,
    /// In the order of the outputs.
    pub arrays: Vec<Array>,
    /// What a step gives of each.
    pub shapes: Vec<Vec<usize>>,
    /// Numbers in `arrays`: `loss:K`, in the order of the lines.
    pub losses: Vec<usize>,
    /// Of the metrics that are averaged, in order.
    pub metrics: Vec<usize>,
    /// For each whole metric its arguments.
    pub gathered: Vec<Vec<usize>>,
}

impl Results {
    /// Those of a training, in the order of their keys.
    pub fn of(train: &Train, size: usize, arrays: Vec<Array>, shapes: Vec<Vec<usize>>, keys: &[&OutputKey]) -> Results {
        let result = |key: OutputKey| keys.iter().position(|other| **other == key);
        let lines = 0..train.lines.len() as u32;
        let losses = lines.filter_map(|line| result(OutputKey::Loss(line))).collect();
        let mut metrics = Vec::new();
        let mut gathered = Vec::new();
        for metric in &train.metrics {
            let name = &metric.name;
            if metric.whole.is_none() {
                metrics.extend(result(OutputKey::Metric(name.clone())));
            } else {
                gathered.push((0..).map_while(|at| result(OutputKey::Whole(name.clone(), at))).collect());
            }
        }
        Results { size, arrays, shapes, losses, metrics, gathered }
    }

    /// Room for those of so many steps.
    pub fn make_room(&mut self, steps: usize) {
        for (array, shape) in self.arrays.iter_mut().zip(&self.shapes) {
            resize(array, steps * shape.iter().product::<usize>());
        }
    }

    /// The losses of a step.
    pub fn losses(&self, step: usize) -> Vec<f64> {
        self.losses.iter().map(|number| self.arrays[*number].number(step)).collect()
    }

    /// Adds the losses of some steps to sums.
    pub fn add_losses(&self, steps: Range<usize>, weight: f64, sums: &mut [f64]) {
        add(&self.arrays, &self.losses, steps, weight, sums);
    }

    /// Adds the batch metrics of some steps to sums.
    pub fn add_metrics(&self, steps: Range<usize>, weight: f64, sums: &mut [f64]) {
        add(&self.arrays, &self.metrics, steps, weight, sums);
    }

    /// For each whole metric its arguments over some steps, rows first.
    pub fn gathered(&self, steps: Range<usize>) -> Vec<Vec<Array>> {
        let argument = |number: &usize| {
            let mut shape = self.shapes[*number].clone();
            let count = shape.iter().product::<usize>();
            // A scalar is the same in all steps.
            let steps = if shape.is_empty() { steps.start..steps.start + 1 } else { steps.clone() };
            if let Some(rows) = shape.first_mut() {
                *rows *= steps.len();
            }
            let elements = self.arrays[*number].elements().part(steps.start * count..steps.end * count);
            Array::new(shape, elements).expect("steps have results of one shape")
        };
        self.gathered.iter().map(|arguments| arguments.iter().map(argument).collect()).collect()
    }
}

/// Changes the number of elements; what is new is zero.
pub fn resize(array: &mut Array, count: usize) {
    if array.elements().len() == count {
        return;
    }
    let zeros = array.elements().zeros_alike(count);
    *array = Array::new(vec![count], zeros).expect("as many elements as the shape has");
}

fn add(results: &[Array], numbers: &[usize], steps: Range<usize>, weight: f64, sums: &mut [f64]) {
    for (sum, number) in sums.iter_mut().zip(numbers) {
        for step in steps.clone() {
            *sum += weight * results[*number].number(step);
        }
    }
}
