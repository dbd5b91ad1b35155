//! Creates an account, changes it and deletes it, and lists all accounts in between: `cargo run --example accounts`, with
//! `REDFISH_SERVICE`, `REDFISH_USER` and `REDFISH_PASSWORD` in the environment, and `NEW_PASSWORD` for the account.

use std::env::var;
use std::time::Duration;

use redfish_ureq::proto::view::Link;
use redfish_ureq::schema::ManagerAccountCollection;
use redfish_ureq::schema::manager_account::{ManagerAccount, ManagerAccountCreate, ManagerAccountPatch};
use redfish_ureq::{Client, Credentials, Error, Service};

const LATEST: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder(Service::new(&var("REDFISH_SERVICE")?)?)
        .login(Credentials::new(var("REDFISH_USER")?, var("REDFISH_PASSWORD")?))
        .build()?;
    client.scoped(|client| accounts(&client))
}

fn list(client: &Client, accounts: &Link<ManagerAccountCollection>) -> Result<(), Error> {
    for account in client.fetch_members(accounts) {
        let account = account?;
        let is_enabled = account.enabled().unwrap_or_default();
        println!(
            "{:16} {:16} {is_enabled}",
            account.user_name().unwrap_or_default(),
            account.role_id().unwrap_or_default()
        );
    }
    Ok(())
}

fn accounts(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
    let service = client.root()?.account_service().ok_or("the service has no accounts")?;
    let accounts = client.follow(&service)?.accounts().ok_or("the service does not list its accounts")?;
    let password = var("NEW_PASSWORD")?;
    let outcome = client.create(&accounts, ManagerAccountCreate::new("probe", "Operator", password))?;
    let created = client.finish(outcome, LATEST)?.created.ok_or("the URI of the account is not known")?;
    list(client, &accounts)?;
    let account = client.read::<ManagerAccount>(created.as_str())?;
    let outcome = client.update(&account, ManagerAccountPatch::new().role_id("ReadOnly"))?;
    client.finish(outcome, LATEST)?;
    list(client, &accounts)?;
    let outcome = client.delete(created.as_str())?;
    client.finish(outcome, LATEST)?;
    Ok(list(client, &accounts)?)
}
