//! Any text is checked and formatted; formatting changes no meaning.
#![no_main]

#[path = "../../tests/generated/mod.rs"]
#[allow(dead_code)]
mod generated;
#[path = "../../tests/support"]
#[allow(dead_code)]
mod support {
    pub mod backends;
    pub mod expected;
    pub mod rounding;
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(what) = generated::texts::program(text) {
        panic!("{what}");
    }
});
