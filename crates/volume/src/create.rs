//! New volumes, of zeroes or of what a snapshot has.

use crate::SECTOR_LEN;
use crate::catalogue::Catalogue;
use crate::command::Config;
use crate::journal::file_offset;
use crate::name::{ObjectKind, ObjectName};
use crate::open::{Backing, OpenError, lap_len};
use crate::record::Header;
use crate::root::Root;
use crate::snapshot::Parent;

/// Makes a new volume of zeroes, over whatever the journal's file holds. The label, what people call
/// the volume, is kept in the store for [`Catalogue::read`].
pub fn create(
    config: &Config,
    label: &str,
    size_blocks: u64,
    backing: &mut dyn Backing,
) -> Result<(), OpenError> {
    if size_blocks == 0 || size_blocks > crate::SIZE_BLOCKS_MAX {
        return Err(OpenError::Config);
    }
    begin(
        config,
        Root::new(config.volume, label, size_blocks),
        backing,
    )
}

/// Makes a new volume that shares the objects of a snapshot, and loads nothing but what is read. Costs the
/// same however large it is, but for the list of segments.
pub fn create_clone(
    config: &Config,
    label: &str,
    catalogue: &Catalogue,
    parent: Parent,
    backing: &mut dyn Backing,
) -> Result<(), OpenError> {
    let object = catalogue.object_of(parent).ok_or(OpenError::NoSnapshot)?;
    let bytes = backing.get(object, 0, u64::MAX)?;
    let kept = Root::decode(&bytes).ok_or(OpenError::Damaged(object))?;
    let mut root = Root::new(config.volume, label, kept.size_blocks);
    root.parent = Some(parent);
    root.parts = kept.parts;
    root.rows = kept.rows;
    root.rows.iter_mut().for_each(|(_, row)| row.pins = 0);
    begin(config, root, backing)
}

fn begin(config: &Config, root: Root, backing: &mut dyn Backing) -> Result<(), OpenError> {
    format_journal(config, 0, 1, backing)?;
    let name = ObjectName {
        volume: config.volume,
        kind: ObjectKind::Root,
        number: 0,
        epoch: 0,
    };
    Ok(backing.put(name, &root.encode())?)
}

/// Makes the journal one without records, of which the first will be `next_seq`.
pub(crate) fn format_journal(
    config: &Config,
    epoch: u32,
    next_seq: u64,
    backing: &mut dyn Backing,
) -> Result<Header, OpenError> {
    lap_len(config)?;
    let header = Header {
        volume: config.volume,
        generation: 1,
        tail: 0,
        tail_seq: next_seq,
        epoch,
        durable_seq: next_seq - 1,
    };
    // The first record of an older volume must not pass for one of ours.
    let first = file_offset(0, config.journal_len);
    backing.journal_write(first, &[0; SECTOR_LEN as usize])?;
    backing.journal_sync()?;
    backing.journal_write(0, &header.encode())?;
    backing.journal_sync()?;
    Ok(header)
}
