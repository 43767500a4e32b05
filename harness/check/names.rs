//! Names that an endpoint chooses: nobody knows of one whether it is new.

use super::oracle::Walk;
use crate::model::{Op, Role, Seen, Text, name_told};

/// The name that an endpoint chose for what a call made, if it told one.
pub(super) fn name_chosen<'s>(op: &Op, seen: &'s Seen) -> Option<&'s Text> {
    match seen {
        Seen::Done(facts) if op.names_itself => name_told(facts),
        _ => None,
    }
}

impl Walk<'_> {
    /// Nothing is predicted any longer about what a call is about, whatever the call or its reply calls it.
    pub(super) fn let_go(&mut self, op: &Op, seen: &Seen) {
        self.belief.forget(op.account, &op.secret);
        if let Some(name) = self.take_name(op, seen) {
            self.belief.forget(op.account, name);
        }
    }

    /// What is called so in another account may have been there before; and where a reply was lost, the endpoint
    /// may have chosen again what it chose before. The name that it chose, if it told one.
    pub(super) fn take_name<'s>(&mut self, op: &Op, seen: &'s Seen) -> Option<&'s Text> {
        let Self { belief, given, accounts, lost, .. } = self;
        // What was lost on its way to another of this name may arrive at the new one, and is not what it was: a token
        // that was known may be new again.
        let meant = |late: &Op| (late.account, &late.secret) == (op.account, &op.secret);
        if op.role == Role::Create
            && *seen != Seen::Refused
            && lost.iter().any(|(late, _)| late.role != Role::Create && meant(late))
        {
            belief.forget(op.account, &op.secret);
        }
        match seen {
            Seen::Lost if op.names_itself => {
                given.iter().for_each(|name| belief.forget(op.account, name));
                None
            }
            _ => {
                let name = name_chosen(op, seen)?;
                // What was lost on its way to another of this name may arrive at this one.
                if !lost.is_empty() && belief.forgot(op.account, name) {
                    belief.forget(op.account, name);
                }
                for account in accounts.iter().filter(|account| **account != op.account) {
                    if belief.key(*account, name).is_none() {
                        belief.forget(*account, name);
                    }
                }
                given.insert(name.clone());
                Some(name)
            }
        }
    }
}
