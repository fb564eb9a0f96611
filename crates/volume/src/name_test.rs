//! Names as text and back.

use super::*;

#[test]
fn names_are_read_back_and_sort_by_number() {
    let id = SegmentId {
        number: 0x1f,
        epoch: 3,
    };
    let name = ObjectName::segment(VolumeId(10), id);
    let text = "volume/000000000000000a/segment/000000000000001f-00000003";
    assert_eq!(name.to_string(), text);
    assert_eq!(ObjectName::parse(text), Some(name));
    assert_eq!(name.segment_id(), id);
    for kind in ObjectKind::ALL {
        let name = ObjectName { kind, ..name };
        assert_eq!(ObjectName::parse(&name.to_string()), Some(name));
    }
}

#[test]
fn what_is_not_ours_is_no_name() {
    for text in [
        "",
        "volume",
        "volume/a/segment/1-1",
        "volume/000000000000000A/segment/000000000000001f-00000003",
        "volume/000000000000000a/segments/000000000000001f-00000003",
        "volume/000000000000000a/segment/000000000000001f-00000003/x",
        "other/000000000000000a/segment/000000000000001f-00000003",
    ] {
        assert_eq!(ObjectName::parse(text), None, "{text}");
    }
}
