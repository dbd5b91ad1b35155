//! The systems, chassis and managers of a service.

use crate::operation::{Operation, Request};
use crate::ops::chain::{Chain, Exchange, forward_to};
use crate::ops::follow_links::root;
use crate::ops::read_pages::{Listed, ReadPages, Resources};
use crate::resource::Resource;
use crate::view::{Decode, Json, Link, Member};

/// Reads all members of a collection that the service root links to, as a type: a view, or a type of serde.
///
/// The list is empty if the service root has no such member. A member that is gone when it is read (404) is left out. Any other
/// failure is in the list.
#[derive(Debug)]
pub struct ListMembers<T> {
    chain: Chain<Listed<Resource<T>>>,
}

impl<T: Decode + Send + Sync + 'static> ListMembers<T> {
    /// The computer systems.
    pub fn systems() -> ListMembers<T> {
        ListMembers::of("Systems")
    }

    /// The chassis.
    pub fn chassis() -> ListMembers<T> {
        ListMembers::of("Chassis")
    }

    /// The managers.
    pub fn managers() -> ListMembers<T> {
        ListMembers::of("Managers")
    }

    fn of(member: &'static str) -> ListMembers<T> {
        let chain = Chain::new(Exchange(Request::get(&root())), move |received| {
            let answer = received?.success()?;
            let collection = match answer.decode::<Json>()?.member(member) {
                Member::Absent | Member::Null => return Chain::done(Resources::default().listed(None)),
                Member::Value(link) => {
                    let link: Option<Link<Json>> = link.get_ref().read();
                    link.ok_or_else(|| answer.malformed(&format!("/{member}"), "not a link"))?.target()?
                }
            };
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::driver::{Now, Step};
    use crate::error::Error;
    use crate::identity::Identity;
    use crate::service::Service;

    /// Lists the systems of a service with this root and this collection.
    fn list(root: &'static str, collection: &'static str) -> Result<usize, Error> {
        let service = Arc::new(Service::new("bmc").unwrap());
        let call = service.call(ListMembers::<Json>::systems()).with_identity(Identity::anonymous(&service));
        let mut bodies = [root, collection].into_iter();
        let mut step = call.start(Now::default());
        loop {
            step = match step {
                Step::Send(_, reply) => {
                    let body = bodies.next().expect("two requests at most").into();
                    reply.receive(http::Response::new(()).into_parts().0, Ok(body), Now::default())
                }
                Step::Done(listed) => return listed?.complete().map(|members| members.len()),
                other => panic!("{other:?}"),
            };
        }
    }

    #[test]
    fn a_link_is_read_in_any_form_and_not_taken_for_none() {
        let collection = r#"{"Members": [{"@odata.id": "/s/1", "Id": "1", "Name": "n"}]}"#;
        for (root, expected) in [
            (r#"{"Systems": {"@odata.id": "/s"}}"#, Some(1)),
            (r#"{"Systems": {"href": "/s"}}"#, Some(1)),
            (r#"{"Systems": "/s"}"#, Some(1)),
            (r#"{"Systems": null}"#, Some(0)),
            ("{}", Some(0)),
            (r#"{"Systems": 5}"#, None),
            (r#"{"Systems": {"Name": "Systems"}}"#, None),
            (r#"{"Systems": {"@odata.id": "https://elsewhere/s"}}"#, None),
        ] {
            assert_eq!(list(root, collection).ok(), expected, "{root}");
        }
        let error = list(r#"{"Systems": 5}"#, "").unwrap_err();
        assert!(error.to_string().contains("at /Systems: not a link"), "{error}");
    }
}
