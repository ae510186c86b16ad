//! Any text is checked and formatted; formatting changes no meaning.
#![no_main]

use nnc_fuzz::generated;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(what) = generated::texts::program(text) {
        panic!("{what}");
    }
});
