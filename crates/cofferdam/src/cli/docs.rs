//! `cofferdam completions` and `cofferdam man`.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Cli;
use super::output;
use crate::failure::Failure;

pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cofferdam", &mut script);
    output::bytes(&script)
}

/// Prints the page of the whole, or writes one for each command into `dir`.
pub(crate) fn man(dir: Option<&Path>) -> Result<(), Failure> {
    if let Some(dir) = dir {
        if !dir.is_dir() {
            return Err(Failure::new(format!(
                "{} is not an existing folder: create it, or choose another",
                dir.display()
            )));
        }
        let file = dir.join("cofferdam.1");
        let failed = |e: io::Error| {
            let place = dir.display();
            Failure::new(format!("cannot write manual pages to {place}: {e}"))
        };
        clap_mangen::generate_to(Cli::command(), dir).map_err(failed)?;
        return fs::write(file, page()?).map_err(failed);
    }
    output::bytes(&page()?)
}

/// The page of the whole: what follows from the flags, and what does not.
fn page() -> Result<Vec<u8>, Failure> {
    let man = Man::new(Cli::command());
    let mut page = Vec::new();
    let written = man
        .render_title(&mut page)
        .and_then(|()| man.render_name_section(&mut page))
        .and_then(|()| page.write_all(SYNOPSIS.as_bytes()))
        .and_then(|()| man.render_description_section(&mut page))
        .and_then(|()| man.render_options_section(&mut page))
        .and_then(|()| man.render_subcommands_section(&mut page))
        .and_then(|()| page.write_all(SECTIONS.as_bytes()))
        .and_then(|()| man.render_version_section(&mut page));
    written.map_err(Failure::output)?;
    Ok(page)
}

const SYNOPSIS: &str = r"
.SH SYNOPSIS
\fBcofferdam\fR [\fIOPTIONS\fR] \fICOMMAND\fR [\fIARGUMENTS\fR]
";

const SECTIONS: &str = r#"
.SH FILES
.TP
\fI$XDG_CONFIG_HOME/cofferdam/cofferdam.toml\fR, \fI/etc/cofferdam/cofferdam.toml\fR
The configuration; the first that exists is read. Without the variable, \fI~/.config\fR.
.TP
\fI$XDG_STATE_HOME/cofferdam/\fR
The data folder; without the variable \fI~/.local/state\fR, and \fI/var/lib/cofferdam\fR for a user
without a home.
.TP
\fIstate.db\fR, \fIadmin.sock\fR, \fIadmin.token\fR, \fIlock\fR, \fIevents.jsonl\fR, \fIhistory/\fR
In the data folder: tenants and credentials, the admin API and its token, what keeps a second process
out, what happened, and figures over time.
.SH ENVIRONMENT
.TP
\fBCOFFERDAM_ADMIN_TOKEN\fR
The token for the admin API over TCP, where admin.token is not at hand.
.TP
\fBXDG_CONFIG_HOME\fR, \fBXDG_STATE_HOME\fR, \fBHOME\fR
Where configuration and data folder are, unless flags say so.
.SH EXIT STATUS
.TP
\fB0\fR
Done.
.TP
\fB1\fR
Failed: a line on standard error names the thing, the value and the remedy.
.TP
\fB2\fR
Wrong usage.
"#;

#[cfg(test)]
#[path = "docs_test.rs"]
mod tests;
