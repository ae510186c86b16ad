//! Any text of a graph is refused, or printed and read as the same graph.
#![no_main]

use nnc_fuzz::generated;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(what) = generated::texts::graph(text) {
        panic!("{what}");
    }
});
