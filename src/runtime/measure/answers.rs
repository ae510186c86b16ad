//! How long a model takes to answer: [`Session::predict`] on made inputs.

use std::time::Instant;

use super::steps::Times;
use crate::ir::program::{BATCH, Model};
use crate::ir::{Dim, Elem, Sizes, Type};
use crate::runtime::array::{Array, Elements};
use crate::runtime::program::Diagnostics;
use crate::runtime::report::programs::ModelError;
use crate::runtime::session::Session;

const WARM_UP: usize = 4;
const FEWEST_CALLS: usize = 5;

/// Asks a model for the results of so many rows, again and again for about so many seconds.
///
/// # Errors
/// Those of [`Session::predict`].
pub fn measure(
    session: &mut Session,
    model: &Model,
    rows: usize,
    seconds: f64,
) -> Result<Times, Diagnostics> {
    let inputs: Option<Vec<Array>> = model.inputs.iter().map(|(_, ty)| made(ty, rows)).collect();
    let inputs = inputs.ok_or_else(|| {
        session.program.failed([ModelError::OpenInput { model: model.name.clone() }.into()])
    })?;
    let inputs: Vec<&Array> = inputs.iter().collect();
    for _ in 0..WARM_UP {
        session.predict(&model.name, &inputs)?;
    }
    let mut times = Vec::new();
    let begun = Instant::now();
    while begun.elapsed().as_secs_f64() < seconds || times.len() < FEWEST_CALLS {
        let call = Instant::now();
        std::hint::black_box(session.predict(&model.name, &inputs)?);
        times.push(call.elapsed().as_secs_f64());
    }
    Ok(Times::of_calls(times))
}

/// A tensor of a type for so many rows: floats in 0..1, ints 0, which every table has.
fn made(ty: &Type, rows: usize) -> Option<Array> {
    let sizes = Sizes::from([(BATCH.into(), Dim::from(rows))]);
    let size = |dim: &Dim| usize::try_from(dim.evaluate(&sizes).ok()?).ok();
    let shape: Vec<usize> = ty.shape.iter().map(size).collect::<Option<_>>()?;
    let count = shape.iter().product();
    let elements = match ty.elem {
        Elem::Float => Elements::F32((0..count).map(|at| (at * 37 % 101) as f32 / 101.0).collect()),
        Elem::Int => Elements::I32(vec![0; count]),
        Elem::Bool => Elements::Bool(vec![true; count]),
    };
    Array::new(shape, elements).ok()
}
