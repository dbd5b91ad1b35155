//! The members of a collection, read page by page.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;
use redfish_proto::Error;
use redfish_proto::ops::{GetPage, Member, Page};

use crate::client::Client;

type PageFuture = Pin<Box<dyn Future<Output = Result<Page, Error>> + Send>>;

/// The members of a collection, as a stream. Each page is read when the previous one is used up. An error ends the stream.
pub struct Members {
    client: Client,
    page: vec::IntoIter<Member>,
    next: Result<Option<GetPage>, Error>,
    pending: Option<PageFuture>,
}

impl Members {
    pub(crate) fn new(client: Client, first: GetPage) -> Members {
        Members { client, page: Vec::new().into_iter(), next: Ok(Some(first)), pending: None }
    }

    /// Returns the next member; `None` at the end. Cancel safe: the next call continues to read the page.
    pub async fn next(&mut self) -> Option<Result<Member, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for Members {
    type Item = Result<Member, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(member) = self.page.next() {
                return Poll::Ready(Some(Ok(member)));
            }
            if let Some(pending) = &mut self.pending {
                let page = ready!(pending.as_mut().poll(context));
                self.pending = None;
                match page {
                    Ok(Page { members, next, .. }) => {
                        self.page = members.into_iter();
                        self.next = next;
                    }
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
                continue;
            }
            let next = match std::mem::replace(&mut self.next, Ok(None)) {
                Ok(Some(next)) => next,
                Ok(None) => return Poll::Ready(None),
                Err(error) => return Poll::Ready(Some(Err(error))),
            };
            let client = self.client.clone();
            self.pending = Some(Box::pin(async move { client.run(next).await }));
        }
    }
}
