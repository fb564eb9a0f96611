//! Places are given once, kept over a restart, and taken from whoever is gone for longest.

use super::*;

fn file_of(names: &mut Names, file: &mut Vec<u8>) {
    for (place, record) in names.take_changes() {
        file.resize(file.len().max((place + 1) * NAME_RECORD_LEN), 0);
        file[place * NAME_RECORD_LEN..(place + 1) * NAME_RECORD_LEN].copy_from_slice(&record);
    }
}

#[test]
fn places_survive_a_restart() {
    let (mut names, mut file) = (Names::default(), Vec::new());
    let first = names.places(10, ["a", "b"].into_iter());
    assert_eq!(first, [Some(0), Some(1)]);
    file_of(&mut names, &mut file);
    let mut again = Names::decode(&file);
    assert_eq!(again.places(20, ["b", "c"].into_iter()), [Some(1), Some(2)]);
    assert_eq!(again.find("b"), Some((1, 0)));
    assert_eq!(again.take_changes().len(), 1);
}

#[test]
fn a_record_that_was_cut_off_frees_its_place_alone() {
    let (mut names, mut file) = (Names::default(), Vec::new());
    names.places(10, ["a", "b", "c"].into_iter());
    file_of(&mut names, &mut file);
    file[NAME_RECORD_LEN + 20] ^= 1;
    let names = Names::decode(&file);
    assert_eq!(names.len(), 3);
    assert_eq!(names.iter().collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(names.find("b"), None);
}

#[test]
fn when_all_is_taken_the_one_gone_for_longest_gives_way() {
    let mut names = Names::default();
    let all: Vec<String> = (0..SERIES_MAX).map(|n| format!("s{n}")).collect();
    names.places(10, all.iter().map(String::as_str));
    names.places(20, all.iter().skip(1).map(String::as_str));
    names.take_changes();
    let places = names.places(30, ["new"].into_iter());
    assert_eq!(places, [Some(0)]);
    assert_eq!((names.find("s0"), names.find("new")), (None, Some((0, 30))));
}

#[test]
fn whoever_is_told_now_is_never_put_out() {
    let mut names = Names::default();
    let all: Vec<String> = (0..=SERIES_MAX).map(|n| format!("s{n}")).collect();
    let places = names.places(10, all.iter().map(String::as_str));
    assert_eq!(places.iter().filter(|place| place.is_none()).count(), 1);
    let long = "x".repeat(NAME_LEN_MAX + 1);
    assert_eq!(
        names.places(20, [long.as_str(), ""].into_iter()),
        [None, None]
    );
}
