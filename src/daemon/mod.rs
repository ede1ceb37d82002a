//! The daemon: schedules → activations, the socket, the clock, a clean end. It knows no command and no task by name beyond
//! what the schedules say; `cli` hands it, as values, the functions that run them.
pub mod clock;
pub mod plan;
pub mod serve;
pub mod socket;
pub mod wake;
