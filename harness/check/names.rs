//! Names that an endpoint chooses: nobody knows of one whether it is new.

use super::oracle::Walk;
use crate::model::{Fact, Facts, Meaning, Op, Seen, Text};

impl Walk<'_> {
    /// Nothing is predicted any longer about what a call is about, whatever the call or its reply calls it.
    pub(super) fn let_go(&mut self, op: &Op, seen: &Seen) {
        self.belief.forget(op.account, &op.secret);
        if let Some(name) = given(op, seen) {
            self.belief.forget(op.account, &name);
        }
        self.take_name(op, seen);
    }

    /// What is called so in another account may have been there before; and where a reply was lost, the endpoint
    /// may have chosen again what it chose before.
    pub(super) fn take_name(&mut self, op: &Op, seen: &Seen) {
        if op.names_itself && *seen == Seen::Lost {
            let known = self.given.clone();
            known.iter().for_each(|name| self.belief.forget(op.account, name));
        }
        let Some(name) = given(op, seen) else { return };
        let others = (0..ACCOUNTS).filter(|account| *account != op.account);
        for account in others {
            if self.belief.key(account, &name).is_none() {
                self.belief.forget(account, &name);
            }
        }
        self.given.insert(name);
    }
}

/// Accounts that a history is about at most.
const ACCOUNTS: usize = 2;

/// The name that a reply tells of what it created.
fn given(op: &Op, seen: &Seen) -> Option<Text> {
    let told = |facts: &Facts| {
        facts.iter().find_map(|(meaning, fact)| match fact {
            Fact::Text(name) if *meaning == Meaning::Secret => Some(name.clone()),
            _ => None,
        })
    };
    match seen {
        Seen::Done(facts) if op.names_itself => told(facts),
        _ => None,
    }
}
