//! The configuration: `cofferdam.toml`, overridden by flags.

mod check;
mod check_names;
mod check_tls;
mod entries;
// Its macro describes the keys of the next one, too.
#[macro_use]
mod keys;
mod page_keys;
mod place;
mod reference;
mod value;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base::kv::ITEM_SIZE_MAX;

pub(crate) use entries::{
    ClientCertificate, JudgeMode, MailTls, NodeRole, Publish, StatusGateway, TlsListener,
};
pub(crate) use keys::{Change, Config, Fleet, Listen, STATUS, TENANT_CONSOLE};
pub(crate) use page_keys::Gate;
use place::{line_of, line_of_first_named, refuse_decimal_mode};
pub(crate) use reference::{default_file, reference_page};
pub(crate) use value::{Addr, Auto, Place, Size, Span, Switch, Word};

use crate::failure::Failure;
use crate::machine;

/// The least item size that may be configured, in bytes.
pub(crate) const ITEM_SIZE_MIN: u64 = 1024;

/// What the flags say; it goes before the file, on a reload too.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) log_format: Option<crate::logging::LogFormat>,
    pub(crate) admin: Option<Switch<Addr>>,
    pub(crate) status: Option<Switch<Addr>>,
    pub(crate) tenant_console: Option<Switch<Addr>>,
    pub(crate) memcache: Option<Switch<Addr>>,
    pub(crate) memcache_auth: Option<Addr>,
    pub(crate) unix: Option<PathBuf>,
    pub(crate) nbd: Option<Switch<Addr>>,
    pub(crate) nbd_unix: Option<PathBuf>,
    pub(crate) memory: Option<Auto<Size>>,
    pub(crate) item_size: Option<Size>,
    pub(crate) max_connections: Option<Auto<u32>>,
    pub(crate) threads: Option<Auto<u16>>,
    pub(crate) judge: Option<JudgeMode>,
}

impl Config {
    /// Reads and checks `file`; with none, the first file that exists in the usual places, if any.
    pub(crate) fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self, Failure> {
        let file = file.map(Path::to_owned).or_else(machine::config_file);
        let mut config = match &file {
            Some(file) => Self::read(file)?,
            None => Self::default(),
        };
        config.apply(overrides);
        config.check().map_err(Failure::new)?;
        Ok(config)
    }

    /// Reads and checks `file` alone.
    fn read(file: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(file).map_err(|e| {
            let remedy = match e.kind() {
                io::ErrorKind::NotFound => ": give an existing file with --config, or none",
                _ => "",
            };
            Failure::new(format!(
                "cannot read configuration {}: {e}{remedy}",
                file.display()
            ))
        })?;
        let place = file.display();
        let config = Self::parse(&text).map_err(|e| Failure::new(format!("{place}{e}")))?;
        let checked = config.check();
        checked.map_err(|e| in_file(file, &text, &e))?;
        Ok(config)
    }

    /// Reads the text of a configuration; an error begins with `:LINE: `.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let config = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(1, |span| line_of(text, span.start));
            let message = e.message().trim().replace('\n', ", ");
            format!(":{line}: {}{message}", key_unless_in(&message, text, line))
        })?;
        refuse_decimal_mode(text)?;
        Ok(config)
    }

    fn apply(&mut self, flags: &Overrides) {
        fn set<T: Clone>(key: &mut T, flag: &Option<T>) {
            if let Some(value) = flag {
                *key = value.clone();
            }
        }
        set(&mut self.log_format, &flags.log_format);
        set(&mut self.memory, &flags.memory);
        set(&mut self.item_size, &flags.item_size);
        set(&mut self.threads, &flags.threads);
        set(&mut self.judge.mode, &flags.judge);
        set(&mut self.listen.memcache, &flags.memcache);
        set(&mut self.listen.memcache_auth, &flags.memcache_auth);
        set(&mut self.listen.nbd, &flags.nbd);
        set(&mut self.listen.admin, &flags.admin);
        set(&mut self.listen.status, &flags.status);
        set(&mut self.listen.tenant_console, &flags.tenant_console);
        set(&mut self.limits.max_connections, &flags.max_connections);
        if flags.data_dir.is_some() {
            self.data_dir.clone_from(&flags.data_dir);
        }
        if flags.unix.is_some() {
            self.listen.unix.clone_from(&flags.unix);
        }
        if flags.nbd_unix.is_some() {
            self.listen.nbd_unix.clone_from(&flags.nbd_unix);
        }
    }

    /// Where `cluster join` puts this member's certificate, unless it is told otherwise.
    pub(crate) fn own_certificates(&self) -> PathBuf {
        self.data_dir().join("fleet")
    }

    /// The folder of state, admin socket and token.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(machine::data_dir)
    }

    /// Memory for all caches, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        match self.memory {
            Auto::Is(memory) => memory.bytes(),
            Auto::Auto => machine::default_cache_bytes(),
        }
    }

    /// The largest value of `default` and of tenants without a size of their own, in bytes.
    pub(crate) fn item_size_bytes(&self) -> u32 {
        u32::try_from(self.item_size.bytes()).unwrap_or(ITEM_SIZE_MAX)
    }
}

/// What is wrong in `file`, which holds `text`, with the line of the key that `message` begins with.
pub(crate) fn in_file(file: &Path, text: &str, message: &str) -> Failure {
    let line = line_of_first_named(text, message);
    let line = line.map_or_else(String::new, |line| format!("{line}:"));
    Failure::new(format!("{}:{line} {message}", file.display()))
}

/// The key that stands at the beginning of a line, as the beginning of a message that lacks it.
fn key_unless_in(message: &str, text: &str, line: usize) -> String {
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let key = line.split_once('=').map_or("", |(key, _)| key.trim());
    match key.is_empty() || message.contains(key) {
        true => String::new(),
        false => format!("{key}: "),
    }
}

#[cfg(test)]
#[path = "config_test.rs"]
mod tests;
