//! Checked code stops accesses outside of their buffers, in every generator.

use super::*;
use crate::ir::ranges;
use crate::loops::{Expr, Module, Stmt};

/// `y = 2 x`, and `z[i] = x[v[i]]`.
fn graph() -> Graph {
    let text = "\
%0 = input \"x\" : [70]
%1 = input \"v\" : int[70]
%2 = loop i0 < 70 : [i0] = mul(%0[i0], 2.0) : [70]
%3 = loop i0 < 70 : [i0] = mul(%0[%1[i0]], 2.0) : [70]
out \"y\" = %2
out \"z\" = %3
";
    text::parse(text).unwrap()
}

/// Moves all addresses of loads or of stores, as a pass would that makes a mistake.
fn displace(block: &mut [Stmt], stores: bool, by: i64) {
    let mut moved: Vec<loops::Address> = Vec::new();
    for stmt in block.iter() {
        match stmt {
            Stmt::Let(_, Expr::Load(address)) if !stores => moved.push(address.clone()),
            Stmt::Store { address, .. } if stores => moved.push(address.clone()),
            _ => {}
        }
    }
    for stmt in block {
        match stmt {
            Stmt::Let(_, Expr::Load(address)) | Stmt::Store { address, .. } | Stmt::Check { address, .. }
                if moved.contains(address) =>
            {
                address.index.constant += by;
            }
            Stmt::For(inner) => displace(&mut inner.body, stores, by),
            Stmt::If { then, .. } => displace(then, stores, by),
            _ => {}
        }
    }
}

fn outcome(
    plan: &Plan,
    module: &Module,
    ints: i32,
    backend: &dyn Backend,
) -> (Result<(), CodeError>, Vec<Vec<f64>>) {
    let module = loops::verify::module(module.clone()).unwrap();
    let executable = backend.compile(&module, Options::default()).unwrap();
    let mut tensors = tensors(plan);
    for tensor in &mut tensors {
        match tensor {
            Owned::I32(values) => values.iter_mut().for_each(|value| *value += ints),
            Owned::I64(values) => values.iter_mut().for_each(|value| *value += i64::from(ints)),
            Owned::F32(_) | Owned::F64(_) | Owned::Bool(_) => {}
        }
    }
    let mut bindings = bindings(plan, &mut tensors);
    let mut workspace = executable.workspace().unwrap();
    let outcome = executable.step(&mut workspace, &mut bindings, Call { step: 3, seed: 7 }, &Alone);
    (outcome.map(|overflow| assert!(overflow.is_none())), tensors.iter().map(Owned::numbers).collect())
}

/// The plan with the promise that all ints that it is given are subscripts of 70 elements.
fn promised(mut plan: Plan) -> Plan {
    for buffer in plan.buffers.iter_mut().filter(|buffer| buffer.elem == Elem::Int) {
        buffer.range = ranges::Range { least: 0, greatest: 69 };
    }
    plan
}

#[test]
fn accesses_outside_are_stopped() {
    for precision in [Precision::F32, Precision::F64] {
        let plan = plan::plain(&graph(), plan::Options { precision }).unwrap();
        for backend in backends() {
            let module = lowered(&plan, backend, true).into_inner();
            assert!(outcome(&plan, &module, 0, backend).0.is_ok());
            for (stores, by) in [(false, 1), (false, -1), (true, 1), (true, -1), (true, 1 << 40)] {
                let mut module = module.clone();
                module.kernels.iter_mut().for_each(|kernel| displace(&mut kernel.body, stores, by));
                let error = outcome(&plan, &module, 0, backend).0.unwrap_err();
                let fault = error.fault().expect("an access outside");
                assert_eq!(fault.site.elements, 70, "{}", error.text);
                assert!(!(0..70).contains(&fault.element) || fault.site.access.contains("elements"));
            }
        }
    }
}

#[test]
fn computed_subscripts_that_break_a_promise_are_stopped() {
    for precision in [Precision::F32, Precision::F64] {
        let plan = promised(plan::plain(&graph(), plan::Options { precision }).unwrap());
        for backend in backends() {
            let module = lowered(&plan, backend, true).into_inner();
            assert!(outcome(&plan, &module, 0, backend).0.is_ok());
            for ints in [68, -1, i32::MAX - 5] {
                let error = outcome(&plan, &module, ints, backend).0.unwrap_err();
                let fault = error.fault().expect("an access outside");
                assert_eq!(fault.site.elements, 70, "{}", error.text);
                assert!(!(0..70).contains(&fault.element), "{}", error.text);
            }
        }
    }
}

/// Without a promise native code tests such subscripts itself, checked or not: nothing is read outside.
#[test]
fn computed_subscripts_of_unknown_range_are_tested() {
    for precision in [Precision::F32, Precision::F64] {
        let plan = plan::plain(&graph(), plan::Options { precision }).unwrap();
        let z = plan.externals.iter().position(|external| external.name.to_string() == "output:z").unwrap();
        for backend in backends() {
            let module = lowered(&plan, backend, true).into_inner();
            for ints in [70, -3, i32::MAX - 5] {
                let (outcome, tensors) = outcome(&plan, &module, ints, backend);
                outcome.unwrap();
                assert!(tensors[z].iter().all(|value| *value == 0.0), "{:?}", tensors[z]);
            }
        }
    }
}

#[test]
fn what_is_never_written_is_poison() {
    let plan = plan::plain(&graph(), plan::Options::default()).unwrap();
    for backend in backends() {
        let mut module = lowered(&plan, backend, true).into_inner();
        // The kernels write nothing any more.
        module.kernels.iter_mut().for_each(|kernel| kernel.body.clear());
        let (outcome, tensors) = outcome(&plan, &module, 0, backend);
        outcome.unwrap();
        let results = plan.externals.iter().zip(&tensors).filter(|(external, _)| external.is_result());
        for (_, values) in results {
            assert!(values.iter().all(|value| value.is_nan()));
        }
    }
}
