//! The random program of any number means one thing to the interpreter and to every back end.
#![no_main]

use nnc_fuzz::generated;

libfuzzer_sys::fuzz_target!(|number: u64| {
    let text = generated::make::program(number).to_string();
    if let generated::oracle::Verdict::Fault(fault) = generated::oracle::check(&text) {
        panic!("{fault:?}\n{text}");
    }
});
