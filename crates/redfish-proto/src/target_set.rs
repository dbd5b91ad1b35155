//! A set of targets, for pages and members that must not be read or returned twice.

use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use crate::target::Target;

/// The key of a target in a [`TargetSet`]: a hash, since a collection may have a million members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TargetKey(u64);

/// A set of targets, of which it keeps only the keys. A clone is cheap, since each page hands its set to the next one.
///
/// The keys are in sorted runs, which clones share. A run is at least twice as long as the next one, so that there are
/// few; those that are not are merged.
#[derive(Clone, Default)]
pub(crate) struct TargetSet {
    runs: Vec<Arc<[TargetKey]>>,
}

impl TargetKey {
    /// The key of a target.
    pub(crate) fn of(target: &Target) -> TargetKey {
        match target.fragment() {
            None => TargetKey::of_text(target.as_str()),
            Some(_) => TargetKey::of_text(&target.to_string()),
        }
    }

    /// The key of a target that is known as text.
    pub(crate) fn of_text(target: &str) -> TargetKey {
        let mut hasher = DefaultHasher::new();
        hasher.write(target.as_bytes());
        TargetKey(hasher.finish())
    }
}

impl TargetSet {
    /// The number of targets.
    pub(crate) fn len(&self) -> usize {
        self.runs.iter().map(|run| run.len()).sum()
    }

    pub(crate) fn contains(&self, key: TargetKey) -> bool {
        self.runs.iter().any(|run| run.binary_search(&key).is_ok())
    }

    /// Adds targets that the set does not contain.
    pub(crate) fn extend(&mut self, keys: impl IntoIterator<Item = TargetKey>) {
        let mut added: Vec<TargetKey> = keys.into_iter().collect();
        while let Some(run) = self.runs.last().filter(|run| run.len() < 2 * added.len()) {
            added.extend_from_slice(run);
            self.runs.pop();
        }
        if !added.is_empty() {
            added.sort_unstable();
            self.runs.push(added.into());
        }
    }
}

impl fmt::Debug for TargetSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetSet({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> TargetKey {
        TargetKey::of_text(&format!("/c/{number}"))
    }

    #[test]
    fn a_set_contains_what_was_added_in_few_runs_and_a_clone_is_independent() {
        let mut set = TargetSet::default();
        let mut earlier = set.clone();
        for page in 0..1_000 {
            if page == 500 {
                earlier = set.clone();
            }
            set.extend((page * 7..page * 7 + 7).map(key));
        }
        assert!((0..7_000).all(|number| set.contains(key(number))));
        assert!(!set.contains(key(7_000)));
        assert_eq!((set.len(), earlier.len()), (7_000, 3_500));
        assert!(!earlier.contains(key(3_500)));
        assert!(set.runs.len() <= 13, "{} runs", set.runs.len());
        set.extend([]);
        assert_eq!(set.len(), 7_000);
    }

    #[test]
    fn the_fragment_is_a_part_of_the_key() {
        let [plain, part] =
            ["/c/1", "/c/1#/Fans/0"].map(|link| crate::target::merge(link, &Target::well_known("/")));
        assert_eq!(plain.map(|target| TargetKey::of(&target)), Ok(TargetKey::of_text("/c/1")));
        assert_eq!(part.map(|target| TargetKey::of(&target)), Ok(TargetKey::of_text("/c/1#/Fans/0")));
    }
}
