//! Reading what several links lead to.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Event, Walk};
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::resource::Resource;
use crate::service::Service;
use crate::target::Target;
use crate::view::{Decode, Link, View};

/// The resources that links lead to, in the order of the links, while a [`Walk`] reads them. Resources that the service wrote
/// in the place of their links are not requested.
pub struct LinkedResources<T> {
    results: Vec<Option<Result<Resource<T>, Error>>>,
    /// The results that each resource of the walk is for, and their targets, which may be parts of it.
    positions: Vec<Vec<(usize, Target)>>,
    targets: Vec<Target>,
}

impl<T: View + Decode + Clone> LinkedResources<T> {
    /// Prepares the reading of these links.
    pub fn new<'a>(links: impl IntoIterator<Item = &'a Link<T>>) -> LinkedResources<T>
    where
        T: 'a,
    {
        let mut all = LinkedResources { results: Vec::new(), positions: Vec::new(), targets: Vec::new() };
        let mut known = HashMap::<Target, usize>::new();
        for link in links {
            let position = all.results.len();
            all.results.push(match link.target() {
                Err(error) => Some(Err(error)),
                Ok(target) => match link.expanded() {
                    Some(resource) => Some(Ok(Resource::new(resource, target, None, link.json().bytes()))),
                    None => {
                        let whole = target.without_fragment();
                        let index = *known.entry(whole.clone()).or_insert_with(|| {
                            all.targets.push(whole);
                            all.positions.push(Vec::new());
                            all.targets.len() - 1
                        });
                        if let Some(positions) = all.positions.get_mut(index) {
                            positions.push((position, target));
                        }
                        None
                    }
                },
            });
        }
        all
    }

    /// The walk that reads them; `None` if nothing has to be requested.
    pub fn walk(&self, service: &Arc<Service>) -> Option<Walk> {
        (!self.targets.is_empty()).then(|| Walk::resources(Arc::clone(service), self.targets.clone()))
    }

    /// Takes an event of the walk.
    pub fn receive(&mut self, event: Event) {
        let number = match &event {
            Event::Resource(found) => found.number(),
            Event::Unread(unread) => unread.number,
            _ => return,
        };
        for (position, target) in self.positions.get(number).into_iter().flatten() {
            let result = match &event {
                Event::Resource(found) => found.read_as(target),
                Event::Unread(unread) => Err(unread.error.clone()),
                _ => continue,
            };
            if let Some(entry) = self.results.get_mut(*position) {
                *entry = Some(result);
            }
        }
    }

    /// The results, one for each link. What has not arrived has failed with the error that ended the walk.
    pub fn finish(self, end: Option<Error>) -> Vec<Result<Resource<T>, Error>> {
        let missing = end.unwrap_or_else(|| Error::new(ErrorKind::Closed));
        self.results.into_iter().map(|result| result.unwrap_or_else(|| Err(missing.clone()))).collect()
    }
}
