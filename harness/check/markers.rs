//! Markers of pages: one that the endpoint gave leads on in the list that it gave it for. What any other does
//! is documented nowhere.

use crate::history::Exchange;
use crate::model::{Condition, Fact, Meaning};
use crate::spec::{Complaint, Reading, Vendor};
use std::collections::BTreeSet;

/// Markers that an endpoint gave, with the calls that they go on with.
#[derive(Debug, Default)]
pub(super) struct Markers(BTreeSet<(Asked, String)>);

/// Account, operation, and every parameter that does not choose a page.
type Asked = (usize, String, Vec<(String, String)>);

fn asked(vendor: &Vendor, exchange: &Exchange) -> Option<Asked> {
    let call = &exchange.call;
    let operation = vendor.spec.operations.get(&call.operation)?;
    let chooses = |name: &str| matches!(operation.meaning(name), Some(Meaning::Marker | Meaning::PageSize));
    let owned = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
    let mut rest: Vec<_> = call.pairs().into_iter().filter(|(name, _)| !chooses(name)).map(owned).collect();
    rest.sort();
    Some((call.account, call.operation.clone(), rest))
}

impl Markers {
    /// Takes in the marker that a reply gives, if any.
    pub(super) fn hear(&mut self, vendor: &Vendor, exchange: &Exchange) {
        let facts = exchange.reply().and_then(|reply| reply.facts()).into_iter().flatten();
        for (_, fact) in facts.filter(|(is, _)| *is == Meaning::Marker) {
            if let (Fact::Text(marker), Some(asked)) = (fact, asked(vendor, exchange)) {
                self.0.insert((asked, marker.to_string()));
            }
        }
    }

    /// Adds to a reading that its marker may be refused, unless the endpoint gave it.
    pub(super) fn doubt(&self, vendor: &Vendor, exchange: &Exchange, reading: &mut Reading) {
        let Some(marker) = reading.op.marker.as_deref() else { return };
        let given = asked(vendor, exchange).is_some_and(|asked| self.0.contains(&(asked, marker.to_owned())));
        if !given {
            reading.complaints.push(Complaint {
                parameter: "marker".into(),
                condition: Condition::Invalid,
                rule: "ROT-PAGE-1",
                certain: false,
                unclear: false,
                why: "the endpoint gave no such marker for this list".into(),
            });
        }
    }
}
