//! Trains the network, if its parameters are not there yet, and takes it into the program.

use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=flowers.nn");
    let folder = PathBuf::from(std::env::var("OUT_DIR")?);
    let text = std::fs::read_to_string("flowers.nn")?;
    let program = nnc::compile(&text)?;

    // A project whose training takes longer keeps the file of `nnc run --save` beside its program instead.
    let weights = folder.join("flowers.safetensors");
    let mut session = program.session()?;
    session.train(&mut nnc::Silent)?;
    session.save(&weights)?;

    let options = nnc::COptions::new("flowers");
    let files = nnc::export_c(&text, &nnc::Options::new(), Some(&weights), &options)?;
    let [header, code] = &files.names;
    std::fs::write(folder.join(header), &files.header)?;
    std::fs::write(folder.join(code), &files.code)?;
    std::fs::write(folder.join("flowers.rs"), files.rust.as_deref().unwrap_or_default())?;
    compile(&folder.join(code));
    Ok(())
}

fn compile(code: &Path) {
    cc::Build::new().file(code).std("c99").opt_level(3).warnings(true).compile("flowers");
}
