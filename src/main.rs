//! The `nnc` command.

use std::process::ExitCode;

use nnc::runtime::kernels::allocations::Counting;

/// `nnc profile` says how often a step allocates memory.
#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    nnc::cli::main()
}
