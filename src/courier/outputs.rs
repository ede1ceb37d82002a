//! Letters and call lists: files for the county agencies.
