//! What the pages of a list show together, while nothing changed between them.

use super::judge::Ruling;
use super::overlap::LANDS_WITHIN;
use crate::history::{Entry, Exchange, History, Span};
use crate::model::{Fact, Meaning, Role};
use crate::spec::Vendor;

/// Pages that show a whole list, one after another.
#[derive(Debug, Default)]
pub(super) struct Whole {
    /// Index of the account, and every parameter but those that choose a page.
    about: (usize, Vec<(String, String)>),
    /// Places of the calls.
    pub(super) calls: Vec<usize>,
    /// Entries of all pages, as they came.
    pub(super) entries: Vec<String>,
    /// How many the replies say there are; none where they say nothing, or do not agree.
    pub(super) total: Option<usize>,
    /// The stretch of history in which nothing changed.
    stretch: usize,
    size: Option<usize>,
    /// Entries before the last page, where a call can say where it begins.
    position: Option<usize>,
    marker: Option<String>,
    complete: bool,
}

/// Every list of a role that a history shows whole.
pub(super) fn wholes(vendor: &Vendor, history: &History, role: Role) -> Vec<Whole> {
    let (mut done, mut open, mut stretch): (Vec<Whole>, Option<Whole>, usize) = (Vec::new(), None, 0);
    let writes: Vec<Span> =
        history.entries.iter().filter(|it| changes(vendor, it)).filter_map(span).collect();
    for (at, entry) in history.entries.iter().enumerate() {
        let page = match entry {
            // What is written meanwhile may show, or not.
            Entry::Call(exchange) if !writes.iter().any(|write| write.overlaps(exchange.span)) => {
                page(vendor, exchange, role)
            }
            _ => None,
        };
        let Some(mut page) = page else {
            stretch += usize::from(changes(vendor, entry));
            done.extend(open.take().filter(|it| it.complete));
            continue;
        };
        (page.calls, page.stretch) = (vec![at], stretch);
        match &mut open {
            Some(known) if known.is_followed_by(&page) => known.take(page),
            _ => {
                done.extend(open.take().filter(|it| it.complete));
                let first = page.position.is_none_or(|position| position == 0) && page.begins_at().is_none();
                open = first.then_some(page);
            }
        }
    }
    done.extend(open.filter(|it| it.complete));
    done
}

impl Whole {
    fn is_followed_by(&self, next: &Self) -> bool {
        let goes_on = match (self.position, next.position, self.size) {
            (Some(before), Some(after), Some(size)) => before.checked_add(size) == Some(after),
            (None, None, _) => self.marker.is_some(),
            _ => false,
        };
        goes_on
            && next.begins_at() == self.marker.as_ref().filter(|_| next.position.is_none())
            && self.size == next.size
            && self.about.0 == next.about.0
            && self.asked().eq(next.asked())
    }

    fn take(&mut self, next: Self) {
        self.calls.extend(next.calls);
        self.entries.extend(next.entries);
        self.total = self.total.filter(|total| next.total == Some(*total));
        (self.position, self.marker) = (next.position, next.marker);
        self.complete |= next.complete;
    }

    /// Whether both show the same list, at the same time.
    pub(super) fn is_of_the_same(&self, other: &Self) -> bool {
        self.stretch == other.stretch && self.about.0 == other.about.0 && self.asked().eq(other.asked())
    }

    /// Index of the account.
    pub(super) const fn account(&self) -> usize {
        self.about.0
    }

    /// Whether anything but a page was asked for.
    pub(super) fn is_chosen(&self) -> bool {
        self.asked().next().is_some()
    }

    /// What was asked for, but for the page.
    fn asked(&self) -> impl Iterator<Item = &(String, String)> {
        self.about.1.iter().filter(|(name, _)| name != MARKER)
    }

    /// The marker that the page was asked for by.
    fn begins_at(&self) -> Option<&String> {
        self.about.1.iter().find(|(name, _)| name == MARKER).map(|(_, text)| text)
    }
}

/// What the marker of a page is called among parameters.
const MARKER: &str = "\0marker";

/// Whether something may be otherwise after an entry.
fn changes(vendor: &Vendor, entry: &Entry) -> bool {
    match entry {
        Entry::Call(exchange) => {
            let operation = vendor.spec.operations.get(&exchange.call.operation);
            operation.is_none_or(|it| it.role.writes())
        }
        Entry::Settled => false,
        _ => true,
    }
}

/// When a call may have had its effect: one whose reply was lost may have it later.
fn span(entry: &Entry) -> Option<Span> {
    let Entry::Call(exchange) = entry else { return None };
    let later = if exchange.result.is_err() { LANDS_WITHIN } else { 0 };
    Some(Span { ended: exchange.span.ended.saturating_add(later), ..exchange.span })
}

/// One page, if a call shows one.
fn page(vendor: &Vendor, exchange: &Exchange, role: Role) -> Option<Whole> {
    let operation = vendor.spec.operations.get(&exchange.call.operation).filter(|it| it.role == role)?;
    let facts = exchange.reply().filter(|_| exchange.tamper.is_none())?.facts()?;
    let mut page = Whole { about: (exchange.call.account, Vec::new()), ..Whole::default() };
    let (mut number, mut offset): (Option<usize>, usize) = (None, 0);
    for (name, text) in exchange.call.pairs() {
        match operation.meaning(name) {
            Some(Meaning::PageSize) => page.size = Some(text.parse().ok().filter(|size| *size > 0)?),
            Some(Meaning::Page) => number = Some(text.parse().ok()?),
            Some(Meaning::Offset) => offset = text.parse().ok()?,
            Some(Meaning::Marker) => page.about.1.push((MARKER.to_owned(), text.to_owned())),
            _ => page.about.1.push((name.to_owned(), text.to_owned())),
        }
    }
    page.about.1.sort();
    if operation.parameter(Meaning::Page).or(operation.parameter(Meaning::Offset)).is_some() {
        page.position = match (number, page.size) {
            (None | Some(1), _) => Some(offset),
            (Some(number), size) => Some(number.checked_sub(1)?.checked_mul(size?)?),
        };
    }
    for (meaning, fact) in facts {
        match (meaning, fact) {
            (_, Fact::Names(names)) => page.entries = names.iter().map(ToString::to_string).collect(),
            (Meaning::Versions, Fact::Versions(all)) => {
                page.entries = all.iter().map(|version| version.id.to_string()).collect();
            }
            (Meaning::Total, Fact::Count(total)) => page.total = usize::try_from(*total).ok(),
            (Meaning::Marker, Fact::Text(text)) if !text.is_empty() => page.marker = Some(text.to_string()),
            _ => {}
        }
    }
    let count = page.entries.len();
    page.complete = match (page.marker.is_some(), page.size, page.position) {
        (true, ..) => false,
        (false, Some(size), Some(1..)) => count < size,
        (false, Some(size), Some(0)) => count < size || page.total == Some(count),
        (false, Some(size), None) => count < size || page.total == Some(count) || vendor.law.opaque_pages,
        (false, None, None | Some(0)) => page.total == Some(count),
        (false, None, Some(1..)) => false,
    };
    Some(page)
}

/// The pages of a version list show each version once, whatever their size.
pub(super) fn versions(vendor: &Vendor, history: &History, ruling: &mut Ruling<'_>) {
    let all = wholes(vendor, history, Role::Versions);
    for (place, whole) in all.iter().enumerate() {
        let mut ids = whole.entries.clone();
        ids.sort();
        let known = all[..place].iter().find(|other| other.is_of_the_same(whole));
        let wanted = known.map_or_else(
            || {
                let mut once = ids.clone();
                once.dedup();
                once
            },
            |known| {
                let mut wanted = known.entries.clone();
                wanted.sort();
                wanted.dedup();
                wanted
            },
        );
        ruling.expect(
            "ROT-PAGE-1",
            ids == wanted,
            &whole.calls,
            || format!("pages of {} that show each of {} versions once", size(whole), wanted.len()),
            || {
                let mut once = ids.clone();
                once.dedup();
                format!("{} entries, {} of them different", ids.len(), once.len())
            },
        );
    }
}

fn size(whole: &Whole) -> String {
    whole.size.map_or_else(|| "any size".to_owned(), |size| size.to_string())
}
