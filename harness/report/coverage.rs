//! How much of a spec a run reached, as a table: each share, and what was left with the reason.

use crate::campaign::{Coverage, Share};
use std::fmt::Write;

/// The table of one vendor.
pub fn table(coverage: &Coverage) -> String {
    let Coverage { vendor, operations, parameters, illegal, codes, rules, verdicts } = coverage;
    let mut out = format!("{vendor}\n");
    for (what, share) in [
        ("operations called with success", operations),
        ("parameters sent with a legal value", parameters),
        ("parameters sent with an illegal value", illegal),
        ("error codes answered", codes),
        ("rules decided", rules),
    ] {
        out.push_str(&lines(what, share));
    }
    let _ = writeln!(
        out,
        "\n  {} rules hold, {} violated, {} not exercised, {} unknown, {} broken",
        verdicts.holds, verdicts.violated, verdicts.not_exercised, verdicts.unknown, verdicts.broken
    );
    out
}

fn lines(what: &str, share: &Share) -> String {
    let mut out = format!("\n  {what}: {} of {}\n", share.reached, share.of);
    let widest = share.left.iter().map(|left| left.what.chars().count()).max().unwrap_or(0);
    for left in &share.left {
        let _ = writeln!(out, "    {:<widest$}  {}", left.what, left.why);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::table;
    use crate::campaign::{Coverage, Left, Share, Totals};

    #[test]
    fn a_table_has_each_share_and_what_is_left() {
        let left = vec![Left { what: "Op.Name".into(), why: "no check".into() }];
        let share = |of| Share { reached: of, of, left: Vec::new() };
        let coverage = Coverage {
            vendor: "some".into(),
            operations: share(2),
            parameters: Share { reached: 1, of: 2, left },
            illegal: share(0),
            codes: share(3),
            rules: share(4),
            verdicts: Totals { holds: 4, ..Totals::default() },
        };
        let table = table(&coverage);
        assert!(table.starts_with("some\n\n  operations called with success: 2 of 2\n"), "{table}");
        assert!(table.contains("a legal value: 1 of 2\n    Op.Name  no check\n"), "{table}");
        assert!(
            table.ends_with("4 rules hold, 0 violated, 0 not exercised, 0 unknown, 0 broken\n"),
            "{table}"
        );
    }
}
