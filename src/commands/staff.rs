//! Commands for the people of a shop.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::Context as _;

use super::open::{known_site, open};
use crate::{
    accounts::{AccountError, Accounts, Credentials},
    app::database,
    archive::Archive,
    config::Config,
    domain::Role,
    limits::Limits,
};

/// People of one page.
const LISTED: u32 = 500;

/// `create`: a database that is not there is made.
///
/// # Errors
/// If the archive cannot be opened, or the account cannot be created.
pub async fn create_staff(
    config: &Config,
    role: Role,
    site: &str,
    email: &str,
    name: Option<String>,
    create: bool,
) -> anyhow::Result<()> {
    let archive = open(config, create).await?;
    let site = known_site(&archive, site).await?;
    let password = read_password()?;
    let accounts = accounts(archive, config)?;
    let credentials = Credentials { email: email.to_owned(), password };
    match accounts.create_staff(&site, role, credentials, name).await {
        Ok(id) => println!("created {} {id} of site {site} in {}", role.as_str(), database(config)),
        Err(AccountError::Invalid(fields)) => {
            let faults = fields.into_iter().map(|f| format!("{}: {}", f.field, f.detail));
            anyhow::bail!(faults.collect::<Vec<_>>().join("; "));
        }
        Err(AccountError::Taken) => anyhow::bail!(
            "`{email}` already has an account at site `{site}`: sign in with it, or give another --email"
        ),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Prints a one-time link with which the account of an address sets a new password.
pub async fn reset_password(config: &Config, site: &str, email: &str) -> anyhow::Result<()> {
    let archive = open(config, false).await?;
    let site = known_site(&archive, site).await?;
    let roles = [Role::Customer, Role::Agent, Role::Admin];
    match accounts(archive, config)?.create_reset(&site, email, &roles).await {
        Ok(reset) => println!(
            "account {}\nlink    {}\nends    {}\nThe link works once. Give it to this person only.",
            reset.user, reset.link, reset.expires_at
        ),
        Err(AccountError::UnknownAccount) => {
            anyhow::bail!("site `{site}` has no account `{email}` that can sign in with a password")
        }
        Err(AccountError::Invalid(_)) => anyhow::bail!("`{email}` is not an e-mail address"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Signs no token, and counts for this command alone.
fn accounts(archive: Archive, config: &Config) -> anyhow::Result<Accounts> {
    Ok(Accounts::new(archive, Limits::local(&config.limits), config, &[])?)
}

fn read_password() -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprint!("password (8 to 256 characters, will be shown): ");
        std::io::stderr().flush()?;
    }
    let mut line = String::new();
    stdin.lock().read_line(&mut line).context("cannot read the password")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Prints a line for each agent and admin of a site, the oldest first.
///
/// # Errors
/// If the archive cannot be opened.
pub async fn list_staff(config: &Config, site: &str) -> anyhow::Result<()> {
    let archive = open(config, false).await?;
    let site = known_site(&archive, site).await?;
    let mut after = None;
    loop {
        let staff = archive.staff_of(&site, after, LISTED).await?;
        let Some(last) = staff.last() else { return Ok(()) };
        after = Some(last.id);
        for user in staff {
            let email = user.email.unwrap_or_default();
            let name = user.display_name.map(|name| format!(" ({name})")).unwrap_or_default();
            let ended = user.disabled_at.map(|at| format!(" disabled {at}")).unwrap_or_default();
            println!("{} {} {email}{name}{ended}", user.role.as_str(), user.id);
        }
    }
}

/// Disables the account of an agent or admin.
///
/// # Errors
/// If the archive cannot be opened, or there is no such account.
pub async fn disable_staff(config: &Config, site: &str, email: &str) -> anyhow::Result<()> {
    let archive = open(config, false).await?;
    let site = known_site(&archive, site).await?;
    match accounts(archive, config)?.disable(&site, email).await {
        Ok(id) => println!(
            "disabled {id} of site {site}\nA service that runs refuses the tokens of this account, and gives its conversations back to the queue, within seconds."
        ),
        Err(AccountError::UnknownAccount) => {
            anyhow::bail!("site `{site}` has no agent or admin `{email}`")
        }
        Err(AccountError::Invalid(_)) => anyhow::bail!("`{email}` is not an e-mail address"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
