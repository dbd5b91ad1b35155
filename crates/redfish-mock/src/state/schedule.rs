//! What happens by itself when its time has come, in the order of those times.

use std::time::Duration;

use crate::mock::Mock;

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// A system reaches a power state; where it `starts`, a boot device that was chosen for one start is used up.
    Power { path: String, state: &'static str, starts: bool },
    /// A task's operation is carried out.
    Task(u64),
    /// A task has done so many percent of its work.
    Progress(u64, u32),
    /// The service restarts and is away for so long, with what this task wrote, where there is one.
    Restart { lasts: Duration, task: Option<u64> },
}

/// The effects that wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Later(Vec<(Duration, Effect)>);

impl Later {
    pub(crate) fn add(&mut self, due: Duration, effect: Effect) {
        // After those of the same moment, so that what was asked for first happens first.
        let at = self.0.partition_point(|(other, _)| *other <= due);
        self.0.insert(at, (due, effect));
    }

    /// Takes back what has not happened.
    pub(crate) fn cancel(&mut self, which: impl Fn(&Effect) -> bool) {
        self.0.retain(|(_, effect)| !which(effect));
    }

    /// What is due by `now`.
    pub(crate) fn due(&self, now: Duration) -> impl Iterator<Item = &Effect> {
        self.0.iter().take_while(move |(due, _)| *due <= now).map(|(_, effect)| effect)
    }

    /// When the next of them is due.
    #[cfg(feature = "serve")]
    pub(crate) fn first(&self) -> Option<Duration> {
        self.0.first().map(|(due, _)| *due)
    }

    fn next(&mut self, now: Duration) -> Option<(Duration, Effect)> {
        self.0.first().is_some_and(|(due, _)| *due <= now).then(|| self.0.remove(0))
    }
}

/// How often to see whether there is something to tell, where somebody waits to be told.
#[cfg(feature = "serve")]
const LOOK: Duration = Duration::from_millis(200);

impl Mock {
    /// When something happens by itself that does not wait for somebody to ask.
    #[cfg(feature = "serve")]
    pub(crate) fn next_due(&self, now: Duration) -> Option<Duration> {
        let look = self.events.has_destinations().then(|| now + LOOK);
        self.later.first().into_iter().chain(look).min()
    }

    /// Lets happen what is due at `now`.
    pub(crate) fn pass(&mut self, now: Duration) {
        while let Some((at, effect)) = self.later.next(now) {
            self.now = self.now.max(at);
            match effect {
                Effect::Power { path, state, starts } => self.reach_power_state(&path, state, starts),
                Effect::Task(id) => self.finish_task(id, at),
                Effect::Progress(id, percent) => self.tell_progress(id, percent),
                Effect::Restart { lasts, task } if self.still_restarts(task) => self.restart(at, lasts),
                Effect::Restart { .. } => {}
            }
        }
        self.now = self.now.max(now);
        self.tasks.expire(now);
        self.accounts.expire(now);
        let expired = self.sessions.expire(now);
        self.tell_of_the_end(&expired);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_happens_in_the_order_of_its_time() {
        let mut later = Later::default();
        let seconds = Duration::from_secs;
        for (due, id) in [(3, 1), (1, 2), (3, 3), (2, 4), (9, 5)] {
            later.add(seconds(due), Effect::Task(id));
        }
        later.cancel(|effect| *effect == Effect::Task(4));
        let mut happened = Vec::new();
        while let Some((at, effect)) = later.next(seconds(3)) {
            happened.push((at.as_secs(), effect));
        }
        assert_eq!(happened, [(1, Effect::Task(2)), (3, Effect::Task(1)), (3, Effect::Task(3))]);
        assert_eq!(later.next(seconds(8)), None);
    }
}
