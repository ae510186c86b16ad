//! How the linker makes the release binary small, where it is known to be LLD: rustc's own for this target.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    let is_linux = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is("PROFILE", "release") && is_linux && is("CARGO_CFG_TARGET_ARCH", "x86_64") {
        // Functions with the same instructions are one (0.3 MB).
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
        // Addresses are known at the start and need no table (0.4 MB).
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
