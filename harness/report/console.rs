//! What a person reads at the end of a run: families in a table, each violation in full, one line in sum.

use crate::campaign::{Coverage, Outcome, RuleResult, Verdict};
use crate::model::rule;
use std::fmt::Write;

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether escape sequences are wanted.
    pub colour: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Violations of one rule that are printed in full; the JSON report has all.
const PRINTED: usize = 3;

/// The text of a vendor's results: families, then violations. `again` is the command that repeats the run.
pub fn results(results: &[RuleResult], again: &str, style: Style) -> String {
    let mut out = String::new();
    let mut families: Vec<&str> = Vec::new();
    for result in results {
        let family = family(result);
        if !families.contains(&family) {
            families.push(family);
        }
    }
    for family in families {
        let of: Vec<&RuleResult> = results.iter().filter(|result| self::family(result) == family).collect();
        let _ = writeln!(out, "{}", family_line(family, &of, style));
    }
    for result in results.iter().filter(|result| result.verdict == Verdict::Violated) {
        let _ = write!(out, "\n{}", violated(result, again, style));
    }
    let broken: Vec<&RuleResult> =
        results.iter().filter(|result| result.verdict == Verdict::Broken).collect();
    if let Some(first) = broken.first() {
        let why = first.reason.as_deref().unwrap_or_default();
        let _ =
            writeln!(out, "\n{} {} rules could not be judged: {why}", style.paint("35", "!"), broken.len());
    }
    out
}

fn family(result: &RuleResult) -> &'static str {
    rule(&result.rule).map_or("others", |rule| rule.family())
}

fn family_line(family: &str, of: &[&RuleResult], style: Style) -> String {
    let count = |verdict| of.iter().filter(|result| result.verdict == verdict).count();
    let mut line = format!("  {family:<16}");
    let _ = write!(line, "{:>3} hold", count(Verdict::Holds));
    for (verdict, colour) in [(Verdict::Violated, "31;1"), (Verdict::Broken, "35"), (Verdict::Unknown, "33")]
    {
        if count(verdict) > 0 {
            let text = format!("{} {}", count(verdict), verdict.words().to_uppercase());
            let _ = write!(line, "   {}", style.paint(colour, &text));
        }
    }
    let open: Vec<&&RuleResult> =
        of.iter().filter(|result| result.verdict == Verdict::NotExercised).collect();
    if !open.is_empty() {
        let mut reasons: Vec<String> = open.iter().map(|result| short(result)).collect();
        reasons.sort();
        reasons.dedup();
        let _ = write!(line, "   {} not exercised ({})", open.len(), reasons.join("; "));
    }
    line
}

fn short(result: &RuleResult) -> String {
    let reason = result.reason.as_deref().unwrap_or("no reason");
    match reason.split_once(':') {
        Some((head, _)) if ["unspecified", "quota", "clock", "credentials"].contains(&head) => {
            head.to_owned()
        }
        _ => reason.to_owned(),
    }
}

fn violated(result: &RuleResult, again: &str, style: Style) -> String {
    let mut out = String::new();
    let level = format!("{:?}", result.level).to_uppercase();
    let _ = writeln!(
        out,
        "{} {}  {}  {level}",
        style.paint("31;1", "x"),
        style.paint("1", &result.rule),
        result.claim
    );
    for violation in result.violations.iter().take(PRINTED) {
        for call in &violation.calls {
            let _ = writeln!(out, "  call      {call}");
        }
        let _ = writeln!(out, "  expected  {}", violation.expected);
        let times =
            if violation.times > 1 { format!("  ({} times)", violation.times) } else { String::new() };
        let _ = writeln!(out, "  observed  {}{times}", violation.observed);
        if let Some(curl) = violation.curl.last() {
            let _ = writeln!(out, "  curl      {curl}");
        }
    }
    if result.violations.len() > PRINTED {
        let _ = writeln!(
            out,
            "  and       {} more of another shape (--report json=FILE has all)",
            result.violations.len() - PRINTED
        );
    }
    if let Some(source) = result.violations.first().map(|violation| &violation.source) {
        let _ = writeln!(out, "  says      {source}");
    }
    // What the exercise of another rule has shown, its own need not show.
    let mut rules = vec![result.rule.as_str()];
    for shown_by in result.violations.iter().take(PRINTED).map(|violation| violation.shown_by.as_str()) {
        if !shown_by.is_empty() && !rules.contains(&shown_by) {
            rules.push(shown_by);
        }
    }
    let _ = writeln!(out, "  again     {again} --rule {}", rules.join(" --rule "));
    out
}

/// How much of a vendor's spec a run reached, in a line.
pub fn coverage(coverage: &Coverage) -> String {
    let Coverage { vendor: _, operations, parameters, illegal, codes, rules, verdicts: _ } = coverage;
    format!(
        "coverage  {} of {} operations, {} of {} parameters ({} with an illegal value), {} of {} codes, {} of {} rules",
        operations.reached,
        operations.of,
        parameters.reached,
        parameters.of,
        illegal.reached,
        codes.reached,
        codes.of,
        rules.reached,
        rules.of
    )
}

/// The last line: the run in a sentence.
pub fn summary(outcome: &Outcome, style: Style) -> String {
    let rules = outcome.summary.rules;
    let all = outcome.results.len();
    let head = match (rules.violated, rules.broken) {
        (0, 0) if rules.holds == 0 => style.paint("33", &format!("nothing was exercised: 0 of {all} rules")),
        (0, 0) => style.paint("32", &format!("{} of {all} rules hold, none violated", rules.holds)),
        (0, broken) => style.paint("35", &format!("{broken} of {all} rules could not be judged")),
        (violated, _) => style.paint("31;1", &format!("{violated} of {all} rules violated")),
    };
    let first = outcome.results.iter().find(|result| result.verdict == Verdict::Violated);
    let hint = first.map(|result| format!("          rotaprobe explain {}", result.rule)).unwrap_or_default();
    let left = match outcome.summary.left_behind {
        0 => String::new(),
        left => format!("\n{left} secrets could not be removed; their names begin with rotaprobe-"),
    };
    format!(
        "{head}, {} expectations, {} calls, {:.2} s{hint}{left}",
        outcome.summary.expectations, outcome.summary.calls, outcome.summary.seconds
    )
}
