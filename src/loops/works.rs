//! Stages that stand for no loop of the graph: the filling of a target with its identity, and small matrix products.

use super::LoopError;
use super::access::{Access, Form, Node, Work};
use super::ir::Kind;
use super::params::Params;
use crate::ir::{Combine, ScalarId};
use crate::plan;

/// A stage that writes the identity everywhere into the target of another.
pub fn fill_of(work: &Work) -> Result<Work, LoopError> {
    let rank = work.shared + work.target_axes.len();
    let mut sizes = work.sizes[..work.shared].to_vec();
    let mut form = Form::number(rank, 0);
    for (axis, (size, stride)) in work.target_axes.iter().enumerate() {
        let shared = work.target_shared[axis];
        if let Some(index) = shared {
            form.coefficients[index] += stride;
            sizes.push(1);
        } else {
            form.coefficients[work.shared + axis] = *stride;
            sizes.push(*size);
        }
    }
    if work.shared > 0 && form.coefficients[..work.shared].contains(&0) && !work.private_target {
        return Err(LoopError("a scatter inside shared loops".into()));
    }
    let kind = work.target_kind;
    let combine = work.combine;
    let node = match (combine, kind) {
        (Combine::ArgMax | Combine::ArgMin, _) => Node::Int(0),
        (_, Kind::F32 | Kind::F64) => Node::Float(crate::ir::Number(plan::identity(combine, crate::ir::Elem::Float))),
        (_, Kind::I32 | Kind::I64) => {
            let identity = plan::identity(combine, crate::ir::Elem::Int) as i64;
            let is_narrow = kind == Kind::I32;
            Node::Int(if is_narrow { identity.clamp(i32::MIN.into(), i32::MAX.into()) } else { identity })
        }
        (_, Kind::Bool) => Node::Bool(plan::identity(combine, crate::ir::Elem::Bool) != 0.0),
    };
    Ok(Work {
        reduced: vec![false; sizes.len()],
        sizes,
        shared: work.shared,
        nodes: vec![node],
        kinds: vec![kind],
        open: vec![false],
        open_combine: false,
        result: ScalarId(0),
        combine: Combine::Set,
        accumulate: false,
        write: Access { param: work.target_param, form, values: Vec::new(), checks: Vec::new() },
        target_kind: kind,
        reduced_number: Form::number(rank, 0),
        injective: true,
        is_scatter: false,
        covering: true,
        private_target: work.private_target,
        target_axes: Vec::new(),
        target_shared: Vec::new(),
        target_param: work.target_param,
    })
}

/// A small product as a stage: batch…, m…, n…, k….
pub fn product_of(gemm: &plan::Gemm, params: &mut Params<'_>) -> Result<Work, LoopError> {
    let sizes = gemm.sizes();
    let rank = sizes.len();
    let mut access = |operand: usize| -> Result<Access, LoopError> {
        let view = gemm.views()[operand];
        let mut form = Form::number(rank, 0);
        for (place, stride) in gemm.places(operand).into_iter().zip(&view.strides) {
            form.coefficients[place] = *stride;
        }
        Ok(Access { param: params.param(view, 0, &[])?, form, values: Vec::new(), checks: Vec::new() })
    };
    let (a, b, write) = (access(0)?, access(1)?, access(2)?);
    let kind = params.kind(&gemm.c);
    let reduced = (0..rank).map(|at| gemm.is_summed(at)).collect();
    Ok(Work {
        sizes,
        shared: 0,
        reduced,
        nodes: vec![
            Node::Read(a),
            Node::Read(b),
            Node::Binary(crate::ir::BinaryOp::Mul, ScalarId(0), ScalarId(1)),
        ],
        kinds: vec![kind; 3],
        open: vec![false; 3],
        open_combine: false,
        result: ScalarId(2),
        combine: Combine::Add,
        accumulate: gemm.accumulate,
        target_param: write.param,
        write,
        target_kind: kind,
        reduced_number: Form::number(rank, 0),
        injective: true,
        is_scatter: false,
        covering: true,
        private_target: false,
        target_axes: Vec::new(),
        target_shared: Vec::new(),
    })
}
