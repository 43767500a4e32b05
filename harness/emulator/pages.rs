//! Versions, page by page.

use crate::model::{Id, Text, Version, VersionFact};

/// An id as replies show it.
pub(super) fn known(id: &Id) -> Text {
    match id {
        Id::Known(id) => id.clone(),
        Id::Made(number) => format!("{number}").into(),
    }
}

fn entry(version: &Version) -> VersionFact {
    VersionFact {
        id: known(&version.id),
        stages: Some(version.stages.clone()),
        created: Some(version.created.lo),
    }
}

/// The newest versions come first.
pub(super) fn page_of(all: &[Version], page: i64, size: i64) -> Vec<VersionFact> {
    let size = usize::try_from(size).unwrap_or(0);
    let skipped = usize::try_from(page.saturating_sub(1)).unwrap_or(usize::MAX).saturating_mul(size);
    all.iter().rev().skip(skipped).take(size).map(entry).collect()
}

/// The page after the entry that a marker names, and the marker of the page after it.
pub(super) fn page_after(
    all: &[Version],
    marker: Option<&str>,
    size: i64,
) -> (Vec<VersionFact>, Option<Text>) {
    let size = usize::try_from(size).unwrap_or(0);
    let newest: Vec<VersionFact> = all.iter().rev().map(entry).collect();
    let begin = marker.and_then(|marker| newest.iter().position(|entry| *entry.id == *marker));
    let begin = begin.map_or(0, |at| at + 1);
    let page: Vec<VersionFact> = newest.iter().skip(begin).take(size).cloned().collect();
    let more = begin + page.len() < newest.len();
    let marker = page.last().filter(|_| more).map(|entry| entry.id.clone());
    (page, marker)
}
