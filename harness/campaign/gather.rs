//! Gathers what judges say of histories, rule by rule: of those that a run makes, and of those in a file.

use super::coverage::Watch;
use super::curl;
use super::event::{Outcome, RuleResult, Summary, Totals, Verdict, Violation};
use super::probe;
use crate::check::{Check, Expectation, Note, Ruling, checks, judge};
use crate::codec::ReplySchemas;
use crate::history::{Exchange, History};
use crate::model::RULES;
use crate::record::{Begins, Cut, Head, Told};
use crate::spec::{Level, Vendor};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

/// Violations of a rule that are reported; more of the same kind add nothing.
const SHOWN: usize = 8;

/// What judges said of one rule so far.
#[derive(Debug, Default)]
struct Gathered {
    expectations: usize,
    violations: Vec<Violation>,
    notes: BTreeSet<String>,
    reason: Option<String>,
    /// Why the rule's own exercise was cut short to spare the account: what it showed is not all.
    spared: Option<String>,
    broken: Option<String>,
    /// Something could not be decided in time.
    undecided: bool,
}

/// What judges said of the histories of one vendor.
#[derive(Debug)]
pub struct Gathering {
    vendor: Arc<Vendor>,
    endpoint: String,
    schemas: Result<ReplySchemas, String>,
    checks: Vec<Check>,
    gathered: BTreeMap<&'static str, Gathered>,
}

impl Gathering {
    /// Nothing so far. `endpoint` is what reports call it.
    pub fn new(vendor: &Arc<Vendor>, endpoint: &str) -> Self {
        Self {
            vendor: vendor.clone(),
            endpoint: endpoint.to_owned(),
            schemas: ReplySchemas::new(vendor),
            checks: checks(),
            gathered: BTreeMap::new(),
        }
    }

    /// Judges a history. Where it is of a rule, that rule's own judge is asked too.
    pub fn judge(&mut self, begins: &Begins, history: &History) {
        let check =
            begins.of.as_ref().and_then(|of| self.checks.iter().find(|check| check.rule == of)).copied();
        let vendor = self.vendor.clone();
        let ruling = match &self.schemas {
            Ok(schemas) => {
                let mut ruling = judge(&vendor, schemas, history, &begins.spent);
                if let Some(own) = check.as_ref().and_then(|check| check.judge) {
                    own(&vendor, history, &mut ruling);
                }
                ruling
            }
            Err(why) => {
                let why = why.clone();
                // Without schemas nothing can be judged, whatever it is of.
                self.gathered.entry(check.map_or(RULES[0].id, |check| check.rule)).or_default().broken =
                    Some(why);
                return;
            }
        };
        let Ruling { expectations, notes, undecided, .. } = ruling;
        for rule in undecided {
            self.gathered.entry(rule).or_default().undecided = true;
        }
        let shown_by = check.as_ref().map_or("", |check| check.rule);
        for expectation in expectations {
            if let Some(check) = check.as_ref().filter(|check| check.covers.contains(&expectation.rule))
                && vendor.law.binds(check.rule)
            {
                self.gather(history, Expectation { rule: check.rule, ..expectation.clone() }, shown_by);
            }
            self.gather(history, expectation, shown_by);
        }
        for Note { rule, text } in notes {
            self.gathered.entry(rule).or_default().notes.insert(text);
        }
        if let (Some(check), Some(cut)) = (check, &begins.cut) {
            let gathered = self.gathered.entry(check.rule).or_default();
            match cut {
                Cut::Broken(why) => gathered.broken = Some(why.clone()),
                Cut::Spared(why) => gathered.spared = Some(why.clone()),
                Cut::Short(why) => gathered.reason = Some(why.clone()),
            }
        }
    }

    /// How many rules are violated so far.
    pub fn violated(&self) -> usize {
        self.gathered.values().filter(|gathered| !gathered.violations.is_empty()).count()
    }

    fn gather(&mut self, history: &History, expectation: Expectation, shown_by: &str) {
        let gathered = self.gathered.entry(expectation.rule).or_default();
        gathered.expectations += 1;
        if expectation.holds {
            return;
        }
        let calls: Vec<&Exchange> = expectation.calls.iter().filter_map(|at| history.call(*at)).collect();
        let operation = calls.last().map_or_else(String::new, |exchange| exchange.call.operation.clone());
        let same = |other: &&mut Violation| {
            other.operation == operation
                && shape(&other.expected) == shape(&expectation.expected)
                && shape(&other.observed) == shape(&expectation.observed)
        };
        if let Some(known) = gathered.violations.iter_mut().find(same) {
            known.times += 1;
            return;
        }
        if gathered.violations.len() >= SHOWN {
            return;
        }
        let sources =
            self.vendor.spec.requirements.get(expectation.rule).map_or(&[][..], |it| it.source.as_slice());
        gathered.violations.push(Violation {
            operation,
            expected: expectation.expected,
            observed: expectation.observed,
            calls: expectation
                .calls
                .iter()
                .filter_map(|at| Some(curl::line(&self.vendor, *at, history.call(*at)?)))
                .collect(),
            curl: calls
                .iter()
                .map(|exchange| curl::command(&self.vendor, &self.endpoint, exchange))
                .collect(),
            source: self.vendor.spec.cite(sources),
            shown_by: shown_by.to_owned(),
            times: 1,
        });
    }

    /// What became of these rules. `silence` says why nothing was shown of one, where nothing else does.
    pub fn results(
        &mut self,
        rules: &[&'static str],
        silence: impl Fn(&str) -> &'static str,
    ) -> Vec<RuleResult> {
        let documented = |id: &&&'static str| self.vendor.spec.requirements.contains_key(**id);
        let mut results = Vec::new();
        for id in rules.iter().filter(documented) {
            let Some(rule) = RULES.iter().find(|rule| rule.id == *id) else { continue };
            let mut gathered = self.gathered.remove(rule.id).unwrap_or_default();
            let level = self.vendor.spec.level(rule.id);
            let verdict = match () {
                () if !gathered.violations.is_empty() => Verdict::Violated,
                () if gathered.broken.is_some() => Verdict::Broken,
                () if gathered.undecided && level != Level::Unspecified => Verdict::Unknown,
                () if level == Level::Unspecified || gathered.expectations == 0 => Verdict::NotExercised,
                () if gathered.spared.is_some() => Verdict::NotExercised,
                () => Verdict::Holds,
            };
            if let (Verdict::Holds, Some(cut)) = (verdict, &gathered.reason) {
                gathered.notes.insert(format!("the exercise ended early: {cut}"));
            }
            let requirement = self.vendor.spec.requirements.get(rule.id);
            let why = requirement.map(|requirement| requirement.why.as_str()).unwrap_or_default();
            let reason = match verdict {
                Verdict::Holds | Verdict::Violated => None,
                Verdict::Broken => gathered.broken,
                Verdict::Unknown => {
                    Some("too many orders of the overlapping calls are possible to tell".to_owned())
                }
                _ if level == Level::Unspecified => Some(format!("unspecified: {why}")),
                _ => Some(gathered.spared.or(gathered.reason).unwrap_or_else(|| silence(rule.id).to_owned())),
            };
            results.push(RuleResult {
                vendor: self.vendor.spec.vendor.clone(),
                rule: rule.id.to_owned(),
                claim: rule.claim.to_owned(),
                level,
                verdict,
                expectations: gathered.expectations,
                reason,
                violations: gathered.violations,
                notes: gathered.notes.into_iter().collect(),
            });
        }
        results
    }
}

/// Judges histories that were recorded, without any endpoint.
///
/// # Errors
/// The first error of the histories.
pub fn judge_recorded<E>(
    vendor: &Arc<Vendor>,
    head: &Head,
    rules: &[&'static str],
    histories: impl Iterator<Item = Result<Told, E>>,
) -> Result<Outcome, E> {
    let began = Instant::now();
    let operation = |name: &String| vendor.spec.operations.get(name).map(|it| (it.role, name.clone()));
    let missing = head.lacks.iter().filter_map(operation).collect();
    let mut watch = Watch::new(vendor, rules, &missing);
    let vendor = &probe::without(vendor, &missing);
    let endpoint = head.endpoint.clone().unwrap_or_else(|| "a recorded endpoint".to_owned());
    let mut gathering = Gathering::new(vendor, &endpoint);
    let mut calls = 0;
    for told in histories {
        let Told { begins, history } = told?;
        history.calls().for_each(|(_, exchange)| watch.hear(exchange));
        calls += history.calls().count();
        gathering.judge(&begins, &history);
    }
    let results = gathering.results(rules, |_| "the recorded histories show nothing either way");
    let totals = totals(&results);
    let coverage = vec![watch.finish(&results, totals)];
    Ok(Outcome {
        rotaprobe: env!("CARGO_PKG_VERSION").to_owned(),
        seed: head.seed.unwrap_or_default(),
        endpoints: vec![endpoint],
        summary: Summary {
            rules: totals,
            expectations: results.iter().map(|result| result.expectations).sum(),
            calls,
            seconds: began.elapsed().as_secs_f64(),
            left_behind: 0,
        },
        results,
        coverage,
    })
}

pub(super) fn totals(results: &[RuleResult]) -> Totals {
    let count = |verdict| results.iter().filter(|result| result.verdict == verdict).count();
    Totals {
        holds: count(Verdict::Holds),
        violated: count(Verdict::Violated),
        not_exercised: count(Verdict::NotExercised),
        unknown: count(Verdict::Unknown),
        broken: count(Verdict::Broken),
    }
}

/// A text without what differs from run to run: whatever has a digit in it, and identifiers.
pub(super) fn shape(text: &str) -> String {
    // A digest may happen to have no digit.
    let varies =
        |word: &str| word.starts_with('#') || word.contains(|c: char| c == ':' || c.is_ascii_digit());
    let each = text.split_inclusive([' ', ',', ';', '[', ']', '"']);
    each.map(|word| {
        let bare = word.trim_end_matches([' ', ',', ';', '[', ']', '"']);
        if varies(bare) { format!("~{}", &word[bare.len()..]) } else { word.to_owned() }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn what_differs_from_run_to_run_has_no_shape() {
        let one = shape(
            "Arn arn:aws:secretsmanager:us-east-1:1:secret:rotaprobe-1-HItlIp, made 2024-01-02T03:04:05Z",
        );
        assert_eq!(one, "Arn ~, made ~");
        assert_eq!(shape("Versions v1 [AWSCURRENT], v22 []"), "Versions ~ [AWSCURRENT], ~ []");
        assert_eq!(shape("Value #cafebabe"), shape("Value #c7ec600b"));
        assert_ne!(shape("refused (no such key)"), shape("refused (no signature)"));
    }
}
