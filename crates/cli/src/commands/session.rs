//! `attune login` and `attune logout`.

use crate::exit::Usage;
use crate::output::print;
use crate::target::{Target, variable};
use anyhow::Context;
use clap::Args;
use std::io::{self, BufRead, IsTerminal, Write};

/// `attune login`.
#[derive(Args, Debug)]
#[command(after_help = "The password is asked for on the terminal, unless it comes from \
    --password-stdin or the environment variable ATTUNE_PASSWORD.")]
pub struct Login {
    /// Login name [default: the profile's, else it is asked for]
    pub login: Option<String>,
    /// Read the password from the first line of stdin
    #[arg(long)]
    pub password_stdin: bool,
}

/// Exchanges a password for tokens and remembers them.
///
/// # Errors
/// When the server refuses, or the tokens cannot be kept.
pub async fn log_in(target: &Target, args: Login) -> anyhow::Result<()> {
    // Where to keep the tokens comes first: a login that cannot be kept need not be asked for.
    let store = target.store()?;
    let client = target.stranger()?;
    let login = match args.login.or_else(|| target.login.clone()) {
        Some(login) => login,
        None => ask_login(args.password_stdin)?,
    };
    let password = password(&login, args.password_stdin)?;
    let tokens = client.log_in(&login, &password).await?;
    store.save(&tokens)?;
    target.remember(&login)?;
    Ok(print(&format!("logged in to {} as {login} (profile {})", client.base(), target.profile))?)
}

/// Forgets the tokens of the profile.
///
/// # Errors
/// When the file with the tokens cannot be written.
pub fn log_out(target: &Target) -> anyhow::Result<()> {
    let text = if target.store()?.remove()? { "logged out" } else { "there was no login" };
    Ok(print(&format!("{text} (profile {})", target.profile))?)
}

fn ask_login(stdin_is_taken: bool) -> anyhow::Result<String> {
    if stdin_is_taken || !io::stdin().is_terminal() {
        return Err(Usage("whose login? Try `attune login LOGIN`".into()).into());
    }
    write!(io::stderr().lock(), "Login: ")?;
    let login = first_line()?;
    if login.is_empty() {
        return Err(Usage("no login name was given".into()).into());
    }
    Ok(login)
}

fn password(login: &str, from_stdin: bool) -> anyhow::Result<String> {
    if from_stdin {
        return first_line().context("cannot read the password from stdin");
    }
    if let Some(password) = variable("ATTUNE_PASSWORD") {
        return Ok(password);
    }
    rpassword::prompt_password(format!("Password of {login}: ")).map_err(|_| {
        let hint = "use --password-stdin or set ATTUNE_PASSWORD";
        Usage(format!("there is no terminal to ask for the password on; {hint}")).into()
    })
}

fn first_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
