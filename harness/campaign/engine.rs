//! Runs checks at an endpoint and gathers what judges say, rule by rule.

use super::coverage::Watch;
use super::curl;
use super::event::{Event, Outcome, RuleResult, Summary, Totals, Verdict, Violation};
use super::journal::BRAND;
use super::ledger::Ledger;
use super::link::{Direct, Endpoint};
use super::probe;
use super::sweep::{self, is};
use crate::check::{Check, Drive, Expectation, Halt, Link, Note, Ruling, Settings, checks, judge};
use crate::client::Now;
use crate::codec::{Body, Call, ReplySchemas};
use crate::history::{Exchange, History};
use crate::model::{Condition, Meaning, RULES, Role};
use crate::spec::{Level, Vendor};
use globset::GlobBuilder;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Violations of a rule that are reported; more of the same kind add nothing.
const SHOWN: usize = 8;

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Ids of the rules.
    pub rules: Vec<&'static str>,
    /// Seed of everything random.
    pub seed: u64,
    /// Time for a whole vendor.
    pub deadline: Duration,
}

/// Why a run cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// No rule fits a pattern.
    #[error("no rule fits `{glob}`{hint}; `rotaprobe check --list` names all rules")]
    NoRule {
        /// The pattern.
        glob: String,
        /// The nearest rule, as a suggestion.
        hint: String,
    },
    /// A pattern is none.
    #[error("`{glob}` is no pattern: {why}")]
    BadGlob {
        /// The pattern.
        glob: String,
        /// What is wrong with it.
        why: String,
    },
    /// The endpoint cannot be checked.
    #[error("{endpoint}: {why}")]
    Endpoint {
        /// The endpoint.
        endpoint: String,
        /// What is wrong, and what to do.
        why: String,
    },
}

/// The rules that fit any of the patterns; all rules if there is none.
///
/// # Errors
/// If a pattern is malformed or fits nothing.
pub fn select(globs: &[String]) -> Result<Vec<&'static str>, PlanError> {
    if globs.is_empty() {
        return Ok(RULES.iter().map(|rule| rule.id).collect());
    }
    let mut chosen = BTreeSet::new();
    for glob in globs {
        let bad = |why: String| PlanError::BadGlob { glob: glob.clone(), why };
        let matcher =
            GlobBuilder::new(glob).case_insensitive(true).build().map_err(|e| bad(e.kind().to_string()))?;
        let matcher = matcher.compile_matcher();
        let fitting: Vec<usize> = RULES
            .iter()
            .enumerate()
            .filter(|(_, rule)| matcher.is_match(rule.id))
            .map(|(at, _)| at)
            .collect();
        if fitting.is_empty() {
            let nearest =
                RULES.iter().min_by_key(|rule| strsim::damerau_levenshtein(rule.id, &glob.to_uppercase()));
            let hint = nearest.map(|rule| format!("; did you mean `{}`?", rule.id)).unwrap_or_default();
            return Err(PlanError::NoRule { glob: glob.clone(), hint });
        }
        chosen.extend(fitting);
    }
    Ok(chosen.into_iter().map(|at| RULES[at].id).collect())
}

/// Asks the endpoint for a secret that does not exist, and looks whether it speaks the API and knows the key.
///
/// # Errors
/// What is wrong with the endpoint or the access key, in a sentence.
pub fn preflight(vendor: &Arc<Vendor>, endpoint: &Endpoint, now: &Now, seed: u64) -> Result<(), PlanError> {
    let name = endpoint.transport.name();
    let fail = |why: String| Err(PlanError::Endpoint { endpoint: name.clone(), why });
    let Some((operation, described)) = vendor.spec.operation_for(Role::Describe) else { return Ok(()) };
    let limit = endpoint.timeout.min(Duration::from_secs(2));
    let mut caller = endpoint.caller(vendor, now, seed);
    caller.limit(limit);
    for account in 0..endpoint.credentials.len() {
        let mut call = Call::new(operation);
        call.account = account;
        if let Some((parameter, _)) = described.parameter(Meaning::Secret) {
            call.set(parameter, "rotaprobe/preflight");
        }
        let mut exchange = caller.call(&call, None);
        if exchange.reply().is_some() && !speaks(&exchange) {
            return fail(format!("it does not speak {}: {}", vendor.spec.title, exchange.summary()));
        }
        if is(vendor, &exchange, Condition::Expired) {
            // The first reply told the endpoint's time; the second call goes by it.
            exchange = caller.call(&call, None);
        }
        let which = if account == 0 { "access key" } else { "access key of the second account" };
        match &exchange.result {
            Err(lost) => return fail(format!("{lost}; is it running, and is the URL right?")),
            Ok(_) if is(vendor, &exchange, Condition::UnknownKey) => {
                return fail(format!(
                    "it does not know the {which} ({}); give its credentials",
                    exchange.summary()
                ));
            }
            Ok(_) if is(vendor, &exchange, Condition::Mismatch) => {
                return fail(format!(
                    "it refuses the signature of the {which} ({}); is the secret key right?",
                    exchange.summary()
                ));
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

fn speaks(exchange: &Exchange) -> bool {
    exchange.reply().is_some_and(|reply| !matches!(reply.body, Body::Unreadable(_)) || reply.status >= 500)
}

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

/// Runs a plan for one vendor.
pub fn run(
    vendor: &Arc<Vendor>,
    endpoint: &Endpoint,
    plan: &Plan,
    now: Now,
    tell: &mut dyn FnMut(Event<'_>),
) -> Outcome {
    let began = Instant::now();
    let name = endpoint.transport.name();
    let chosen: Vec<Check> = checks().into_iter().filter(|check| plan.rules.contains(&check.rule)).collect();
    tell(Event::Begins { vendor: &vendor.spec.vendor, endpoint: &name, checks: chosen.len() });
    let mut caller = endpoint.caller(vendor, &now, plan.seed);
    if let Some((operation, _)) = vendor.spec.operation_for(Role::Describe) {
        caller.learn_time(operation);
    }
    let missing = match endpoint.in_process {
        true => Vec::new(),
        false => probe::missing(vendor, &mut caller),
    };
    let watch = Watch::new(vendor, &plan.rules, &missing);
    let vendor = &probe::without(vendor, &missing);
    let prefix = format!("{BRAND}{:08x}-", endpoint.fresh(plan.seed) as u32);
    let ledger = Ledger::open(vendor, &name, &prefix, &endpoint.care);
    let mut link = Direct::new(caller, endpoint.clone(), began + plan.deadline, ledger);
    let mut run = Run {
        vendor,
        endpoint: name.clone(),
        gathered: BTreeMap::new(),
        settings: Settings::new(prefix, plan.seed),
        schemas: ReplySchemas::new(vendor),
        prior: Vec::new(),
        watch,
    };
    run.settings.missing = missing;
    run.settings.fixtures.clone_from(&endpoint.fixtures);
    run.begin(&mut link);
    for check in &chosen {
        tell(Event::Check { rule: check.rule });
        run.one(check, &mut link);
        link.ledger.finish();
        let violated = run.gathered.values().filter(|gathered| !gathered.violations.is_empty()).count();
        tell(Event::Checked { rule: check.rule, calls: link.calls, violated });
    }
    let left_behind = sweep::all(&mut link);
    let results = run.results(&plan.rules, &chosen);
    tell(Event::Ends { results: &results });
    let calls = link.calls;
    if let Some(journal) = link.ledger.close() {
        tell(Event::Kept { journal: &journal, left: left_behind });
    }
    let totals = totals(&results);
    let coverage = vec![run.watch.finish(&results, totals)];
    Outcome {
        rotaprobe: env!("CARGO_PKG_VERSION").to_owned(),
        seed: plan.seed,
        endpoints: vec![name],
        summary: Summary {
            rules: totals,
            expectations: results.iter().map(|result| result.expectations).sum(),
            calls,
            seconds: began.elapsed().as_secs_f64(),
            left_behind,
        },
        results,
        coverage,
    }
}

fn totals(results: &[RuleResult]) -> Totals {
    let count = |verdict| results.iter().filter(|result| result.verdict == verdict).count();
    Totals {
        holds: count(Verdict::Holds),
        violated: count(Verdict::Violated),
        not_exercised: count(Verdict::NotExercised),
        unknown: count(Verdict::Unknown),
        broken: count(Verdict::Broken),
    }
}

struct Run<'a> {
    vendor: &'a Arc<Vendor>,
    endpoint: String,
    gathered: BTreeMap<&'static str, Gathered>,
    settings: Settings,
    schemas: Result<ReplySchemas, String>,
    /// Rotations that others may have made before, account by account.
    prior: Vec<Vec<i64>>,
    /// How much of the spec is reached.
    watch: Watch,
}

impl Run<'_> {
    /// Others may have used up some of the limit before: wait that out, or know that it may be so.
    fn begin(&mut self, link: &mut Direct) {
        let Some(rate) = self.vendor.law.rate.filter(|_| !link.in_process()) else { return };
        if !link.has_clock() || link.advance(rate.per + 120).is_err() {
            self.prior = vec![vec![link.now(); rate.calls]; link.accounts()];
        }
    }

    fn one(&mut self, check: &Check, link: &mut Direct) {
        let mut before = self.settings.spent.clone();
        before.iter_mut().zip(&self.prior).for_each(|(spent, prior)| spent.extend(prior));
        let vendor = self.vendor.clone();
        let mut drive = Drive::new(link, &vendor, &mut self.settings);
        let ended = (check.exercise)(&mut drive);
        let history = std::mem::take(&mut drive.history);
        history.calls().for_each(|(_, exchange)| self.watch.hear(exchange));
        let schemas = match &self.schemas {
            Ok(schemas) => schemas,
            Err(why) => {
                self.gathered.entry(check.rule).or_default().broken = Some(why.clone());
                return;
            }
        };
        let mut ruling = judge(&vendor, schemas, &history, &before);
        if let Some(own) = check.judge {
            own(&vendor, &history, &mut ruling);
        }
        let Ruling { expectations, notes, undecided, .. } = ruling;
        for rule in undecided {
            self.gathered.entry(rule).or_default().undecided = true;
        }
        for expectation in expectations {
            if check.covers.contains(&expectation.rule) && vendor.law.binds(check.rule) {
                self.gather(&history, Expectation { rule: check.rule, ..expectation.clone() });
            }
            self.gather(&history, expectation);
        }
        for Note { rule, text } in notes {
            self.gathered.entry(rule).or_default().notes.insert(text);
        }
        if let Err(halt) = ended {
            let gathered = self.gathered.entry(check.rule).or_default();
            match halt {
                Halt::Broken(why) => gathered.broken = Some(why),
                Halt::Budget(_) | Halt::Cap(_) => gathered.spared = Some(halt.to_string()),
                other => gathered.reason = Some(other.to_string()),
            }
        }
    }

    fn gather(&mut self, history: &History, expectation: Expectation) {
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
                .filter_map(|at| Some(curl::line(self.vendor, *at, history.call(*at)?)))
                .collect(),
            curl: calls.iter().map(|exchange| curl::command(self.vendor, &self.endpoint, exchange)).collect(),
            source: self.vendor.spec.cite(sources),
            times: 1,
        });
    }

    fn results(&mut self, rules: &[&'static str], chosen: &[Check]) -> Vec<RuleResult> {
        let documented = |id: &&&'static str| self.vendor.spec.requirements.contains_key(**id);
        rules
            .iter()
            .filter(documented)
            .filter_map(|id| RULES.iter().find(|rule| rule.id == *id))
            .map(|rule| {
                let gathered = self.gathered.remove(rule.id).unwrap_or_default();
                let level = self.vendor.spec.level(rule.id);
                let exercised = chosen.iter().any(|check| check.rule == rule.id);
                let verdict = match () {
                    () if !gathered.violations.is_empty() => Verdict::Violated,
                    () if gathered.broken.is_some() => Verdict::Broken,
                    () if gathered.undecided && level != Level::Unspecified => Verdict::Unknown,
                    () if level == Level::Unspecified || gathered.expectations == 0 => Verdict::NotExercised,
                    () if gathered.spared.is_some() => Verdict::NotExercised,
                    () => Verdict::Holds,
                };
                let why = self
                    .vendor
                    .spec
                    .requirements
                    .get(rule.id)
                    .map(|requirement| requirement.why.as_str())
                    .unwrap_or_default();
                let reason = match verdict {
                    Verdict::Holds | Verdict::Violated => None,
                    Verdict::Broken => gathered.broken,
                    Verdict::Unknown => {
                        Some("too many orders of the overlapping calls are possible to tell".to_owned())
                    }
                    _ if level == Level::Unspecified => Some(format!("unspecified: {why}")),
                    _ if !exercised => Some("no check exercises it".to_owned()),
                    _ => Some(
                        gathered
                            .spared
                            .or(gathered.reason)
                            .unwrap_or_else(|| "the exercise showed nothing either way".into()),
                    ),
                };
                RuleResult {
                    vendor: self.vendor.spec.vendor.clone(),
                    rule: rule.id.to_owned(),
                    claim: rule.claim.to_owned(),
                    level,
                    verdict,
                    expectations: gathered.expectations,
                    reason,
                    violations: gathered.violations,
                    notes: gathered.notes.into_iter().collect(),
                }
            })
            .collect()
    }
}

/// A text without what differs from run to run: digits and ids.
pub(super) fn shape(text: &str) -> String {
    text.chars().filter(|character| !character.is_ascii_digit() && !character.is_ascii_hexdigit()).collect()
}
