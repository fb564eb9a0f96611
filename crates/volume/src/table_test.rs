//! Segments taking effect, and what is counted.

use super::*;
use crate::name::VolumeId;
use crate::segment::Entry;

fn summary(number: u64, changes: &[(u64, Change)]) -> Summary {
    let entries = changes.iter().map(|(block, change)| Entry {
        block: *block,
        change: *change,
    });
    Summary {
        volume: VolumeId(1),
        id: SegmentId { number, epoch: 1 },
        through_seq: number,
        size_blocks: 100,
        whole: true,
        born: number,
        frames_len: 0,
        frames_crc: 0,
        entries: entries.collect(),
    }
}

fn written(unit: u32) -> Change {
    Change::Written { unit }
}

fn moved(unit: u32, number: u64, from_unit: u32) -> Change {
    Change::Moved {
        unit,
        from: SegmentId { number, epoch: 1 },
        from_unit,
    }
}

#[test]
fn moves_yield_to_newer_writes() {
    let (mut map, mut table) = (Map::default(), Table::new(VolumeId(1)));
    let first = summary(
        1,
        &[(10, written(0)), (11, written(65)), (12, written(130))],
    );
    apply(&mut map, &mut table, &first, 100);
    let second = summary(2, &[(11, written(0)), (12, Change::Zero { blocks: 1 })]);
    apply(&mut map, &mut table, &second, 100);
    let third = [
        (10, moved(1, 1, 0)),
        (11, moved(2, 1, 65)),
        (12, moved(3, 1, 130)),
    ];
    apply(&mut map, &mut table, &summary(3, &third), 100);
    let row = |number| {
        let id = SegmentId { number, epoch: 1 };
        table.number_of(id).expect("known")
    };
    let place = |number, unit| {
        Some(Place {
            row: row(number),
            unit,
        })
    };
    assert_eq!(
        [10, 11, 12].map(|block| map.get(block)),
        [place(3, 1), place(2, 0), None]
    );
    let live = |number| table.get(row(number)).expect("known").live;
    assert_eq!([live(1), live(2), live(3)], [0, 1, 1]);
    let usage = table.usage();
    assert_eq!((usage.frames, usage.live, usage.mapped), (4, 2, 2));
    let dead: Vec<u32> = table.dead().map(|(number, _)| number).collect();
    assert_eq!(dead, [row(1)]);
}

#[test]
fn rows_are_used_again_once_their_segment_is_gone() {
    let (mut map, mut table) = (Map::default(), Table::new(VolumeId(1)));
    for number in 1..4 {
        apply(
            &mut map,
            &mut table,
            &summary(number, &[(7, written(0))]),
            100,
        );
    }
    table.remove(0);
    assert_eq!(
        table.number_of(SegmentId {
            number: 1,
            epoch: 1
        }),
        None
    );
    apply(&mut map, &mut table, &summary(4, &[(8, written(0))]), 100);
    assert_eq!(
        table.number_of(SegmentId {
            number: 4,
            epoch: 1
        }),
        Some(0)
    );
    let mut copy = Table::new(VolumeId(1));
    table
        .rows()
        .filter(|(row, _)| *row != 1)
        .for_each(|(row, data)| copy.load(row, data));
    copy.loaded();
    apply(&mut map, &mut copy, &summary(5, &[(9, written(0))]), 100);
    assert_eq!(
        copy.number_of(SegmentId {
            number: 5,
            epoch: 1
        }),
        Some(1)
    );
}
