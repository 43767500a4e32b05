//! How much of a spec a run reached: operations, parameters, error codes, rules; and why not the rest.
//!
//! Gathered call by call in a few flags for each fact of the spec, so that it costs the same however long a
//! run is.

use super::event::{RuleResult, Totals, Verdict};
use super::probe::Missing;
use crate::codec::{Call, How, Place};
use crate::history::Exchange;
use crate::model::{Condition, Meaning};
use crate::spec::{Constraint, Operation, Parameter, Type, Vendor, interpret};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How much of a vendor's spec a run reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Vendor.
    pub vendor: String,
    /// Operations that were called and answered with success.
    pub operations: Share,
    /// Parameters of operations that were sent with a legal value.
    pub parameters: Share,
    /// Parameters of operations that were sent with an illegal value.
    pub illegal: Share,
    /// Error codes that were answered, of those listed.
    pub codes: Share,
    /// Rules that hold or are violated, of those that the spec gives a level.
    pub rules: Share,
    /// Rules by verdict; those that the run left out are in none.
    pub verdicts: Totals,
}

/// How many of some facts of a spec were reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Those that were reached.
    pub reached: usize,
    /// All.
    pub of: usize,
    /// The others.
    pub left: Vec<Left>,
}

/// A fact of a spec that was not reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// Its name: `Operation`, `Operation.Parameter`, a code or a rule.
    pub what: String,
    /// Why it was not reached.
    pub why: String,
}

impl Share {
    /// Counts each fact by its name and, if it was not reached, the reason.
    fn of(all: impl IntoIterator<Item = (String, Option<String>)>) -> Self {
        let mut share = Self::default();
        for (what, why) in all {
            share.of += 1;
            match why {
                None => share.reached += 1,
                Some(why) => share.left.push(Left { what, why }),
            }
        }
        share
    }
}

/// What was seen of an operation.
#[derive(Debug, Default)]
struct Seen {
    /// Whether the endpoint does not know it.
    missing: bool,
    called: bool,
    done: bool,
    /// What the last call without success was answered.
    last: Option<String>,
    /// For each parameter, in the order of the spec.
    parameters: Vec<Values>,
}

/// Which values of a parameter were seen.
#[derive(Clone, Copy, Debug, Default)]
struct Values {
    legal: bool,
    illegal: bool,
    /// One that documents neither allow nor forbid.
    open: bool,
}

/// Gathers coverage from the calls of a run.
#[derive(Debug)]
pub(super) struct Watch {
    vendor: Arc<Vendor>,
    /// For each operation, in the order of the spec.
    operations: Vec<Seen>,
    /// For each error code, in the order of the spec.
    codes: Vec<bool>,
    /// Whether only some rules are checked.
    partial: bool,
}

impl Watch {
    /// Watches a run of these rules at an endpoint that lacks some operations.
    pub(super) fn new(vendor: &Arc<Vendor>, rules: &[&'static str], missing: &Missing) -> Self {
        let spec = &vendor.spec;
        let seen = |(name, operation): (&String, &Operation)| Seen {
            missing: missing.iter().any(|(_, gone)| gone == name),
            parameters: vec![Values::default(); operation.parameters.len()],
            ..Seen::default()
        };
        Self {
            operations: spec.operations.iter().map(seen).collect(),
            codes: vec![false; spec.errors.len()],
            partial: spec.requirements.keys().any(|rule| !rules.contains(&rule.as_str())),
            vendor: vendor.clone(),
        }
    }

    /// Takes note of a call and its reply.
    pub(super) fn hear(&mut self, exchange: &Exchange) {
        let Some(reply) = exchange.reply() else { return };
        if let Some(code) = reply.code() {
            self.code(code);
        }
        let call = &exchange.call;
        if exchange.tamper.is_some() || !documented(call) {
            return;
        }
        let vendor = self.vendor.clone();
        let found = vendor.spec.operations.get_full(&call.operation);
        let Some((seen, (_, _, described))) =
            found.and_then(|found| Some((self.operations.get_mut(found.0)?, found)))
        else {
            return;
        };
        seen.called = true;
        if reply.done() {
            seen.done = true;
        } else {
            seen.last = Some(exchange.summary());
        }
        values(&vendor, described, call, reply.done(), &mut seen.parameters);
    }

    fn code(&mut self, code: &str) {
        let spec = &self.vendor.spec;
        let exact = spec.errors.get_index_of(code);
        let at = exact.or_else(|| {
            let fits = |name: &String| name.contains("{parameter}") && spec.code_fits(name, code);
            spec.errors.keys().position(fits)
        });
        if let Some(seen) = at.and_then(|at| self.codes.get_mut(at)) {
            *seen = true;
        }
    }

    /// What was reached in all.
    pub(super) fn finish(self, results: &[RuleResult], verdicts: Totals) -> Coverage {
        let pairs = || self.vendor.spec.operations.iter().zip(&self.operations);
        let operations = pairs().map(|((name, _), seen)| (name.clone(), self.why_no_success(seen)));
        let parameters = || {
            pairs().flat_map(|((operation, described), seen)| {
                let values = described.parameters.iter().zip(&seen.parameters);
                values.map(move |((name, it), values)| (format!("{operation}.{name}"), it, seen, values))
            })
        };
        let legal = parameters().map(|(name, it, seen, values)| (name, self.why_no_legal(it, seen, *values)));
        let illegal =
            parameters().map(|(name, it, seen, values)| (name, self.why_no_illegal(it, seen, *values)));
        let codes = self.vendor.spec.errors.keys().zip(&self.codes);
        let codes = codes.map(|(code, seen)| (code.clone(), (!seen).then(|| self.why_no_code(code))));
        let rules = self.vendor.spec.requirements.keys();
        Coverage {
            vendor: self.vendor.spec.vendor.clone(),
            operations: Share::of(operations),
            parameters: Share::of(legal),
            illegal: Share::of(illegal),
            codes: Share::of(codes),
            rules: Share::of(rules.map(|rule| (rule.clone(), why_undecided(rule, results)))),
            verdicts,
        }
    }

    /// Why something was not sent.
    fn nobody(&self) -> String {
        let why = if self.partial { "no rule of this run asks for it" } else { "no check" };
        why.to_owned()
    }

    fn why_no_success(&self, seen: &Seen) -> Option<String> {
        match (seen.done, &seen.last) {
            (true, _) => None,
            (false, _) if seen.missing => Some("the endpoint does not know it".into()),
            (false, Some(last)) => Some(format!("called, but never with success: {last}")),
            (false, None) => Some(self.nobody()),
        }
    }

    fn why_no_legal(&self, parameter: &Parameter, seen: &Seen, values: Values) -> Option<String> {
        match () {
            () if values.legal => None,
            () if !seen.called => Some("its operation was not called".into()),
            () if parameter.is == Meaning::Key => {
                Some("needs a key that is there, and no run makes one".into())
            }
            () if parameter.is == Meaning::Function => {
                Some("needs fixtures: the function that it names must be there".into())
            }
            () if values.open || values.illegal => {
                Some("unspecified: sent with values that no document allows or forbids".into())
            }
            () => Some(self.nobody()),
        }
    }

    fn why_no_illegal(&self, parameter: &Parameter, seen: &Seen, values: Values) -> Option<String> {
        match (values.illegal, bounds(&self.vendor, parameter)) {
            (true, _) => None,
            (false, Bounds::None) => Some("unspecified: no document says which values are illegal".into()),
            (false, Bounds::Open) => Some("unspecified: its constraints are open".into()),
            (false, Bounds::Certain) if !seen.called => Some("its operation was not called".into()),
            (false, Bounds::Certain) => Some(self.nobody()),
        }
    }

    fn why_no_code(&self, code: &str) -> String {
        let spec = &self.vendor.spec;
        let mut leads: BTreeSet<Condition> = BTreeSet::new();
        let mut other: Option<(Condition, &str)> = None;
        for (condition, answers) in &spec.conditions {
            for codes in std::iter::once(&answers.codes).chain(answers.at.values()) {
                if codes.iter().any(|known| known == code) {
                    leads.insert(*condition);
                    let given = codes.iter().find(|known| self.given(known)).map(|given| (*condition, given));
                    other = other.or(given.map(|(condition, given)| (condition, given.as_str())));
                }
            }
        }
        let partial = if self.partial { " in this run" } else { "" };
        match (other, leads.first()) {
            (Some((condition, given)), _) => {
                format!("another code of the condition {}: {given} was given", word(condition))
            }
            (None, Some(Condition::Internal)) if leads.len() == 1 => {
                "only an endpoint that fails gives it".into()
            }
            (None, Some(condition)) => {
                format!("nothing brought about the condition {}{partial}", word(*condition))
            }
            (None, None) => {
                let named =
                    spec.operations.iter().find(|(_, it)| it.errors.iter().any(|known| known == code));
                let named = named.map(|(name, _)| format!("named for {name}, but ")).unwrap_or_default();
                format!("{named}no condition of the spec leads to it")
            }
        }
    }

    /// Whether a code was answered.
    fn given(&self, code: &str) -> bool {
        let at = self.vendor.spec.errors.get_index_of(code);
        at.and_then(|at| self.codes.get(at)).is_some_and(|seen| *seen)
    }
}

/// A condition as specs write it.
fn word(condition: Condition) -> String {
    let value = serde_json::to_value(condition).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn why_undecided(rule: &str, results: &[RuleResult]) -> Option<String> {
    match results.iter().find(|result| result.rule == rule) {
        None => Some("not among the rules of this run".into()),
        Some(result) => match result.verdict {
            Verdict::Holds | Verdict::Violated => None,
            verdict => Some(result.reason.clone().unwrap_or_else(|| verdict.words().to_owned())),
        },
    }
}

/// Whether a call travels as documented; then its parameters are what is tried out.
fn documented(call: &Call) -> bool {
    let How { scheme: _, method, format, version, path, place } = &call.how;
    let usual = method.is_none() && version.is_none() && path.is_none() && format.is_none();
    usual && *place != Place::Raw
}

/// Notes which parameters were given legal values, and which illegal ones.
fn values(vendor: &Vendor, described: &Operation, call: &Call, done: bool, seen: &mut [Values]) {
    let news = |name: &str, parameter: &Parameter, values: Values| {
        let certain = || matches!(bounds(vendor, parameter), Bounds::Certain);
        call.get(name).is_some() && !(values.legal && (values.illegal || !certain()))
    };
    let mut pairs = described.parameters.iter().zip(seen.iter());
    let signed =
        pairs.clone().any(|((_, parameter), values)| parameter.is == Meaning::Project && !values.legal);
    if !signed && !pairs.any(|((name, parameter), values)| news(name, parameter, *values)) {
        return;
    }
    let Some(reading) = interpret(vendor, &call.operation, &call.pairs(), call.account) else { return };
    for ((name, parameter), values) in described.parameters.iter().zip(seen) {
        let mut given = call.params.iter().filter(|param| param.name == *name);
        let complaints = || reading.complaints.iter().filter(|complaint| complaint.parameter == *name);
        match (given.next(), given.next()) {
            // Whoever signs names the own account's project.
            (None, _) => values.legal |= parameter.is == Meaning::Project,
            (Some(param), None) if param.place != Place::Raw && counts(described, parameter, call) => {
                match () {
                    () if complaints().any(|complaint| complaint.certain) => values.illegal = true,
                    () if own(vendor, parameter, &param.value) => values.legal = true,
                    // Where a page begins is the endpoint's own word.
                    () if parameter.is == Meaning::Marker && done => values.legal = true,
                    () if complaints().next().is_some() => values.open = true,
                    () => values.legal = true,
                }
            }
            _ => {}
        }
    }
}

/// Whether the spec itself gives this value.
fn own(vendor: &Vendor, parameter: &Parameter, value: &str) -> bool {
    let mut samples = vendor.spec.kinds.values().flat_map(|kind| kind.samples.values());
    parameter.example.as_deref() == Some(value)
        || (parameter.is == Meaning::Config && samples.any(|sample| sample.config.as_deref() == Some(value)))
}

/// Whether a parameter is looked at in this call.
fn counts(described: &Operation, parameter: &Parameter, call: &Call) -> bool {
    let Some(only_if) = &parameter.only_if else { return true };
    let default = described.parameters.get(&only_if.parameter).and_then(|other| other.default.as_deref());
    let wanted = if only_if.is { "true" } else { "false" };
    call.get(&only_if.parameter).or(default).is_some_and(|given| given.eq_ignore_ascii_case(wanted))
}

/// Whether some value of a parameter is illegal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bounds {
    /// No document says so of any.
    None,
    /// Documents contradict each other, or leave it open.
    Open,
    /// For certain.
    Certain,
}

fn bounds(vendor: &Vendor, parameter: &Parameter) -> Bounds {
    let constraints = parameter.constraints();
    let grammar = match parameter.is {
        Meaning::Interval => parameter.kind == Type::Text,
        Meaning::Stages => true,
        Meaning::Kind => !vendor.spec.kinds.is_empty() && !parameter.open.contains(&Constraint::Values),
        Meaning::Schedule => parameter.least.is_some() || parameter.greatest.is_some(),
        Meaning::Marker => parameter.absent.is_some() && !parameter.open.contains(&Constraint::Values),
        _ => false,
    };
    match () {
        () if grammar || constraints.iter().any(|it| !parameter.open.contains(it)) => Bounds::Certain,
        () if constraints.is_empty() => Bounds::None,
        () => Bounds::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Endpoint, Plan, Reference, run, select};
    use super::*;
    use std::time::Duration;

    fn covered(rules: &[&str]) -> Coverage {
        let vendor = Arc::new(crate::spec::embedded("alibaba").unwrap());
        let reference = Arc::new(Reference::new(vendor.clone(), 7));
        let clock = reference.clock().clone();
        let globs: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
        let plan = Plan { rules: select(&globs).unwrap(), seed: 7, deadline: Duration::from_secs(60) };
        let now: crate::client::Now = Arc::new(move || clock.now());
        let mut outcome = run(&vendor, &Endpoint::in_process(reference), &plan, now, &mut |_| {});
        outcome.coverage.remove(0)
    }

    fn why<'a>(share: &'a Share, what: &str) -> Option<&'a str> {
        share.left.iter().find(|left| left.what == what).map(|left| left.why.as_str())
    }

    #[test]
    fn a_run_of_one_rule_reaches_what_its_calls_reach() {
        let coverage = covered(&["ROT-POL-1"]);
        for share in
            [&coverage.operations, &coverage.parameters, &coverage.illegal, &coverage.codes, &coverage.rules]
        {
            assert_eq!(share.reached + share.left.len(), share.of);
            assert!(share.reached > 0 && share.reached < share.of, "{share:?}");
        }
        assert_eq!(why(&coverage.operations, "UpdateSecretRotationPolicy"), None);
        assert_eq!(why(&coverage.operations, "ListSecrets"), Some("no rule of this run asks for it"));
        assert_eq!(why(&coverage.parameters, "UpdateSecretRotationPolicy.RotationInterval"), None);
        assert_eq!(why(&coverage.illegal, "UpdateSecretRotationPolicy.RotationInterval"), None);
        assert_eq!(
            why(&coverage.illegal, "UpdateSecretRotationPolicy.SecretName"),
            Some("no rule of this run asks for it")
        );
        assert_eq!(why(&coverage.parameters, "ListSecrets.Filters"), Some("its operation was not called"));
        assert_eq!(why(&coverage.codes, "InvalidParameter"), None);
        assert!(why(&coverage.codes, "SignatureNonceUsed").unwrap().contains("condition nonce-used"));
        assert_eq!(coverage.rules.reached, 1);
        assert_eq!(why(&coverage.rules, "ROT-CUR-1"), Some("not among the rules of this run"));
        assert_eq!(coverage.verdicts.holds, 1);
    }

    #[test]
    fn what_is_not_reached_has_its_reason() {
        let coverage = covered(&["ROT-IDEMP-1", "ROT-PEND-1"]);
        assert!(why(&coverage.rules, "ROT-PEND-1").unwrap().starts_with("unspecified: "));
        assert_eq!(why(&coverage.codes, "InternalFailure"), Some("only an endpoint that fails gives it"));
        assert_eq!(why(&coverage.codes, "Forbidden.InDebt"), Some("no condition of the spec leads to it"));
        assert_eq!(
            why(&coverage.illegal, "CreateSecret.Description"),
            Some("unspecified: no document says which values are illegal")
        );
        assert_eq!(
            why(&coverage.illegal, "DescribeSecret.FetchTags"),
            Some("unspecified: its constraints are open")
        );
    }

    #[test]
    fn an_operation_that_the_endpoint_lacks_is_not_forgotten() {
        let vendor = Arc::new(crate::spec::embedded("alibaba").unwrap());
        let gone = vec![(crate::model::Role::List, "ListSecrets".to_owned())];
        let coverage = Watch::new(&vendor, &[], &gone).finish(&[], Totals::default());
        assert_eq!(coverage.operations.of, vendor.spec.operations.len());
        assert_eq!(why(&coverage.operations, "ListSecrets"), Some("the endpoint does not know it"));
    }

    #[test]
    fn a_code_of_a_family_counts_where_no_other_name_fits() {
        let vendor = Arc::new(crate::spec::embedded("alibaba").unwrap());
        let mut watch = Watch::new(&vendor, &[], &Vec::new());
        watch.code("MissingSecretName");
        watch.code("NobodyKnowsIt");
        assert!(watch.given("Missing{parameter}") && !watch.given("MissingParameter"));
        assert!(
            watch.why_no_code("MissingParameter").starts_with("another code of the condition missing: "),
            "{}",
            watch.why_no_code("MissingParameter")
        );
    }
}
