//! Runs checks at an endpoint and gathers what judges say, rule by rule.

use super::coverage::Watch;
use super::event::{Event, Outcome, Summary};
use super::gather::{Gathering, totals};
use super::link::{Direct, Endpoint};
use super::session::Session;
use super::sweep;
use crate::check::{Check, Drive, Halt, Settings, checks};
use crate::client::Now;
use crate::codec::{Body, Call};
use crate::history::Exchange;
use crate::model::{Condition, Meaning, RULES, Role};
use crate::record::{Begins, Cut};
use crate::spec::Vendor;
use globset::GlobBuilder;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

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

/// Asks the endpoint for a secret that does not exist, and looks whether it speaks the API and knows the keys.
/// A second key that nobody gave, and that it does not know, is left out from then on.
///
/// # Errors
/// What is wrong with the endpoint or the access key, in a sentence.
pub fn preflight(
    vendor: &Arc<Vendor>,
    endpoint: &mut Endpoint,
    now: &Now,
    seed: u64,
) -> Result<(), PlanError> {
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
        if exchange.says(&vendor.spec, Condition::Expired) {
            // The first reply told the endpoint's time; the second call goes by it.
            exchange = caller.call(&call, None);
        }
        let unknown = exchange.says(&vendor.spec, Condition::UnknownKey)
            || exchange.says(&vendor.spec, Condition::Mismatch);
        if account > 0 && endpoint.presumed && unknown {
            endpoint.credentials.truncate(account);
            break;
        }
        let which = if account == 0 { "access key" } else { "access key of the second account" };
        match &exchange.result {
            Err(lost) => return fail(format!("{lost}; is it running, and is the URL right?")),
            Ok(_) if exchange.says(&vendor.spec, Condition::UnknownKey) => {
                return fail(format!(
                    "it does not know the {which} ({}); give its credentials",
                    exchange.summary()
                ));
            }
            Ok(_) if exchange.says(&vendor.spec, Condition::Mismatch) => {
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
    let session = Session::begin(vendor, endpoint, &now, plan.seed, began + plan.deadline);
    let missing = &session.settings.missing;
    let lacks: Vec<&str> = missing.iter().map(|(_, name)| name.as_str()).collect();
    tell(Event::Lacks { operations: &lacks });
    let watch = Watch::new(vendor, &plan.rules, missing);
    let Session { vendor, mut link, settings, prior } = session;
    let gathering = Gathering::new(&vendor, &name);
    let mut run = Run { vendor, gathering, settings, prior, watch };
    for check in &chosen {
        tell(Event::Check { rule: check.rule });
        run.one(check, &mut link, tell);
        let violated = run.gathering.violated();
        tell(Event::Checked { rule: check.rule, calls: link.calls, violated });
    }
    let left_behind = sweep::all(&mut link, &mut run.settings);
    let results = run.gathering.results(&plan.rules, |rule| match chosen.iter().any(|it| it.rule == rule) {
        true => "the exercise showed nothing either way",
        false => "needs overlapping calls",
    });
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

struct Run {
    vendor: Arc<Vendor>,
    gathering: Gathering,
    settings: Settings,
    /// Rotations that others may have made before, account by account.
    prior: Vec<Vec<i64>>,
    /// How much of the spec is reached.
    watch: Watch,
}

impl Run {
    fn one(&mut self, check: &Check, link: &mut Direct, tell: &mut dyn FnMut(Event<'_>)) {
        let before = self.settings.counting(&self.prior);
        let vendor = self.vendor.clone();
        let mut drive = Drive::new(link, &vendor, &mut self.settings);
        let ended = (check.exercise)(&mut drive);
        let history = std::mem::take(&mut drive.history);
        let history = sweep::finished(link, &mut self.settings, history);
        history.calls().for_each(|(_, exchange)| self.watch.hear(exchange));
        let cut = ended.err().map(|halt| match halt {
            Halt::Broken(why) => Cut::Broken(why),
            Halt::Budget(_) | Halt::Cap { .. } => Cut::Spared(halt.to_string()),
            other => Cut::Short(other.to_string()),
        });
        let begins = Begins { of: Some(check.rule.to_owned()), spent: before, cut };
        self.gathering.judge(&begins, &history);
        tell(Event::History { begins: &begins, history: &history });
    }
}
