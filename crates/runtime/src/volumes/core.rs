//! What a volume's lock is held for: the engine, and whose its operations are.

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;

use base::Timestamp;
use nbd_proto::Errno;
use slab::Slab;
use volume::{Buffer, BulkDraft, Command, Device, IoError, ObjectName, Refused, Reply, Sealed};

use super::request::{Outcome, Part, PartKind};

/// Operators' operations are numbered from here on, where no client's ever are.
const OPERATORS_FROM: u64 = 1 << 62;

/// What the lock is held for.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) device: Device,
    pub(super) parts: Slab<Part>,
    /// How often there was room again.
    pub(super) rooms: u64,
    /// Commands that workers have and that are not answered.
    pub(super) handed_out: usize,
    /// How many wait until all is packed.
    pub(super) settling: usize,
    /// Who waits for what an operator asked for, and the last number of such.
    pub(super) operators: BTreeMap<u64, Sender<Result<(), &'static str>>>,
    pub(super) last_operator: u64,
    pub(super) damaged: Vec<ObjectName>,
    pub(super) stopped: Option<volume::Stage>,
}

/// How a command ended.
pub(super) enum Ended {
    Done(u64, Result<Buffer, IoError>),
    Sealed(u64, Sealed),
}

impl Core {
    /// Over a volume that has just been attached.
    pub(super) fn new(device: Device) -> Self {
        Self {
            device,
            parts: Slab::new(),
            rooms: 0,
            handed_out: 0,
            settling: 0,
            operators: BTreeMap::new(),
            last_operator: OPERATORS_FROM,
            damaged: Vec::new(),
            stopped: None,
        }
    }

    /// Whether packing is waited for, or soon will be.
    pub(super) fn is_pressed(&self) -> bool {
        self.settling > 0 || self.device.engine.is_pressed()
    }

    /// Begins a part; gives it back with the reason if it cannot be.
    pub(super) fn begin(&mut self, part: Part, data: &[u8]) -> Result<(), (Part, Refused)> {
        let (kind, offset, len) = (part.kind, part.offset, part.len);
        let fua = part.fua;
        let key = self.parts.insert(part);
        let id = key as u64;
        let device = &mut self.device;
        let begun = match kind {
            PartKind::Read => device.read(id, offset, len),
            PartKind::Write => device.write(id, offset, data, fua),
            PartKind::Zero => device.zero(id, offset, u64::from(len), fua),
            PartKind::Flush => device.flush(id),
        };
        begun.map_err(|refused| (self.parts.remove(key), refused))
    }

    /// Hands in a part that is stored already; gives it back with the reason if it cannot be.
    pub(super) fn begin_bulk(
        &mut self,
        part: Part,
        draft: BulkDraft,
    ) -> Result<(), (Part, Refused)> {
        let fua = part.fua;
        let key = self.parts.insert(part);
        let begun = self.device.write_bulk(key as u64, draft, fua);
        begun.map_err(|refused| (self.parts.remove(key), refused))
    }

    /// Takes what there is to do and to answer; says whether the journal has room again.
    pub(super) fn collect(
        &mut self,
        commands: &mut Vec<Command>,
        answers: &mut Vec<(Part, Outcome)>,
    ) -> bool {
        let mut has_room = false;
        loop {
            while let Some(reply) = self.device.poll_reply() {
                has_room |= self.take_reply(reply, answers);
            }
            let before = commands.len();
            while let Some(command) = self.device.engine.poll_command() {
                commands.push(command);
            }
            if commands.len() == before {
                return has_room;
            }
        }
    }

    fn take_reply(&mut self, reply: Reply, answers: &mut Vec<(Part, Outcome)>) -> bool {
        let (id, outcome) = match reply {
            Reply::Done(id) => (id, Outcome::Done),
            Reply::Read(id, data) => (id, Outcome::Data(data)),
            Reply::Failed(id, stage) => (id, Outcome::Failed(Errno::Io, failed_in(stage))),
            Reply::Refused(id, refused) => {
                let (errno, why) = told(refused);
                (id, Outcome::Failed(errno, why))
            }
            Reply::Room => {
                self.rooms += 1;
                return true;
            }
            Reply::Damaged(name) => {
                tracing::error!(object = %name, "an object is damaged or gone: what is in it cannot be read");
                self.damaged.push(name);
                return false;
            }
            Reply::Lost(block) => {
                tracing::error!(
                    block,
                    "the journal was damaged where it had this block: it cannot be read until it is written again"
                );
                return false;
            }
            Reply::Stopped(stage) => {
                tracing::error!(
                    stage = failed_in(stage),
                    "the volume has stopped: detach and attach it again"
                );
                self.stopped = Some(stage);
                return true;
            }
        };
        if let Some(operator) = self.operators.remove(&id) {
            let result = match outcome {
                Outcome::Failed(_, why) => Err(why),
                _ => Ok(()),
            };
            // Who does not wait any more has given up.
            let _ = operator.send(result);
            return false;
        }
        let key = usize::try_from(id).unwrap_or(usize::MAX);
        if let Some(part) = self.parts.try_remove(key) {
            answers.push((part, outcome));
        }
        false
    }

    pub(super) fn complete(&mut self, now: Timestamp, ended: impl IntoIterator<Item = Ended>) {
        for ended in ended {
            match ended {
                Ended::Done(token, result) => {
                    self.device.engine.handle_completion(now, token, result);
                }
                Ended::Sealed(token, sealed) => self.device.engine.handle_sealed(token, sealed),
            }
        }
    }
}

/// A refusal in the protocol's numbers, and words for people.
pub(super) fn told(refused: Refused) -> (Errno, &'static str) {
    match refused {
        Refused::NoSpace | Refused::Full => (Errno::NoSpc, "the disk of the object store is full"),
        Refused::Range => (Errno::Inval, "beyond the end"),
        Refused::Exists => (Errno::Inval, "there is one already"),
        Refused::Unknown => (Errno::Inval, "there is none"),
        Refused::Data => (Errno::Inval, "there is data in what would be cut off"),
        Refused::Stopped(stage) => (Errno::Io, failed_in(stage)),
    }
}

fn failed_in(stage: volume::Stage) -> &'static str {
    match stage {
        volume::Stage::JournalWrite => "the journal could not be written",
        volume::Stage::JournalSync => "the journal could not be made durable",
        volume::Stage::JournalRead => "the journal could not be read",
        volume::Stage::Put => "an object could not be stored",
        volume::Stage::Get => "an object could not be read",
    }
}
