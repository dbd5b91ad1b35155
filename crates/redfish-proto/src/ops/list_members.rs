//! The systems, chassis and managers of a service.

use crate::operation::Operation;
use crate::ops::chain::{Chain, forward_to};
use crate::ops::follow_links::{FollowLinks, Missing};
use crate::ops::read_pages::{Listed, ReadPages, Resources};
use crate::resource::Resource;
use crate::view::Decode;

/// Reads all members of a collection that the service root links to, as a type: a view, or a type of serde.
///
/// A member that is gone when it is read (404) is left out. Any other failure is in the list.
#[derive(Debug)]
pub struct ListMembers<T> {
    chain: Chain<Listed<Resource<T>>>,
}

impl<T: Decode + Send + Sync + 'static> ListMembers<T> {
    /// The computer systems.
    pub fn systems() -> ListMembers<T> {
        ListMembers::of("/Systems/@odata.id", "/redfish/v1/Systems")
    }

    /// The chassis.
    pub fn chassis() -> ListMembers<T> {
        ListMembers::of("/Chassis/@odata.id", "/redfish/v1/Chassis")
    }

    /// The managers.
    pub fn managers() -> ListMembers<T> {
        ListMembers::of("/Managers/@odata.id", "/redfish/v1/Managers")
    }

    fn of(link: &'static str, usual: &'static str) -> ListMembers<T> {
        let chain = Chain::new(FollowLinks::new(link, Missing::At(usual)), |(collection, _)| {
            Chain::next(ReadPages::new(collection, Resources::default()), |(members, failure)| {
                Chain::done(members.listed(failure))
            })
        });
        ListMembers { chain }
    }
}

impl<T: Decode + Send + Sync + 'static> Operation for ListMembers<T> {
    type Output = Listed<Resource<T>>;

    forward_to!(chain);
}
