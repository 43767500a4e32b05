//! proptest strategies derived from a spec: intervals, names, tokens, and whole plans.
//!
//! ```no_run
//! use proptest::prelude::*;
//! use rotaprobe::generate::strategies;
//! # let vendor = std::sync::Arc::new(rotaprobe::spec::embedded("alibaba").unwrap());
//! proptest!(|(interval in strategies::intervals(&vendor), name in strategies::names(&vendor))| {
//!     prop_assert!(my_parser(&interval).is_ok() && !name.is_empty());
//! });
//! # fn my_parser(_: &str) -> Result<(), ()> { Ok(()) }
//! ```

use super::Plan;
use super::texts::{around, hostile_texts, malformed_texts};
use crate::model::{Meaning, Role};
use crate::spec::interval::Ruling;
use crate::spec::{Parameter, Vendor};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use regex::Regex;
use std::sync::Arc;

/// Bytes of a plan at most.
const BYTES: usize = 256;

/// Intervals that the vendor's documents call legal, in every unit.
pub fn intervals(vendor: &Vendor) -> impl Strategy<Value = String> + use<> {
    let interval = vendor.spec.interval.clone();
    let units = interval.units.clone();
    (interval.min.0..=interval.max.0, select(units)).prop_filter_map(
        "no whole number of units",
        move |(seconds, unit)| {
            let text = format!("{}{}", seconds / unit.seconds(), unit.letter());
            matches!(interval.read(&text), Ruling::Legal(_)).then_some(text)
        },
    )
}

/// Texts that are no interval, or one that is too short or too long.
pub fn bad_intervals(vendor: &Vendor) -> impl Strategy<Value = String> + use<> {
    let interval = &vendor.spec.interval;
    let bounds = interval.units.iter().flat_map(|unit| around(vendor, *unit));
    let bad: Vec<String> = bounds
        .chain(malformed_texts(vendor))
        .filter(|text| matches!(interval.read(text), Ruling::Malformed | Ruling::Outside))
        .collect();
    select(bad)
}

/// Names that a secret may have.
pub fn names(vendor: &Vendor) -> impl Strategy<Value = String> + use<> {
    words(parameter(vendor, Role::Create, Meaning::Secret))
}

/// Idempotency tokens that a rotation may carry; of APIs without any, texts that would do.
pub fn tokens(vendor: &Vendor) -> impl Strategy<Value = String> + use<> {
    words(parameter(vendor, Role::Rotate, Meaning::Token))
}

/// Texts that break naive parsers, encoders, storage and logs.
pub fn hostile() -> impl Strategy<Value = String> {
    select(hostile_texts())
}

/// Plans for a vendor; they shrink to fewer and plainer calls.
pub fn plans(vendor: &Arc<Vendor>) -> impl Strategy<Value = Plan> + use<> {
    let vendor = vendor.clone();
    vec(any::<u8>(), 0..BYTES).prop_map(move |bytes| Plan::decode(&vendor, &bytes))
}

fn parameter(vendor: &Vendor, role: Role, is: Meaning) -> Option<Parameter> {
    let (_, operation) = vendor.spec.operation_for(role)?;
    operation.parameter(is).map(|(_, parameter)| parameter.clone())
}

/// Words within a parameter's length and pattern.
fn words(parameter: Option<Parameter>) -> impl Strategy<Value = String> + use<> {
    let bound =
        |bound: Option<i64>, open: usize| bound.and_then(|it| usize::try_from(it).ok()).unwrap_or(open);
    let (min, max, pattern) = match &parameter {
        Some(it) => (bound(it.min, 1).max(1), bound(it.max, 64).min(200), it.pattern.clone()),
        None => (1, 64, None),
    };
    let fits = pattern.and_then(|pattern| Regex::new(&format!("^(?:{pattern})$")).ok());
    let letters = select("abcXYZ019-_".chars().collect::<Vec<char>>());
    vec(letters, min.saturating_sub(1)..max)
        .prop_map(|rest| std::iter::once('a').chain(rest).collect::<String>())
        .prop_filter("outside the pattern", move |word| fits.as_ref().is_none_or(|fits| fits.is_match(word)))
}
