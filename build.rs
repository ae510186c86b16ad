//! Which processors have kernels for products in vectors; and how the linker makes the release binary small, where it
//! is known to be LLD: rustc's own for this target.

use std::path::PathBuf;

/// Leaves out the tables for unwinding: a release ends at a panic, so nothing is unwound.
const LEFT_OUT: &str =
    "SECTIONS { /DISCARD/ : { *(.eh_frame) *(.gcc_except_table*) } } INSERT AFTER .text;\n";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    println!("cargo:rustc-check-cfg=cfg(vector_products)");
    if is("CARGO_CFG_TARGET_ARCH", "x86_64") || is("CARGO_CFG_TARGET_ARCH", "aarch64") {
        println!("cargo:rustc-cfg=vector_products");
    }
    let is_linux = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is("PROFILE", "release") && is_linux && is("CARGO_CFG_TARGET_ARCH", "x86_64") {
        // Functions with the same instructions are one (0.3 MB).
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
        // At a fixed address, so that the file needs no list of the places with addresses in them (0.4 MB).
        println!("cargo:rustc-link-arg-bins=-no-pie");
        // Without tables for unwinding (1 MB). Where no file can be written, the binary is larger.
        if let Some(folder) = std::env::var_os("OUT_DIR") {
            let script = PathBuf::from(folder).join("left_out.ld");
            if std::fs::write(&script, LEFT_OUT).is_ok() {
                println!("cargo:rustc-link-arg-bins=-Wl,--no-eh-frame-hdr,-T,{}", script.display());
            }
        }
    }
}
