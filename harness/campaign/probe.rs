//! What an endpoint is like, as far as that changes what a run can show.
//!
//! What it lacks: operations that it does not know are left out of the run, and the rules that need them say so.
//! Rotation itself is never left out: an endpoint without it is what a run is to find.

use super::link::Direct;
use crate::check::{Drive, Made, Settings, Step};
use crate::client::Caller;
use crate::codec::{Body, Call};
use crate::history::Exchange;
use crate::model::{Condition, Meaning, Role};
use crate::spec::{Type, Vendor};
use std::sync::Arc;

/// Operations that an endpoint does not know, by role and name.
pub(super) type Missing = Vec<(Role, String)>;

/// Asks for every operation but those that make or rotate, at a secret that there is not.
pub(super) fn missing(vendor: &Vendor, caller: &mut Caller) -> Missing {
    let mut missing = Missing::new();
    for (name, operation) in &vendor.spec.operations {
        if matches!(operation.role, Role::Create | Role::Rotate | Role::Describe) {
            continue;
        }
        let mut call = Call::new(name);
        for (parameter, described) in operation.parameters.iter().filter(|(_, it)| it.required) {
            let value = match (described.is, described.kind) {
                (Meaning::Project, _) => continue,
                (Meaning::Secret, _) => "rotaprobe-probe".to_owned(),
                (_, Type::Integer) => described.min.unwrap_or(1).to_string(),
                (_, Type::Boolean) => "false".to_owned(),
                _ => {
                    let given = described.absent.clone().or_else(|| described.example.clone());
                    given.or_else(|| described.values.first().cloned()).unwrap_or_else(|| "rotaprobe".into())
                }
            };
            call.set(parameter, value);
        }
        if unknown(vendor, &caller.call(&call, None)) {
            missing.push((operation.role, name.clone()));
        }
    }
    missing
}

/// Whether a reply says that there is no such operation.
fn unknown(vendor: &Vendor, exchange: &Exchange) -> bool {
    let Some(reply) = exchange.reply() else { return false };
    let (codes, _) = vendor.spec.answers(Condition::UnknownSecret, &exchange.call.operation);
    let secret = reply.code().is_some_and(|code| vendor.spec.any_fits(codes, code));
    let strange = matches!(reply.body, Body::Unreadable(_)) && matches!(reply.status, 404 | 405 | 501);
    !secret && (strange || reply.status == 501 || exchange.says(&vendor.spec, Condition::UnknownOperation))
}

/// Whether an endpoint takes both access keys for one account's: its own identifiers say so of secrets that
/// each of them made, and each sees the other's. Nothing is judged here.
pub(super) fn one_account(vendor: &Vendor, link: &mut Direct, settings: &mut Settings) -> bool {
    let mut drive = Drive::new(link, vendor, settings);
    let mut ask = || -> Step<bool> {
        drive.need_second_account()?;
        let kind = drive.kind(false)?;
        let (first, second) = (drive.create(kind, 0, 0)?, drive.create(kind, 0, 1)?);
        if owner(&first).is_none() || owner(&first) != owner(&second) {
            return Ok(false);
        }
        let at = drive.describe(&Made { account: 1, ..first })?;
        Ok(drive.done(at))
    };
    ask().unwrap_or(false)
}

/// What a secret's identifier says before its name: service, region, account.
fn owner(secret: &Made) -> Option<&str> {
    let arn = secret.arn.as_deref()?;
    arn.find(&secret.name).map(|at| &arn[..at])
}

/// The vendor as this endpoint speaks it.
pub(super) fn without(vendor: &Arc<Vendor>, missing: &Missing) -> Arc<Vendor> {
    if missing.is_empty() {
        return vendor.clone();
    }
    let mut spec = vendor.spec.clone();
    spec.operations.retain(|name, _| !missing.iter().any(|(_, gone)| gone == name));
    // A spec with fewer operations is as sound as it was.
    Vendor::of(spec).map_or_else(|_| vendor.clone(), Arc::new)
}
