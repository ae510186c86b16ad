//! Trainings: the same bits for any number of threads, and broken off and resumed; the step by every back end.

use nnc::compile;
use nnc::ir::program::Action;
use nnc::ir::specialise;
use nnc::runtime::array::Array;
use nnc::runtime::program::Program;
use nnc::{Session, Silent};

use super::oracle::{Checked, Looked, Ways, every_back_end, fault, given};

pub fn check(text: &str, program: &Program, looked: &mut Looked) -> Checked<()> {
    let one = trained(text, 1)?;
    for threads in [2, 3] {
        if trained(text, threads)? != one {
            return fault("threads", format!("{threads} threads train other parameters"));
        }
    }
    resumed(text, program)?;
    for part in compile::parts(program.checked()) {
        let sizes = compile::sizes(&part, program.checked());
        let graph = specialise(part.graph, &sizes).or_else(|error| fault("sizes", format!("{error:?}")))?;
        let mut values = given(&graph, &|_| Some(1.0), "plain", 5);
        // States of optimisers and variances are not negative.
        for (name, elements) in &mut values.values {
            if name.starts_with("state:") {
                elements.iter_mut().for_each(|element| *element = element.abs());
            }
        }
        let ways = Ways { precision: program.checked().precision, plain: text.len() };
        every_back_end(&graph, &values, ways, looked)?;
    }
    Ok(())
}

fn session(text: &str) -> Checked<Session> {
    let program = compile(text).or_else(|errors| fault("compiles once only", errors.to_string()))?;
    program.session().or_else(|errors| failed(&errors))
}

fn failed<T>(errors: &nnc::Diagnostics) -> Checked<T> {
    let internal = errors.list.iter().any(|error| ["E0726", "E0799"].contains(&error.code));
    fault(if internal { "internal error" } else { "fails when it runs" }, errors.to_string())
}

/// The bits of what is trained; `None` if a loss or parameter becomes infinite or NaN: the steps were too large.
fn trained(text: &str, threads: usize) -> Checked<Option<Vec<u64>>> {
    let mut session = session(text)?;
    session.set_threads(threads);
    match session.train(&mut Silent) {
        Ok(_) => Ok(Some(bits(&variables(&session)))),
        Err(errors) if errors.list.iter().any(|error| error.code == "E0723") => Ok(None),
        Err(errors) => failed(&errors),
    }
}

fn variables(session: &Session) -> Vec<Array> {
    session.parameters().filter_map(|name| session.parameter(name)).cloned().collect()
}

fn bits(arrays: &[Array]) -> Vec<u64> {
    arrays
        .iter()
        .flat_map(|array| array.to_f64().iter().map(|value| value.to_bits()).collect::<Vec<_>>())
        .collect()
}

/// Four steps at once, and two, saved, resumed, two more.
fn resumed(text: &str, program: &Program) -> Checked<()> {
    if program.checked().actions.iter().filter(|action| matches!(action, Action::Train(_))).count() != 1 {
        return Ok(());
    }
    let with_steps = |steps: u64| {
        let length = |line: &str| {
            line.trim_start().starts_with("epochs =") || line.trim_start().starts_with("steps =")
        };
        let lines =
            text.lines().map(|line| if length(line) { format!("    steps = {steps}") } else { line.into() });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    let Some(whole) = trained(&with_steps(4), 1)? else { return Ok(()) };
    let mut half = session(&with_steps(2))?;
    half.train(&mut Silent).or_else(|errors| failed(&errors))?;
    let thread = format!("{:?}", std::thread::current().id()).replace(['(', ')'], "");
    let file =
        std::env::temp_dir().join(format!("nnc_generated_{}_{thread}.safetensors", std::process::id()));
    half.save(&file).or_else(|errors| failed(&errors))?;
    let mut rest = session(&with_steps(4))?;
    let resumed = rest.resume(&file);
    // What is left behind in the folder of temporary files harms nobody.
    let _ = std::fs::remove_file(&file);
    resumed.or_else(|errors| failed(&errors))?;
    rest.train(&mut Silent).or_else(|errors| failed(&errors))?;
    if bits(&variables(&rest)) != whole {
        return fault("resume", "training that is broken off and resumed gives other parameters");
    }
    Ok(())
}
