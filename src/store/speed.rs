//! How fast it is: `cargo test --lib store::speed -- --ignored --nocapture`.
