//! Names that an endpoint chooses: nobody knows of one whether it is new.

use super::oracle::Walk;
use crate::model::{Op, Seen, Text, name_told};

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
        let Self { belief, given, accounts, .. } = self;
        match seen {
            Seen::Lost if op.names_itself => {
                given.iter().for_each(|name| belief.forget(op.account, name));
                None
            }
            Seen::Done(facts) if op.names_itself => {
                let name = name_told(facts)?;
                for account in accounts.iter().filter(|account| **account != op.account) {
                    if belief.key(*account, name).is_none() {
                        belief.forget(*account, name);
                    }
                }
                given.insert(name.clone());
                Some(name)
            }
            _ => None,
        }
    }
}
