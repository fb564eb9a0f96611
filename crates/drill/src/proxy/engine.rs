//! The thread of one way: carries bytes between connections by what its setting says.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mio::net::{TcpListener as Listener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};

use super::pipe::Pipe;
use super::shaper::Shaper;
use super::{Setting, Shared};
use crate::load::clock;

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);
/// Two tokens for each connection, from here on.
const FIRST: usize = 2;
const SCRATCH_LEN: usize = 16 * 1024;
/// It looks at its setting at least so often.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) struct Engine {
    poll: Poll,
    waker: Arc<Waker>,
    listener: Listener,
    shared: Arc<Shared>,
    ways: HashMap<usize, Way>,
    next: usize,
    shapers: [Shaper; 2],
    scratch: Vec<u8>,
}

/// One connection: the client's side and the server's, and what is between them.
struct Way {
    sides: [TcpStream; 2],
    /// Of each side, whether there may be anything to read, and whether it may take anything.
    may_read: [bool; 2],
    may_write: [bool; 2],
    /// From the client, and back.
    pipes: [Pipe; 2],
}

impl Engine {
    pub(super) fn new(listener: TcpListener, shared: Arc<Shared>, seed: u64) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let mut listener = Listener::from_std(listener);
        let registry = poll.registry();
        registry.register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            waker,
            listener,
            shared,
            ways: HashMap::new(),
            next: FIRST,
            shapers: [Shaper::new(false, seed), Shaper::new(true, !seed)],
            scratch: vec![0; SCRATCH_LEN],
        })
    }

    pub(super) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Until it is to stop, or the system refuses to wait.
    pub(super) fn run(&mut self) {
        let mut events = Events::with_capacity(64);
        while !self.shared.stop.load(Ordering::Acquire) {
            let patience = self.patience();
            match self.poll.poll(&mut events, Some(patience)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept(),
                    WAKER => {}
                    Token(token) => self.note(
                        token,
                        event.is_readable() || event.is_read_closed() || event.is_error(),
                        event.is_writable(),
                    ),
                }
            }
            let setting = self.shared.setting().clone();
            if setting.faults.is_cut {
                self.ways.clear();
            } else if !setting.faults.is_stalled {
                self.carry(&setting);
            }
        }
    }

    /// Until something is due.
    fn patience(&self) -> Duration {
        let now_ns = clock::now_ns();
        let pipes = self.ways.values().flat_map(|way| &way.pipes);
        let due = pipes.filter_map(Pipe::next_due_ns).min();
        let wait = due.map_or(LOOK_EVERY, |due| {
            Duration::from_nanos(due.saturating_sub(now_ns))
        });
        match self.shared.setting().faults.is_stalled {
            true => LOOK_EVERY,
            // What is due and not taken waits for its receiver's event.
            false => wait.clamp(Duration::from_micros(100), LOOK_EVERY),
        }
    }

    fn accept(&mut self) {
        while let Ok((client, _)) = self.listener.accept() {
            let setting = self.shared.setting().clone();
            if setting.faults.is_cut {
                continue;
            }
            // Who cannot be carried on is let go, and connects again.
            let _ = self.open(client, &setting);
        }
    }

    fn open(&mut self, mut client: TcpStream, setting: &Setting) -> io::Result<()> {
        let mut server = TcpStream::connect(setting.target)?;
        let (token, both) = (self.next, Interest::READABLE | Interest::WRITABLE);
        self.next += 2;
        let registry = self.poll.registry();
        for (side, stream) in [&mut client, &mut server].into_iter().enumerate() {
            // Small answers are not to wait for larger ones.
            stream.set_nodelay(true)?;
            registry.register(stream, Token(token + side), both)?;
        }
        self.ways.insert(
            token,
            Way {
                sides: [client, server],
                may_read: [true; 2],
                may_write: [true, false],
                pipes: [Pipe::default(), Pipe::default()],
            },
        );
        Ok(())
    }

    fn note(&mut self, token: usize, is_readable: bool, is_writable: bool) {
        let side = (token - FIRST) % 2;
        if let Some(way) = self.ways.get_mut(&(token - side)) {
            way.may_read[side] |= is_readable;
            way.may_write[side] |= is_writable;
        }
    }

    fn carry(&mut self, setting: &Setting) {
        let now_ns = clock::now_ns();
        let (shapers, scratch) = (&mut self.shapers, &mut self.scratch);
        self.ways.retain(|_, way| {
            let carried = way.carry(now_ns, shapers, scratch, setting);
            carried.is_ok() && !way.pipes.iter().all(|pipe| pipe.is_over)
        });
    }
}

impl Way {
    fn carry(
        &mut self,
        now_ns: u64,
        shapers: &mut [Shaper; 2],
        scratch: &mut [u8],
        setting: &Setting,
    ) -> io::Result<()> {
        for from in [0, 1] {
            let to = 1 - from;
            let (pipe, shaper) = (&mut self.pipes[from], &mut shapers[from]);
            loop {
                if self.may_read[from] && pipe.has_room() {
                    let due = |len| shaper.due_ns(now_ns, len, &setting.faults);
                    self.may_read[from] = pipe.fill(&mut self.sides[from], scratch, due)?;
                }
                if !self.may_write[to] {
                    break;
                }
                let had_room = pipe.has_room();
                self.may_write[to] = !pipe.drain(now_ns, &mut self.sides[to])?;
                // Room that has come may be filled at once.
                if had_room || !pipe.has_room() {
                    break;
                }
            }
            if pipe.is_done() && !pipe.is_over {
                pipe.is_over = true;
                // It may have gone already.
                let _ = self.sides[to].shutdown(Shutdown::Write);
            }
        }
        Ok(())
    }
}
