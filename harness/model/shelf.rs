//! An ordered map of which many copies are kept that differ little: a copy costs nothing, and a change
//! costs the way to its place.
//!
//! It is a treap whose weights are hashes of the keys, so that equal maps have equal trees. What two
//! trees share is never compared, and trees that differ are told apart by a mark of what they hold.

use foldhash::fast::FixedState;
use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// An ordered map that is cheap to copy.
#[derive(Clone, Debug)]
pub struct Shelf<K, V>(Option<Arc<Node<K, V>>>);

#[derive(Debug)]
struct Node<K, V> {
    key: K,
    value: V,
    /// No node weighs more than the one above it.
    weight: u64,
    /// What comes before, and what comes after.
    sides: [Shelf<K, V>; 2],
    /// A hash of key and value, and one of the whole tree from here, once somebody compared them; 0 before.
    marks: [AtomicU64; 2],
}

impl<K: Clone, V: Clone> Clone for Node<K, V> {
    /// A copy is made for its tree to be changed, so that has no mark.
    fn clone(&self) -> Self {
        let Self { key, value, weight, sides, marks: [own, _] } = self;
        let (key, value, sides) = (key.clone(), value.clone(), sides.clone());
        Self { key, value, weight: *weight, sides, marks: [own.load(Relaxed).into(), 0.into()] }
    }
}

impl<K: Clone, V: Clone> Node<K, V> {
    /// The node, for its tree to be changed: a copy if it is shared.
    fn open(node: &mut Arc<Self>) -> &mut Self {
        let node = Arc::make_mut(node);
        *node.marks[1].get_mut() = 0;
        node
    }

    /// The value, to be changed.
    fn value(&mut self) -> &mut V {
        *self.marks[0].get_mut() = 0;
        &mut self.value
    }
}

/// What is known of a mark, or else what comes of making it.
fn marked(mark: &AtomicU64, make: impl FnOnce() -> u64) -> u64 {
    match mark.load(Relaxed) {
        0 => {
            let made = make().max(1);
            mark.store(made, Relaxed);
            made
        }
        known => known,
    }
}

impl<K: Hash, V: Hash> Shelf<K, V> {
    fn mark(&self) -> u64 {
        let Some(node) = &self.0 else { return 1 };
        let [own, tree] = &node.marks;
        marked(tree, || {
            let own = marked(own, || FixedState::default().hash_one((&node.key, &node.value)));
            let [before, after] = &node.sides;
            FixedState::default().hash_one((own, before.mark(), after.mark()))
        })
    }
}

impl<K: Eq + Hash, V: Eq + Hash> PartialEq for Shelf<K, V> {
    fn eq(&self, other: &Self) -> bool {
        let (Some(this), Some(that)) = (&self.0, &other.0) else {
            return self.0.is_none() && other.0.is_none();
        };
        Arc::ptr_eq(this, that)
            || self.mark() == other.mark()
                && (&this.key, &this.value, &this.sides) == (&that.key, &that.value, &that.sides)
    }
}

impl<K: Eq + Hash, V: Eq + Hash> Eq for Shelf<K, V> {}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K, V> Shelf<K, V> {
    /// The entry that a comparison leads to: it says how a key lies to what is looked for.
    pub fn find(&self, compare: impl Fn(&K) -> Ordering) -> Option<(&K, &V)> {
        let mut at = self.0.as_deref();
        while let Some(node) = at {
            at = match compare(&node.key) {
                Ordering::Equal => return Some((&node.key, &node.value)),
                Ordering::Greater => node.sides[0].0.as_deref(),
                Ordering::Less => node.sides[1].0.as_deref(),
            };
        }
        None
    }

    /// Every entry, in the order of keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let mut above: Vec<&Node<K, V>> = Vec::new();
        let mut below = self.0.as_deref();
        std::iter::from_fn(move || {
            while let Some(node) = below {
                above.push(node);
                below = node.sides[0].0.as_deref();
            }
            let node = above.pop()?;
            below = node.sides[1].0.as_deref();
            Some((&node.key, &node.value))
        })
    }

    /// Every key, in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// Every value, in the order of keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    fn weight(&self) -> u64 {
        self.0.as_ref().map_or(0, |node| node.weight)
    }
}

impl<K: Ord, V> Shelf<K, V> {
    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.find(|other| other.cmp(key)).map(|(_, value)| value)
    }
}

impl<K: Ord + Hash + Clone, V: Clone> Shelf<K, V> {
    /// Puts a value in the place of a key, and gives what was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let Some(node) = &mut self.0 else {
            let weight = FixedState::default().hash_one(&key);
            let sides = [Self::default(), Self::default()];
            self.0 = Some(Arc::new(Node { key, value, weight, sides, marks: Default::default() }));
            return None;
        };
        let node = Node::open(node);
        let side = match key.cmp(&node.key) {
            Ordering::Equal => return Some(std::mem::replace(node.value(), value)),
            Ordering::Less => 0,
            Ordering::Greater => 1,
        };
        let before = node.sides[side].insert(key, value);
        if node.sides[side].weight() > node.weight {
            // The heavier one comes up, and between the two goes what lies between them.
            let mut lifted = std::mem::take(&mut node.sides[side]);
            if let Some(up) = &mut lifted.0 {
                let up = Node::open(up);
                node.sides[side] = std::mem::take(&mut up.sides[1 - side]);
                up.sides[1 - side] = std::mem::take(self);
            }
            *self = lifted;
        }
        before
    }

    /// Takes a key away, and gives its value.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        // What is not there must not cost a copy of the way to it.
        self.get(key)?;
        let node = Node::open(self.0.as_mut()?);
        match key.cmp(&node.key) {
            Ordering::Less => node.sides[0].remove(key),
            Ordering::Greater => node.sides[1].remove(key),
            Ordering::Equal => {
                let value = node.value.clone();
                let [before, after] = std::mem::take(&mut node.sides);
                *self = before.joined(after);
                Some(value)
            }
        }
    }

    /// Both, where every key of the other one is greater.
    fn joined(mut self, mut after: Self) -> Self {
        let first = self.weight() >= after.weight();
        match (&mut self.0, &mut after.0) {
            (None, _) => after,
            (_, None) => self,
            (Some(left), Some(_)) if first => {
                let left = Node::open(left);
                left.sides[1] = std::mem::take(&mut left.sides[1]).joined(after);
                self
            }
            (Some(_), Some(right)) => {
                let right = Node::open(right);
                right.sides[0] = self.joined(std::mem::take(&mut right.sides[0]));
                after
            }
        }
    }

    /// Changes every value.
    pub fn change(&mut self, how: &impl Fn(&mut V)) {
        if let Some(node) = &mut self.0 {
            let node = Node::open(node);
            how(node.value());
            node.sides.iter_mut().for_each(|side| side.change(how));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn it_holds_what_an_ordinary_map_holds() {
        let mut rng = fastrand::Rng::with_seed(7);
        let (mut shelf, mut map) = (Shelf::default(), BTreeMap::new());
        for round in 0..20_000 {
            let key = rng.u16(..512);
            let (old, copy) = (map.clone(), shelf.clone());
            match rng.bool() {
                true => assert_eq!(shelf.insert(key, round), map.insert(key, round)),
                false => assert_eq!(shelf.remove(&key), map.remove(&key)),
            }
            if round % 100 == 0 {
                assert!(shelf.iter().eq(&map), "after round {round}");
                assert!(copy.iter().eq(&old), "a copy changed in round {round}");
            }
        }
    }

    #[test]
    fn equal_maps_are_equal_however_they_came_to_be() {
        let (mut up, mut down) = (Shelf::default(), Shelf::default());
        (0..100).for_each(|key| assert_eq!(up.insert(key, key), None));
        (0..200).rev().for_each(|key| assert_eq!(down.insert(key, key), None));
        (100..200).for_each(|key| assert_eq!(down.remove(&key), Some(key)));
        assert_eq!(up, down);
        up.change(&|value| *value += 1);
        assert_ne!(up, down);
        down.change(&|value| *value += 1);
        assert_eq!(up, down);
        let before = up.clone();
        assert_eq!(up.insert(50, 0), Some(51));
        assert_ne!(up, before);
        assert_eq!(up.insert(50, 51), Some(0));
        assert_eq!(up, before);
    }
}
