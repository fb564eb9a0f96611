//! Giving way to a successor: the running server's side of `cofferdam upgrade`.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use base::Timestamp;
use base::fleet::Epoch;
use runtime::Clock;
use runtime::http::Gate;
use runtime::net::handover::{Handover, NamedSocket, Word};
use runtime::net::tls::TlsServer;
use runtime::state::State;
use sd_notify::NotifyState;

use crate::control::Control;
use crate::failure::Failure;
use crate::inherited::{ADMIN, ADMIN_UNIX, TICKETS};
use crate::membership::Membership;
use crate::status::StatusPage;
use crate::tenant_console::TenantConsole;
use crate::up::TAKEOVER_VARIABLE;

/// How long a successor may take until it serves.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a silent successor is listened to before it is listened to again.
const LISTENING_PATIENCE: Duration = Duration::from_secs(60);
/// How long this process may take to listen no more.
const GIVING_WAY_PATIENCE: Duration = Duration::from_secs(5);
/// How long the lock of a successor that was ended may take to come back.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
const LOCK_RETRY: Duration = Duration::from_millis(20);
/// What the system appends to the path of a program that was replaced.
const REPLACED: &str = " (deleted)";

/// Starts a successor and hands over to it, or goes on as if nothing had been.
pub(crate) struct Upgrader {
    control: Arc<Control>,
    gate: Arc<Gate>,
    data_dir: PathBuf,
    clock: Clock,
    /// Listeners for clients, until they are given up.
    sockets: Mutex<Vec<NamedSocket>>,
    /// The status page, whose files the successor takes over.
    page: Option<Arc<StatusPage>>,
    /// The tenants' console, which asks of the state.
    tenant_console: Option<Arc<TenantConsole>>,
    /// Whose session tickets a successor is to know.
    tickets_of: Option<Arc<TlsServer>>,
    /// The member of a fleet as which the successor is to go on.
    member: Option<Arc<Membership>>,
    /// To the successor that serves, and the version of the ring that it was told of last.
    told: Mutex<Option<(Arc<Handover>, Option<Epoch>)>>,
    is_handed_over: AtomicBool,
    /// Whether this process lets nobody in any more.
    has_given_way: Mutex<bool>,
    gave_way: Condvar,
}

impl Upgrader {
    pub(crate) fn new(
        control: Arc<Control>,
        gate: Arc<Gate>,
        data_dir: PathBuf,
        clock: Clock,
        sockets: Vec<NamedSocket>,
        page: Option<Arc<StatusPage>>,
    ) -> Self {
        Self {
            control,
            gate,
            data_dir,
            clock,
            sockets: Mutex::new(sockets),
            page,
            tenant_console: None,
            tickets_of: None,
            member: None,
            told: Mutex::new(None),
            is_handed_over: AtomicBool::new(false),
            has_given_way: Mutex::new(false),
            gave_way: Condvar::new(),
        }
    }

    /// Has it hand over the keys of this server's session tickets as well.
    pub(crate) fn with_tickets(mut self, of: Option<Arc<TlsServer>>) -> Self {
        self.tickets_of = of;
        self
    }

    /// Has it hand over this console as well.
    pub(crate) fn with_tenant_console(mut self, console: Option<Arc<TenantConsole>>) -> Self {
        self.tenant_console = console;
        self
    }

    /// Has the successor go on as this member of a fleet.
    pub(crate) fn with_member(mut self, member: Option<Arc<Membership>>) -> Self {
        self.member = member;
        self
    }

    /// Starts `binary`, else the program that this process was started from, with the arguments of
    /// this process, and lets it take over. Tells its number.
    pub(crate) fn upgrade(&self, binary: Option<&Path>) -> Result<u32, Failure> {
        let sockets = self
            .sockets
            .try_lock()
            .map_err(|_| Failure::new("an upgrade is under way: wait for its end"))?;
        if self.is_handed_over() || sockets.is_empty() {
            return Err(Failure::new(
                "this process has handed over or stops already: ask the one that runs now",
            ));
        }
        if let Some(member) = &self.member
            && member.sight().trouble.is_some()
        {
            return Err(Failure::new(
                "the fleet's store does not answer, so a successor would serve nothing at first: \
                 upgrade when it is back",
            ));
        }
        let deadline = self.clock.now() + PATIENCE;
        let binary = match binary {
            Some(binary) => binary.to_owned(),
            None => own_binary()?,
        };
        let (channel, theirs) = Handover::pair()?;
        let mut successor = start(&binary, env::args_os().skip(1), Stdio::from(theirs))?;
        tracing::info!(pid = successor.id(), binary = %binary.display(), "upgrade begins");
        let prepared = self
            .send_sockets(&channel, &sockets)
            .and_then(|()| self.await_word(&channel, &Word::Prepared, deadline));
        if let Err(failure) = prepared {
            return Err(given_up(&mut successor, &failure));
        }
        // From here to the end nobody is let into the admin API: who comes waits for the successor.
        self.gate.close();
        if let Some(page) = &self.page {
            page.pause();
        }
        if let Some(console) = &self.tenant_console {
            console.pause();
        }
        if let Some(member) = &self.member {
            member.fall_silent();
        }
        let ended = self.control.release_state();
        let ready = channel
            .say(&Word::StateFree(ended))
            .map_err(Failure::from)
            .and_then(|()| self.await_word(&channel, &Word::Ready, deadline));
        if let Err(failure) = ready {
            let failure = given_up(&mut successor, &failure);
            self.resume();
            return Err(failure);
        }
        let pid = successor.id();
        self.gate.leave_file();
        self.keep(channel);
        self.is_handed_over.store(true, Ordering::Release);
        // Without a service manager there is nobody to tell.
        let _ = sd_notify::notify(&[NotifyState::MainPid(pid)]);
        tracing::info!(pid, "handed over; this process lets its connections go");
        drop(sockets);
        self.await_giving_way();
        Ok(pid)
    }

    /// Tells the successor, and whoever asked for it, that this process lets nobody in any more.
    pub(crate) fn tell_given_way(&self) {
        if let Some((channel, _)) = &*self.told() {
            // One that has ended need not hear it.
            let _ = channel.say(&Word::GivenWay);
        }
        *self.given_way() = true;
        self.gave_way.notify_all();
    }

    /// Tells the successor by which ring this process goes, if that is news: as one member they know what
    /// both know.
    pub(crate) fn tell_known(&self) {
        let Some(member) = &self.member else {
            return;
        };
        let mut told = self.told();
        let known = member.known();
        let (Some((channel, last)), Some(version)) = (&mut *told, known) else {
            return;
        };
        // One that has ended need not hear it.
        if *last != known && channel.say(&Word::Knows(version.0)).is_ok() {
            *last = known;
        }
    }

    fn keep(&self, channel: Handover) {
        let channel = Arc::new(channel);
        *self.told() = Some((Arc::clone(&channel), None));
        if let Err(error) = self.listen(channel) {
            tracing::warn!(%error, "what the successor revokes does not end connections here");
        }
    }

    /// Ends connections here whose credentials the successor ends: nobody else hears of that.
    fn listen(&self, channel: Arc<Handover>) -> std::io::Result<()> {
        let control = Arc::clone(&self.control);
        let hearing = move || {
            loop {
                match channel.hear(LISTENING_PATIENCE) {
                    Ok((Word::Ended(ended), _)) => control.end(&ended),
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::TimedOut => {}
                    // It has ended, and whoever comes next takes the state as it is.
                    Err(_) => break,
                }
            }
        };
        // It ends with this process, or with the successor.
        let thread = thread::Builder::new().name("successor".into());
        thread.spawn(hearing).map(drop)
    }

    /// Whoever comes after the answer comes to the successor, and finds what that knows.
    fn await_giving_way(&self) {
        let given_way = self.given_way();
        // One who waits in vain is told nothing wrong: the successor serves.
        let _ = self
            .gave_way
            .wait_timeout_while(given_way, GIVING_WAY_PATIENCE, |has_given_way| {
                !*has_given_way
            });
    }

    fn told(&self) -> MutexGuard<'_, Option<(Arc<Handover>, Option<Epoch>)>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn given_way(&self) -> MutexGuard<'_, bool> {
        let given_way = self.has_given_way.lock();
        given_way.unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a successor serves.
    pub(crate) fn is_handed_over(&self) -> bool {
        self.is_handed_over.load(Ordering::Acquire)
    }

    /// Gives up the listeners that are held for a successor: a socket that is held would go on
    /// taking connections in that nobody answers.
    pub(crate) fn let_go_of_sockets(&self) {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.clear();
    }

    fn send_sockets(&self, channel: &Handover, sockets: &[NamedSocket]) -> Result<(), Failure> {
        let (unix, tcp) = self.gate.sockets();
        let mut all: Vec<(&str, BorrowedFd<'_>)> = sockets
            .iter()
            .map(|(name, socket)| (name.as_str(), socket.as_fd()))
            .collect();
        all.push((ADMIN_UNIX, unix));
        all.extend(tcp.map(|tcp| (ADMIN, tcp)));
        let tickets = self.tickets_of.as_ref().map(|tls| tls.hand_over_tickets());
        let tickets = tickets.transpose().unwrap_or_else(|error| {
            tracing::warn!(%error, "session tickets are not handed over");
            None
        });
        all.extend(tickets.as_ref().map(|keys| (TICKETS, keys.as_fd())));
        Ok(channel.send_sockets(&all)?)
    }

    fn await_word(
        &self,
        channel: &Handover,
        wanted: &Word,
        deadline: Timestamp,
    ) -> Result<(), Failure> {
        match channel.hear(deadline.since(self.clock.now())) {
            Ok((word, _)) if word == *wanted => Ok(()),
            Ok((Word::Failed(reason), _)) => Err(Failure::new(reason)),
            Ok((word, _)) => Err(Failure::new(format!("it said {word:?} out of turn"))),
            Err(error) => Err(Failure::new(match error.kind() {
                ErrorKind::TimedOut => {
                    format!("it was not ready within {} s", PATIENCE.as_secs())
                }
                ErrorKind::UnexpectedEof => "it ended".to_owned(),
                _ => error.to_string(),
            })),
        }
    }

    /// Takes the state back, and lets people into the admin API again.
    fn resume(&self) {
        let deadline = self.clock.now() + LOCK_PATIENCE;
        let state = loop {
            match State::open(&self.data_dir) {
                Err(_) if self.clock.now() < deadline => thread::park_timeout(LOCK_RETRY),
                result => break result,
            }
        };
        match state {
            Ok(state) => self.control.resume_with(state),
            // Clients are served all the same; only changes are not possible.
            Err(error) => tracing::error!(%error, "the state did not come back: restart"),
        }
        if let Some(member) = &self.member {
            member.speak_again();
        }
        if let Some(page) = &self.page
            && let Err(error) = page.start(&self.data_dir)
        {
            tracing::error!(%error, "the status page did not come back: restart");
        }
        if let Some(console) = &self.tenant_console
            && let Err(error) = console.start()
        {
            tracing::error!(%error, "the tenants' console did not come back: restart");
        }
        self.gate.open();
    }
}

/// The program that this process was started from, or what stands in its place now.
fn own_binary() -> Result<PathBuf, Failure> {
    let path = env::current_exe()
        .map_err(|error| Failure::new(format!("{error}: give the program with --binary")))?;
    let text = path.to_string_lossy();
    Ok(match text.strip_suffix(REPLACED) {
        Some(replaced) => PathBuf::from(replaced),
        None => path,
    })
}

fn start(
    binary: &Path,
    args: impl Iterator<Item = OsString>,
    channel: Stdio,
) -> Result<Child, Failure> {
    Command::new(binary)
        .args(args)
        .stdin(channel)
        .env(TAKEOVER_VARIABLE, "1")
        // What the service manager told this very process.
        .env_remove("LISTEN_PID")
        .env_remove("LISTEN_FDS")
        .env_remove("LISTEN_FDNAMES")
        .env_remove("WATCHDOG_PID")
        .spawn()
        .map_err(|error| {
            Failure::new(format!(
                "cannot start {}: {error}: give the program with --binary",
                binary.display()
            ))
        })
}

/// Ends a successor that does not do, and says so.
fn given_up(successor: &mut Child, reason: &Failure) -> Failure {
    // It may have ended already.
    let _ = successor.kill();
    let _ = successor.wait();
    tracing::error!(%reason, "upgrade given up; this process goes on");
    Failure::new(format!(
        "the new process did not take over: {reason}; the old one goes on as before"
    ))
}

#[cfg(test)]
#[path = "upgrade_test.rs"]
mod tests;
