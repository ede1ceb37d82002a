//! A synthetic city that speaks every department's format, with the truth kept beside it. Deterministic by seed.
