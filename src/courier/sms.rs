//! Texts through one HTTP gateway.
