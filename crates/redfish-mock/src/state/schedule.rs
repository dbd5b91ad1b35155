//! The schedule: effects that take place at a later time.

use std::time::Duration;

/// A change of the service that is scheduled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// A system reaches a power state. If it `boots`, a boot override for one boot is used up.
    SetPower { path: String, state: &'static str, boots: bool },
    /// A task carries out its operation and ends.
    EndTask(u64),
    /// A task publishes its progress in percent.
    PublishProgress(u64, u32),
    /// The service restarts and is unavailable for `duration`. If it belongs to a task, it happens only while the task runs.
    Restart { duration: Duration, task: Option<u64> },
}

/// The scheduled effects, in the order of their times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule(Vec<(Duration, Effect)>);

impl Schedule {
    pub(crate) fn add(&mut self, due: Duration, effect: Effect) {
        // Effects of the same time take place in the order in which they were added.
        let at = self.0.partition_point(|(other, _)| *other <= due);
        self.0.insert(at, (due, effect));
    }

    /// Removes the effects that `is_cancelled` accepts.
    pub(crate) fn cancel(&mut self, is_cancelled: impl Fn(&Effect) -> bool) {
        self.0.retain(|(_, effect)| !is_cancelled(effect));
    }

    /// Removes the effects of a task.
    pub(crate) fn cancel_task(&mut self, id: u64) {
        self.cancel(|effect| match effect {
            Effect::EndTask(task) | Effect::PublishProgress(task, _) => *task == id,
            Effect::Restart { task, .. } => *task == Some(id),
            Effect::SetPower { .. } => false,
        });
    }

    /// Whether a restart is scheduled that does not belong to a task.
    pub(crate) fn has_restart(&self) -> bool {
        self.0.iter().any(|(_, effect)| matches!(effect, Effect::Restart { task: None, .. }))
    }

    /// The effects that are due at `now`.
    pub(crate) fn due(&self, now: Duration) -> impl Iterator<Item = &Effect> {
        self.0.iter().take_while(move |(due, _)| *due <= now).map(|(_, effect)| effect)
    }

    /// The time of the next effect.
    #[cfg(feature = "serve")]
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.0.first().map(|(due, _)| *due)
    }

    /// Removes and returns the next effect if it is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Duration) -> Option<(Duration, Effect)> {
        self.0.first().is_some_and(|(due, _)| *due <= now).then(|| self.0.remove(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_take_place_in_the_order_of_their_times() {
        let mut schedule = Schedule::default();
        let seconds = Duration::from_secs;
        for (due, id) in [(3, 1), (1, 2), (3, 3), (2, 4), (9, 5)] {
            schedule.add(seconds(due), Effect::EndTask(id));
        }
        schedule.cancel(|effect| *effect == Effect::EndTask(4));
        let mut popped = Vec::new();
        while let Some((at, effect)) = schedule.pop_due(seconds(3)) {
            popped.push((at.as_secs(), effect));
        }
        assert_eq!(popped, [(1, Effect::EndTask(2)), (3, Effect::EndTask(1)), (3, Effect::EndTask(3))]);
        assert_eq!(schedule.pop_due(seconds(8)), None);
    }
}
