//! Dry run: what would have been sent, as `.eml` and text files under the state folder.
