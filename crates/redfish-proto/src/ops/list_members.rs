//! The systems, chassis and managers of a service.

use serde_json::Value;

use crate::link::link_at;
use crate::operation::{Operation, Request};
use crate::ops::chain::{Chain, Exchange, forward_to};
use crate::ops::follow_links::root;
use crate::ops::read_pages::{Listed, ReadPages, Resources};
use crate::resource::Resource;
use crate::view::Decode;

/// Reads all members of a collection that the service root links to, as a type: a view, or a type of serde.
///
/// The list is empty if the service root has no such link. A member that is gone when it is read (404) is left out. Any other
/// failure is in the list.
#[derive(Debug)]
pub struct ListMembers<T> {
    chain: Chain<Listed<Resource<T>>>,
}

impl<T: Decode + Send + Sync + 'static> ListMembers<T> {
    /// The computer systems.
    pub fn systems() -> ListMembers<T> {
        ListMembers::of("/Systems/@odata.id")
    }

    /// The chassis.
    pub fn chassis() -> ListMembers<T> {
        ListMembers::of("/Chassis/@odata.id")
    }

    /// The managers.
    pub fn managers() -> ListMembers<T> {
        ListMembers::of("/Managers/@odata.id")
    }

    fn of(pointer: &'static str) -> ListMembers<T> {
        let chain = Chain::new(Exchange(Request::get(&root())), move |received| {
            let answer = received?.success()?;
            let root: Value = answer.json()?;
            let Some(link) = link_at(&root, pointer) else {
                return Chain::done(Resources::default().listed(None));
            };
            Chain::next(ReadPages::new(answer.resolve(link)?, Resources::default()), |(members, failure)| {
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
