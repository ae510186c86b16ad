//! Any file is read or refused by the reader of every format: the first byte says which.
#![no_main]

use nnc_fuzz::generated;

static FORMATS: std::sync::LazyLock<Vec<generated::files::Format>> =
    std::sync::LazyLock::new(generated::files::formats);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    (FORMATS[usize::from(*first) % FORMATS.len()].read)(rest.to_vec());
});
