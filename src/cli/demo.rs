//! demo
use crate::cli::arguments::DemoArguments;
use crate::cli::console::Console;
/// demo
pub fn run(options: &DemoArguments, console: &mut Console<'_>) -> i32 {
    let _ = (options, console);
    2
}
