//! `get`: reads resources.

use clap::Args;
use redfish_proto::ops::Raw;

use super::failures::Failures;
use crate::failure::Failure;
use crate::visit::{Job, Visit};

/// The resources.
#[derive(Args)]
pub(crate) struct Get {
    /// Paths such as /redfish/v1/Systems, or URLs of this service
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
}

impl Job for Get {
    fn paths(&self) -> Vec<&str> {
        self.paths.iter().map(String::as_str).collect()
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        if self.paths.len() > 1 {
            visit.sink.expect_list(self.paths.len());
        }
        let mut failures = Failures::default();
        for path in &self.paths {
            if !failures.allow_more(visit).await {
                break;
            }
            if let Err(failure) = print(visit, path).await {
                failures.add(failure, visit);
                visit.sink.skip();
            }
        }
        failures.into_result()
    }
}

/// Reads and prints a resource.
async fn print(visit: &mut Visit, path: &str) -> Result<(), Failure> {
    let target = visit.service().target(path)?;
    let answer = visit.run(|| Raw::get(&target)).await?;
    visit.sink.document(answer.body()).await
}
