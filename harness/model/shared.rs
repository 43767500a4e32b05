//! A value of which many copies are kept: it is copied only where one of them changes.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A value that is shared by its copies until one of them changes. What two of them share is not compared, as
/// with any [`Arc`] of a type that is [`Eq`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shared<T>(Arc<T>);

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> FromIterator<T> for Shared<Vec<T>> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Vec::from_iter(items).into()
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_does_not_change_with_the_other() {
        let kept = Shared::from(vec![1, 2]);
        let mut changed = kept.clone();
        assert!(std::ptr::eq(&*kept, &*changed), "nothing is copied before something changes");
        changed.push(3);
        assert_eq!((kept.len(), changed.len()), (2, 3));
        changed.pop();
        assert_eq!(kept, changed);
    }
}
