//! The keys of the index: every prefix is declared here and nowhere else.
//!
//! | key | value |
//! |---|---|
//! | `w/ADAPTER` | what of the source's change-tracking index is seen (JSON) |
//! | `s/N` | marker of a stage: delivery N is not published yet |
//! | `n/N` | id of the batch that is delivery N |
//! | `h/ADAPTER` | head: the delivery readers see, and the entry of its batch |
//! | `b/SEQ` | a batch as the journal's entry SEQ judged it |
//! | `a/ADAPTER\0SEQ` | nothing: the batches of one source in their order |
//! | `i/BATCH` | newest entry and newest delivery of a batch |
//! | `d/ADAPTER\0DIGEST` | id of the newest batch with this file |
//! | `q/ADAPTER\0FILE` | digest of the newest batch whose file had this name |
//! | `k/CASE` | a case (JSON) |
//! | `e/ENTERPRISE\0CASE` | nothing: the cases of one enterprise |
//! | `p/ENTERPRISE\0SUBJECT` | a pair that may be one firm, with what was decided (JSON) |
//! | `r/ENTERPRISE\0SUBJECT` | nothing: the pairs that a person has answered |
//! | `j/SEQ` | where the journal's entry SEQ lies; only those with case events |
//! | `m/NOTICE` | place in the outbox and notice (JSON) |
//! | `o/PLACE` | key of a notice that waits in the outbox |
//! | `u/JOB` `l/ALERT` `t/BULLETIN` `f/NAME` | last run, standing alert, bulletin, setting in force |
//! | `y/ENTERPRISE` | what named persons found out about its staff (JSON) |
//! | `v/reviewed` `v/wave` | last review, greatest dispatch |
//! | `z/applied` `z/delivery` | last journal entry in the index, greatest delivery begun |
//! | `x/KEY PIECE` | a piece of the value of KEY, when that is too long for one row |
//!
//! N, SEQ, PLACE and PIECE are big-endian numbers of fixed length, so that bytes sort as numbers. A name before `\0` never holds
//! a `\0` (checked on the way in); what follows it may hold anything.

/// Manifests of change tracking.
pub const TRACKED: &str = "w/";
/// Stage markers.
pub const STAGES: &str = "s/";
/// Batch ids by delivery.
pub const DELIVERIES: &str = "n/";
/// Heads.
pub const HEADS: &str = "h/";
/// Batches.
pub const BATCHES: &str = "b/";
/// Batches by source.
pub const BY_ADAPTER: &str = "a/";
/// Batches by id.
pub const BY_ID: &str = "i/";
/// Batches by file digest.
pub const BY_DIGEST: &str = "d/";
/// File digests by file name.
pub const BY_FILE: &str = "q/";
/// Cases.
pub const CASES: &str = "k/";
/// Cases by enterprise.
pub const BY_ENTERPRISE: &str = "e/";
/// Pairs by enterprise.
pub const PAIRINGS: &str = "p/";
/// Pairs that were answered.
pub const ANSWERED: &str = "r/";
/// Journal entries with case events.
pub const CASE_ENTRIES: &str = "j/";
/// Notices.
pub const NOTICES: &str = "m/";
/// The outbox.
pub const OUTBOX: &str = "o/";
/// Last runs.
pub const RUNS: &str = "u/";
/// Standing alerts.
pub const ALERTS: &str = "l/";
/// Bulletins.
pub const BULLETINS: &str = "t/";
/// Settings in force.
pub const IN_FORCE: &str = "f/";
/// What was found out about an enterprise's staff.
pub const SURVEYS: &str = "y/";
/// The last review.
pub const REVIEWED: &str = "v/reviewed";
/// The greatest dispatch.
pub const WAVE: &str = "v/wave";
/// The last journal entry in the index.
pub const APPLIED: &str = "z/applied";
/// The greatest delivery begun.
pub const DELIVERY: &str = "z/delivery";
/// Pieces of long values.
const PIECES: &str = "x/";

/// Prefix and name.
#[must_use]
pub fn named(prefix: &str, name: &str) -> Vec<u8> {
    [prefix.as_bytes(), name.as_bytes()].concat()
}

/// Prefix and number.
#[must_use]
pub fn numbered(prefix: &str, number: u64) -> Vec<u8> {
    [prefix.as_bytes(), &number.to_be_bytes()].concat()
}

/// What all keys `PREFIX NAME \0 …` begin with.
#[must_use]
pub fn within(prefix: &str, name: &str) -> Vec<u8> {
    [prefix.as_bytes(), name.as_bytes(), b"\0"].concat()
}

/// `PREFIX NAME \0 REST`.
#[must_use]
pub fn below(prefix: &str, name: &str, rest: &[u8]) -> Vec<u8> {
    [prefix.as_bytes(), name.as_bytes(), b"\0", rest].concat()
}

/// A piece of a long value.
#[must_use]
pub fn piece(key: &[u8], number: u32) -> Vec<u8> {
    [PIECES.as_bytes(), key, &number.to_be_bytes()].concat()
}

/// A key after all there are: every key begins with a letter.
#[must_use]
pub fn beyond_all() -> Vec<u8> {
    vec![u8::MAX]
}

/// The first key after all that begin with this prefix.
#[must_use]
pub fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_prefix_lie_below_its_end_and_sort_as_numbers() {
        for (prefix, inside, outside) in [
            (
                within(BY_DIGEST, "a"),
                b"d/a\0\xff\xff".to_vec(),
                b"d/ab\0".to_vec(),
            ),
            (
                numbered(STAGES, 0xff),
                [numbered(STAGES, 0xff), b"\xff".to_vec()].concat(),
                numbered(STAGES, 0x100),
            ),
            (
                numbered(STAGES, u64::MAX),
                [numbered(STAGES, u64::MAX), b"k".to_vec()].concat(),
                b"t/".to_vec(),
            ),
        ] {
            let end = end_of(&prefix);
            assert!(prefix < inside && inside < end, "{prefix:?}");
            assert!(outside >= end, "{prefix:?}");
        }
        assert!(numbered(BATCHES, 255) < numbered(BATCHES, 256));
    }
}
