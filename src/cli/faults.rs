//! What is said where the compiler itself breaks off: a broken invariant is reported as what it is, with a way to
//! report it, instead of Rust's lines for programmers.

use super::output::complain_rendered;
use crate::base::render::render_all;
use crate::base::{Diagnostic, SourceMap};
use std::panic::{PanicHookInfo, set_hook, take_hook};

/// The exit code of a command that broke off, as Rust's own programs have it.
const FAULT: i32 = 101;

/// Reports panics as faults of nnc (E0799). With `RUST_BACKTRACE` set, Rust's own report follows.
pub fn report_panics() {
    let usual = take_hook();
    set_hook(Box::new(move |panic| {
        complain_rendered(&render_all(&[diagnostic(panic)], &SourceMap::default(), super::style()));
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            usual(panic);
        }
        // A release does not unwind: the command ends here, as one that failed, not as one that was killed.
        if cfg!(panic = "abort") {
            std::process::exit(FAULT);
        }
    }));
}

fn diagnostic(panic: &PanicHookInfo<'_>) -> Diagnostic {
    let fault = Diagnostic::fault(panic.payload_as_str().unwrap_or("a broken invariant"));
    match panic.location() {
        Some(place) => fault.note(format!("in {}, line {}", place.file(), place.line())),
        None => fault,
    }
}
