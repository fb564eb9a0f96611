//! All volumes of a process: which there are, who uses them, and the threads that serve them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use volume::{Attach, BLOCK_LEN, Config, Device, ReadCache, VolumeId};

use super::attached::Attached;
use super::backing::Disk;
use super::error::VolumeError;
use super::journal::JournalFile;
use super::limits::Limiter;
use super::listener::NbdListener;
use super::objects::Objects;
use super::spec::{Identity, VolumeSpec};
use super::store::ObjectStore;
use super::stream::Stream;
use super::twin;
use super::workers::Workers;
use crate::Clock;
use crate::state::VolumeLimits;

/// How often what failed is looked at.
pub(super) const TICK: Duration = Duration::from_millis(50);
/// How long a volume may take to come to rest.
pub(super) const SETTLE_PATIENCE: Duration = Duration::from_secs(30);
/// How long a journal may be in the hands of another process, which ends.
const LOCK_PATIENCE: Duration = Duration::from_secs(15);
/// All volumes of a data folder.
#[derive(Debug)]
pub struct Volumes {
    pub(super) shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the threads share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) journals: PathBuf,
    pub(super) store: Arc<ObjectStore>,
    /// Of all volumes together.
    pub(super) read_cache: Arc<ReadCache>,
    pub(super) workers: Arc<Workers>,
    pub(super) clock: Clock,
    pub(super) entries: Mutex<BTreeMap<String, Entry>>,
    pub(super) drains: AtomicBool,
    /// A successor has the files of Unix sockets.
    pub(super) leaves_files: AtomicBool,
    pub(super) ended: Mutex<bool>,
    pub(super) ending: Condvar,
    pub(super) streams: Mutex<Streams>,
    pub(super) gone: Condvar,
}

/// Connections by number of arrival.
#[derive(Debug, Default)]
pub(super) struct Streams {
    pub(super) next: u64,
    pub(super) open: BTreeMap<u64, Stream>,
}

/// A volume, and who uses it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) spec: VolumeSpec,
    /// Held while it is attached or detached.
    pub(super) place: Arc<Mutex<Option<Arc<Attached>>>>,
    /// Not within the place, which is held while the volume is attached: limits are set meanwhile too.
    pub(super) limiter: Arc<Limiter>,
    pub(super) sessions: BTreeMap<u64, Identity>,
}

impl Volumes {
    /// Over the folder of volumes; knows none yet.
    pub fn new(dir: &Path, clock: Clock) -> io::Result<Self> {
        Self::with_read_cache(dir, clock, 0)
    }

    /// The same with a cache of so many bytes for what is read again and again.
    pub fn with_read_cache(dir: &Path, clock: Clock, cache_len: u64) -> io::Result<Self> {
        let shared = Shared {
            journals: dir.join("journals"),
            store: Arc::new(ObjectStore::new(&dir.join("store"))),
            read_cache: Arc::new(ReadCache::new(cache_len)),
            workers: Arc::new(Workers::start()?),
            clock,
            entries: Mutex::default(),
            drains: AtomicBool::new(false),
            leaves_files: AtomicBool::new(false),
            ended: Mutex::default(),
            ending: Condvar::new(),
            streams: Mutex::default(),
            gone: Condvar::new(),
        };
        let shared = Arc::new(shared);
        let ticking = Arc::clone(&shared);
        let clock_thread = thread::Builder::new()
            .name("volume-clock".to_owned())
            .spawn(move || ticking.tick())?;
        Ok(Self {
            shared,
            threads: Mutex::new(vec![clock_thread]),
        })
    }

    /// A volume that there is.
    pub fn add(&self, spec: VolumeSpec) {
        self.shared.add(spec);
    }

    /// Makes a new volume's files.
    pub fn create(&self, spec: VolumeSpec) -> Result<(), VolumeError> {
        self.shared.create(&spec)?;
        self.shared.add(spec);
        Ok(())
    }

    /// Ends a volume and deletes what it holds; refused while clients use it.
    pub fn remove(&self, export: &str) -> Result<(), VolumeError> {
        self.shared.remove(export)
    }

    /// Attaches a volume, if it is not.
    pub fn attach(&self, export: &str) -> Result<Arc<Attached>, VolumeError> {
        self.shared.attach(export)
    }

    /// Other limits for a volume, from now on.
    pub fn set_limits(&self, export: &str, limits: VolumeLimits) -> Result<(), VolumeError> {
        self.shared.set_limits(export, limits)
    }

    /// Lets clients in.
    pub fn serve(&self, listener: NbdListener) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let accepting = thread::Builder::new()
            .name("nbd-accept".to_owned())
            .spawn(move || shared.accept(&listener))?;
        self.threads().push(accepting);
        Ok(())
    }

    /// Leaves the files of Unix sockets to a successor.
    pub fn leave_files(&self) {
        self.shared.leaves_files.store(true, Ordering::Release);
    }

    /// Lets nobody in any more, answers what is under way, refuses what comes with ESHUTDOWN, and
    /// detaches all volumes; what is not done by then is cut off after `timeout`.
    pub fn drain(&self, timeout: Duration) {
        let deadline = self.shared.clock.now() + timeout;
        self.shared.drain(deadline);
        for thread in self.threads().drain(..) {
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    pub(super) fn add(&self, spec: VolumeSpec) {
        let entry = Entry {
            place: Arc::default(),
            limiter: Arc::new(Limiter::new(spec.limits)),
            sessions: BTreeMap::new(),
            spec,
        };
        self.entries().insert(entry.spec.export.clone(), entry);
    }

    fn create(&self, spec: &VolumeSpec) -> Result<(), VolumeError> {
        let path = JournalFile::path(&self.journals, spec.id);
        let made = JournalFile::create(&path, spec.journal_len);
        let journal = made.map_err(|error| VolumeError::io(&spec.export, error))?;
        let config = config(spec, &journal);
        let mut disk = self.disk(spec.id, &journal);
        let blocks = spec.size_bytes / BLOCK_LEN as u64;
        let created = volume::create(&config, &spec.export, blocks, &mut disk);
        created.map_err(|error| {
            // Half a volume is of no use to anybody.
            let _ = fs::remove_file(&path);
            VolumeError::open(&spec.export, error)
        })
    }

    pub(super) fn disk<'a>(&'a self, volume: VolumeId, journal: &'a JournalFile) -> Disk<'a> {
        Disk {
            volume,
            store: Objects::new(&self.store, journal.twin()),
            journal,
        }
    }

    pub(super) fn entry<T>(
        &self,
        export: &str,
        look: impl FnOnce(&mut Entry) -> T,
    ) -> Result<T, VolumeError> {
        let mut entries = self.entries();
        let entry = entries.get_mut(export);
        entry
            .map(look)
            .ok_or_else(|| VolumeError::Unknown(export.to_owned()))
    }

    pub(super) fn attach(&self, export: &str) -> Result<Arc<Attached>, VolumeError> {
        let (spec, place) = self.entry(export, |entry| {
            (entry.spec.clone(), Arc::clone(&entry.place))
        })?;
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if self.drains.load(Ordering::Acquire) {
            return Err(VolumeError::Ending);
        }
        if let Some(attached) = &*place {
            return Ok(Arc::clone(attached));
        }
        let attached = self.attach_to(&mut place, &spec, Attach::default())?;
        Ok(attached)
    }

    /// Attaches a volume to its place.
    pub(super) fn attach_to(
        &self,
        place: &mut Option<Arc<Attached>>,
        spec: &VolumeSpec,
        how: Attach,
    ) -> Result<Arc<Attached>, VolumeError> {
        let export = &spec.export[..];
        let begun = self.clock.now();
        let limiter = self.entry(export, |entry| Arc::clone(&entry.limiter))?;
        let path = JournalFile::path(&self.journals, spec.id);
        let journal = self.open_journal(&path);
        let journal = journal.map_err(|error| VolumeError::io(export, error))?;
        let journal = self.with_twin(spec, journal)?;
        let config = Config {
            read_cache: Some(Arc::clone(&self.read_cache)),
            ..config(spec, &journal)
        };
        let opened = volume::open_with(&config, how, &mut self.disk(spec.id, &journal));
        let engine = opened.map_err(|error| VolumeError::open(export, error))?;
        let figures = engine.figures();
        tracing::info!(
            volume = export,
            epoch = engine.epoch(),
            took_ms = u64::try_from(self.clock.now().since(begun).as_millis()).unwrap_or(u64::MAX),
            journal_bytes = figures.journal_used_len,
            stored_blocks = figures.stored_blocks,
            "attached"
        );
        let attached = Arc::new(Attached::new(
            Device::new(engine),
            journal,
            &self.store,
            Arc::clone(&self.workers),
            self.clock,
            limiter,
        ));
        *place = Some(Arc::clone(&attached));
        let size_bytes = attached.size_bytes();
        // What the journal says of the size is newer than what the state does.
        self.entry(export, |entry| entry.spec.size_bytes = size_bytes)?;
        Ok(attached)
    }

    /// Opens a journal, for which a predecessor may need a moment to let go.
    pub(super) fn open_journal(&self, path: &Path) -> io::Result<JournalFile> {
        let deadline = self.clock.now() + LOCK_PATIENCE;
        loop {
            match JournalFile::open(path) {
                Err(error)
                    if error.kind() == io::ErrorKind::WouldBlock && self.clock.now() < deadline =>
                {
                    self.pause();
                }
                opened => return opened,
            }
        }
    }

    fn remove(&self, export: &str) -> Result<(), VolumeError> {
        let (spec, place, clients) = self.entry(export, |entry| {
            let place = Arc::clone(&entry.place);
            (entry.spec.clone(), place, entry.sessions.len())
        })?;
        let mut attached = place.lock().unwrap_or_else(PoisonError::into_inner);
        if clients > 0 {
            let name = export.to_owned();
            return Err(VolumeError::InUse { name, clients });
        }
        self.refuse_with_clones(spec.id, None)?;
        self.entries().remove(export);
        if let Some(volume) = attached.take() {
            // What is under way would be stored behind the deletion.
            volume.settle(self.clock.now() + SETTLE_PATIENCE);
        }
        let io = |error| VolumeError::io(export, error);
        match fs::remove_file(JournalFile::path(&self.journals, spec.id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        twin::note(&self.journals, spec.id, None).map_err(io)?;
        self.read_cache.forget(spec.id);
        self.store.delete_all(spec.id).map_err(io)
    }

    fn set_limits(&self, export: &str, limits: VolumeLimits) -> Result<(), VolumeError> {
        self.entry(export, |entry| {
            entry.spec.limits = limits;
            entry.limiter.set(limits);
        })
    }

    /// All attached volumes.
    pub(super) fn attached(&self) -> Vec<Arc<Attached>> {
        let places: Vec<_> = self
            .entries()
            .values()
            .map(|entry| Arc::clone(&entry.place))
            .collect();
        let attached = places
            .iter()
            .filter_map(|place| place.try_lock().ok().and_then(|place| place.clone()));
        attached.collect()
    }

    fn tick(&self) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        while !*ended {
            let waited = self.ending.wait_timeout(ended, TICK);
            ended = waited.unwrap_or_else(PoisonError::into_inner).0;
            if !*ended {
                drop(ended);
                self.attached().iter().for_each(Attached::tick);
                ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    pub(super) fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn config(spec: &VolumeSpec, journal: &JournalFile) -> Config {
    Config {
        journal_len: journal.len(),
        ..Config::new(spec.id)
    }
}

#[cfg(test)]
#[path = "service_test.rs"]
mod tests;
