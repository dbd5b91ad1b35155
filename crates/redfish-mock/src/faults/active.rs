//! The active faults of a service.

use super::fault::Fault;
use super::kind::FaultKind;
use crate::protocol::path::Path;
use crate::protocol::profile::Profile;

/// The faults of a service, with their remaining counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Faults {
        Faults(faults)
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether there is no fault, so that no request needs to be looked at.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a fault that `select` accepts is active at any path.
    pub(crate) fn has<T>(&self, select: impl Fn(&FaultKind) -> Option<T>) -> bool {
        self.0.iter().any(|fault| fault.count != Some(0) && select(&fault.kind).is_some())
    }

    /// Takes the first active fault at `path` that `select` accepts, which reduces its count. Returns the result of `select`.
    pub(crate) fn take<T>(
        &mut self,
        path: &Path,
        profile: Profile,
        select: impl Fn(&FaultKind) -> Option<T>,
    ) -> Option<T> {
        for fault in &mut self.0 {
            let is_here =
                fault.path.as_deref().is_none_or(|only| path.matches(Path::new(only).as_str(), profile));
            if !is_here || fault.count == Some(0) {
                continue;
            }
            if let Some(selected) = select(&fault.kind) {
                if let Some(count) = &mut fault.count {
                    *count -= 1;
                }
                return Some(selected);
            }
        }
        None
    }

    /// What `select` makes of the first active fault at `path` that it accepts, without taking it.
    pub(crate) fn find<T>(
        &self,
        path: &Path,
        profile: Profile,
        select: impl Fn(&FaultKind) -> Option<T>,
    ) -> Option<T> {
        self.clone().take(path, profile, select)
    }

    /// Takes the first active fault of this kind at `path`. Returns whether there was one.
    pub(crate) fn take_kind(&mut self, path: &Path, profile: Profile, kind: &FaultKind) -> bool {
        self.take(path, profile, |candidate| (candidate == kind).then_some(())).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_taken_at_its_path_and_as_often_as_its_count() {
        let mut faults = Faults::new(vec![Fault::new(FaultKind::Reset).at("/redfish/v1/Systems/").times(2)]);
        let mut take = |path: &str| {
            let reset = |kind: &FaultKind| (*kind == FaultKind::Reset).then_some(());
            faults.take(&Path::new(path), Profile::Standard, reset).is_some()
        };
        assert!(!take("/redfish/v1/Chassis"));
        assert!(take("/redfish/v1/Systems"));
        assert!(!take("/redfish/v1/systems"));
        assert!(take("/redfish/v1/Systems/"));
        assert!(!take("/redfish/v1/Systems"));
    }
}
