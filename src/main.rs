//! argv in, exit code out.

use std::process::ExitCode;

/// A review asks for memory some hundred times for each enterprise.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    yingbao::cli::dispatch::main()
}
