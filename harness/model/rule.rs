//! The catalogue: every rule's id and what it claims.
//!
//! Ids are names for ever: never renumbered, never reused. How much a rule binds for a vendor, and who
//! says so, stands in that vendor's spec.

use foldhash::HashMap;
use std::sync::LazyLock;

/// A rule: an id and a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id, for example `ROT-IDEMP-1`.
    pub id: &'static str,
    /// What it claims.
    pub claim: &'static str,
}

/// All rules, grouped by family.
pub const RULES: &[Rule] = &[
    Rule { id: "ROT-CUR-1", claim: "after any history exactly one version is current" },
    Rule { id: "ROT-CUR-2", claim: "a stage sits on one version and moves as a whole" },
    Rule {
        id: "ROT-PREV-1",
        claim: "after a rotation the old current version is the previous one, and only it",
    },
    Rule {
        id: "ROT-PEND-1",
        claim: "a pending stage ends with its rotation; a failed rotation leaves current as it was",
    },
    Rule {
        id: "ROT-MONO-1",
        claim: "versions never go back: no gap, no duplicate, no reuse, also under load",
    },
    Rule { id: "ROT-MONO-2", claim: "the value of a version never changes" },
    Rule { id: "ROT-HIST-1", claim: "retention drops the oldest, never current or previous" },
    Rule {
        id: "ROT-NEW-1",
        claim: "an accepted rotation makes exactly one new version, with a value not seen before, and makes it current",
    },
    Rule { id: "ROT-RYW-1", claim: "a read that follows a finished rotation returns the rotated version" },
    Rule { id: "ROT-PAGE-1", claim: "the pages of a version list give every version once, and no other" },
    Rule {
        id: "ROT-IDEMP-1",
        claim: "the same version id / token again succeeds, creates nothing and names the same version",
    },
    Rule { id: "ROT-IDEMP-2", claim: "the same token with another payload is refused and changes nothing" },
    Rule { id: "ROT-IDEMP-3", claim: "a token is scoped to its secret and lives as long as documented" },
    Rule {
        id: "ROT-IDEMP-4",
        claim: "without a token, k accepted calls make k versions, neither fewer nor more",
    },
    Rule { id: "ROT-IDEMP-5", claim: "replaying an older token does not move current back" },
    Rule { id: "ROT-IDEMP-6", claim: "k concurrent calls with one token make one version and all succeed" },
    Rule { id: "ROT-IDEMP-7", claim: "a retry after a lost reply with the same token does not rotate twice" },
    Rule {
        id: "ROT-KIND-1",
        claim: "a kind of secret that cannot rotate (standard / generic / common / user-defined) is refused by rotate and stays unchanged",
    },
    Rule { id: "ROT-KIND-2", claim: "the same kind is refused by the rotation-policy operation" },
    Rule {
        id: "ROT-STATE-1",
        claim: "a secret that is disabled, pending deletion, uninitialised or frozen refuses to rotate",
    },
    Rule {
        id: "ROT-STATE-2",
        claim: "pending deletion and never existed give different errors where documented",
    },
    Rule { id: "ROT-STATE-3", claim: "a restored or re-enabled secret rotates again" },
    Rule {
        id: "ROT-OWN-1",
        claim: "another account's secret can be neither rotated nor probed for existence",
    },
    Rule {
        id: "ROT-POL-1",
        claim: "minimum and maximum interval are accepted, one unit outside is refused, in every unit",
    },
    Rule { id: "ROT-POL-2", claim: "equal durations are equal (7d = 168h = 604800s)" },
    Rule { id: "ROT-POL-3", claim: "enabling without an interval is refused" },
    Rule {
        id: "ROT-POL-4",
        claim: "the interval is ignored when rotation is disabled, even a malformed one",
    },
    Rule { id: "ROT-POL-5", claim: "what is read back is what was set, in canonical form" },
    Rule { id: "ROT-POL-6", claim: "exclusive fields are exclusive, also after an update" },
    Rule {
        id: "ROT-POL-7",
        claim: "a malformed interval is refused: sign, space, fraction, unit case, unknown unit, empty, overflow (2^31, 2^63, wrap-around to a legal value), non-ASCII digits, leading zeros as the spec says",
    },
    Rule { id: "ROT-POL-8", claim: "a refused policy leaves the old policy in force" },
    Rule { id: "ROT-SCHED-1", claim: "next rotation = last rotation + interval; overdue means at once" },
    Rule { id: "ROT-SCHED-2", claim: "a manual rotation restarts the clock" },
    Rule { id: "ROT-SCHED-3", claim: "changing the interval recomputes the next rotation" },
    Rule { id: "ROT-SCHED-4", claim: "reading never moves the schedule" },
    Rule {
        id: "ROT-SCHED-5",
        claim: "disabled rotation never fires; disabled or deleted secrets are not rotated by the schedule",
    },
    Rule {
        id: "ROT-THR-1",
        claim: "call n of a window is allowed, call n+1 is refused with the throttling error, and allowed again after the window",
    },
    Rule { id: "ROT-THR-2", claim: "a throttled call changes nothing" },
    Rule {
        id: "ROT-THR-3",
        claim: "the limit has the documented scope: another account is not affected; another secret is, or is not, as documented",
    },
    Rule {
        id: "ROT-CONC-1",
        claim: "concurrent calls end in a state that some serial order explains (linearisable per secret)",
    },
    Rule { id: "ROT-CONC-2", claim: "while a rotation runs a second one is refused or joined, never mixed" },
    Rule { id: "ROT-ASYNC-1", claim: "a task id reaches one terminal state and stays there" },
    Rule { id: "ROT-ASYNC-2", claim: "a task that succeeded implies that the new version is current" },
    Rule { id: "ROT-ASYNC-3", claim: "a task that failed implies that the old version is intact" },
    Rule { id: "ROT-ERR-1", claim: "an error reply changes nothing" },
    Rule { id: "ROT-ERR-2", claim: "validation comes before any effect" },
    Rule {
        id: "ROT-ERR-3",
        claim: "each documented error condition gives its documented code and HTTP status",
    },
    Rule { id: "ROT-ERR-4", claim: "no undocumented error code appears" },
    Rule { id: "ROT-ERR-5", claim: "no call, however malformed, gets a 5xx, a reset or silence" },
    Rule { id: "WIRE-REQ-1", claim: "each required parameter, left out or empty, is refused as missing" },
    Rule {
        id: "WIRE-REQ-2",
        claim: "each parameter outside its type, length, pattern or allowed values is refused as invalid",
    },
    Rule {
        id: "WIRE-REQ-3",
        claim: "an unknown operation, API version, method, path or reply format is refused as documented",
    },
    Rule {
        id: "WIRE-REQ-4",
        claim: "a duplicated parameter, duplicated JSON key or parameter in the wrong place never has two meanings",
    },
    Rule { id: "WIRE-REP-1", claim: "every success reply fits its documented schema" },
    Rule { id: "WIRE-REP-2", claim: "every error reply fits a documented envelope" },
    Rule { id: "WIRE-REP-3", claim: "every reply carries a request id, never the same twice" },
    Rule {
        id: "WIRE-REP-4",
        claim: "the same call gives the same answer in every documented reply format (JSON and XML)",
    },
    Rule { id: "AUTH-1", claim: "an unsigned request is refused before any effect" },
    Rule {
        id: "AUTH-2",
        claim: "a wrong secret key, or one changed byte of what is signed (each header, parameter, body), is refused",
    },
    Rule { id: "AUTH-3", claim: "an unknown access key / token is refused with its own error" },
    Rule { id: "AUTH-4", claim: "a time stamp outside the documented window (both sides) is refused" },
    Rule { id: "AUTH-5", claim: "a replayed nonce is refused where documented" },
    Rule { id: "AUTH-6", claim: "a signature for another service, region, date or algorithm is refused" },
    Rule { id: "AUTH-7", claim: "every documented signing scheme is accepted" },
    Rule {
        id: "LEAK-1",
        claim: "no secret value, old or new, appears in an error, a header, a describe, list or task reply, a rotate reply or a redirect",
    },
    Rule { id: "LEAK-2", claim: "credentials of the caller are never echoed" },
    Rule {
        id: "LIFE-1",
        claim: "creating a taken name, or one that is pending deletion, is refused as documented",
    },
    Rule {
        id: "LIFE-2",
        claim: "a secret pending deletion refuses every operation that its documents refuse: reads, writes, policies, stages",
    },
    Rule {
        id: "LIFE-3",
        claim: "restore brings back every version, stage and policy; restoring what is not deleted behaves as documented",
    },
    Rule {
        id: "LIFE-4",
        claim: "deletion windows have the documented bounds and exclusions; forced deletion is final; a new secret of that name starts clean",
    },
    Rule {
        id: "LIFE-5",
        claim: "names are compared exactly: neither prefix, case nor normalisation confuses two secrets; full and documented partial identifiers reach the same secret",
    },
    Rule {
        id: "PUT-1",
        claim: "writing a version with a known id and the same value is a replay; with another value it is refused and the stored value stays",
    },
    Rule { id: "PUT-2", claim: "a kind that only rotates refuses direct writes, where documented" },
    Rule {
        id: "STAGE-1",
        claim: "a stage moves from the version that has it; naming a wrong source, an unknown version or nothing at all is refused",
    },
    Rule { id: "STAGE-2", claim: "the current stage can move but never vanish" },
    Rule { id: "STAGE-3", claim: "numbers, lengths and character sets of stages have the documented limits" },
    Rule {
        id: "LIST-1",
        claim: "page size bounds, tokens and filters do what is documented, and bad ones are refused",
    },
    Rule {
        id: "READ-1",
        claim: "a read by version and stage that do not match, or that do not exist, is refused as documented",
    },
    Rule { id: "CONF-1", claim: "a call that does not name a stored setting leaves that setting as it is" },
    Rule {
        id: "TGT-1",
        claim: "the current credential logs in at the target after every finished rotation, and after every failed one",
    },
    Rule {
        id: "TGT-2",
        claim: "readers that fetch and log in during rotations never fail longer than the documented overlap",
    },
];

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    static BY_ID: LazyLock<HashMap<&str, &Rule>> =
        LazyLock::new(|| RULES.iter().map(|rule| (rule.id, rule)).collect());
    BY_ID.get(id).copied()
}

impl Rule {
    /// The family, in words: what a summary groups by.
    pub fn family(&self) -> &'static str {
        let stem = self.id.rsplit_once('-').map_or(self.id, |(stem, _)| stem);
        match stem {
            "ROT-IDEMP" => "idempotency",
            "ROT-KIND" | "ROT-STATE" | "ROT-OWN" => "who may rotate",
            "ROT-POL" => "policy",
            "ROT-SCHED" => "schedule",
            "ROT-THR" => "limits",
            "ROT-CONC" => "concurrency",
            "ROT-ASYNC" => "tasks",
            "ROT-ERR" => "errors",
            "WIRE-REQ" | "WIRE-REP" => "protocol",
            "AUTH" => "authentication",
            "LEAK" => "secrecy",
            "LIFE" | "PUT" | "STAGE" | "LIST" | "READ" | "CONF" => "neighbours",
            "TGT" => "target",
            _ => "versions",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_claims_are_sentences() {
        for (at, one) in RULES.iter().enumerate() {
            assert!(RULES[at + 1..].iter().all(|other| other.id != one.id), "{} stands twice", one.id);
            assert!(one.claim.len() > 15, "{} claims nothing", one.id);
        }
    }
}
