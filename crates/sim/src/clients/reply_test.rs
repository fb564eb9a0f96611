//! Right answers are known, and every kind of wrong one is told.

use super::{Answer, Own, Result, check};
use crate::clients::group::Mix;
use crate::clients::request::{Asker, Request, shared_key, shared_value};

const ONLY: Mix = Mix {
    get_shared: 0,
    get_own: 0,
    set_own: 0,
    delete_own: 0,
    keys_per_get: 3,
};

fn asker(mix: &Mix) -> Asker<'_> {
    Asker {
        seed: 1,
        client: 5,
        epoch: 1,
        mix,
        value_len: 50,
    }
}

fn reply(mix: &Mix, own: &mut Own, input: &[u8]) -> Answer {
    check(asker(mix), 9, own, input)
}

fn right(len: usize, hits: u32, misses: u32) -> Answer {
    let result = Result {
        hits,
        misses,
        ..Result::default()
    };
    Answer::Right(len, result)
}

fn value(key: &[u8], value: &[u8]) -> Vec<u8> {
    let head = [b"VALUE ", key, b" 0 50\r\n"].concat();
    [&head[..], value, b"\r\n"].concat()
}

/// What a server answers that has these of the keys asked for.
fn shared(has: [bool; 3]) -> Vec<u8> {
    let mix = Mix {
        get_shared: 1,
        ..ONLY
    };
    let Request::GetShared(keys) = asker(&mix).request(9) else {
        panic!("nothing else is in the mix");
    };
    let mut out = Vec::new();
    for (key, has) in keys.zip(has) {
        if has {
            let (mut name, mut bytes) = (Vec::new(), Vec::new());
            shared_key(key, &mut name);
            shared_value(key, 50, &mut bytes);
            out.extend(value(&name, &bytes));
        }
    }
    out.extend(b"END\r\n");
    out
}

#[test]
fn shared_keys_answer_in_their_order() {
    let mix = Mix {
        get_shared: 1,
        ..ONLY
    };
    for has in [
        [true; 3],
        [true, false, true],
        [false; 3],
        [false, true, false],
    ] {
        let whole = shared(has);
        let hits = has.iter().filter(|has| **has).count() as u32;
        for len in 0..whole.len() {
            let part = reply(&mix, &mut None, &whole[..len]);
            assert_eq!(part, Answer::Incomplete, "{len}");
        }
        let more = [&whole[..], b"VALUE next"].concat();
        let answer = reply(&mix, &mut None, &more);
        assert_eq!(answer, right(whole.len(), hits, 3 - hits));
    }
}

#[test]
fn values_of_other_keys_are_wrong() {
    let mix = Mix {
        get_shared: 1,
        ..ONLY
    };
    let (mut name, mut bytes) = (Vec::new(), Vec::new());
    shared_key(1, &mut name);
    shared_value(2, 50, &mut bytes);
    let stranger = [value(&name, &bytes), b"END\r\n".to_vec()].concat();
    assert!(matches!(
        reply(&mix, &mut None, &stranger),
        Answer::Wrong(_)
    ));
    // Twice the same, or in another order.
    let whole = shared([true, false, false]);
    let twice = [&whole[..whole.len() - 5], &whole[..]].concat();
    assert!(matches!(reply(&mix, &mut None, &twice), Answer::Wrong(_)));
    // The right key with another's value.
    let mut forged = whole;
    let at = forged.len() - 10;
    forged[at] = b'!';
    assert!(matches!(reply(&mix, &mut None, &forged), Answer::Wrong(_)));
}

#[test]
fn malformed_values_are_wrong_at_once() {
    let mix = Mix { get_own: 1, ..ONLY };
    for said in [
        &b"VALUE key\r\n"[..],
        b"VALUE key 0 x\r\n",
        b"VALUE key 0 2\r\nabc\r\n",
    ] {
        assert!(matches!(reply(&mix, &mut Some(4), said), Answer::Wrong(_)));
    }
}

#[test]
fn the_own_key_holds_what_was_stored_last() {
    let mix = Mix { get_own: 1, ..ONLY };
    let (mut key, mut bytes) = (Vec::new(), Vec::new());
    asker(&mix).own_key(&mut key);
    asker(&mix).own_value(4, &mut bytes);
    let said = [value(&key, &bytes), b"END\r\n".to_vec()].concat();
    let whole = said.len();
    assert_eq!(reply(&mix, &mut Some(4), &said), right(whole, 1, 0));
    assert!(matches!(reply(&mix, &mut Some(5), &said), Answer::Wrong(_)));
    assert!(matches!(reply(&mix, &mut None, &said), Answer::Wrong(_)));
    assert_eq!(reply(&mix, &mut Some(4), b"END\r\n"), right(5, 0, 1));
    assert!(matches!(
        reply(&mix, &mut Some(4), b"STORED\r\n"),
        Answer::Wrong(_)
    ));
}

#[test]
fn changes_change_what_is_expected() {
    let mix = Mix { set_own: 1, ..ONLY };
    let mut own = Some(3);
    assert_eq!(reply(&mix, &mut own, b"STORED\r\n"), right(8, 0, 0));
    assert_eq!(own, Some(9));
    let refused = Result {
        refused: true,
        ..Result::default()
    };
    let answer = reply(&mix, &mut own, b"NOT_STORED\r\n");
    assert_eq!((answer, own), (Answer::Right(12, refused), None));
    own = Some(3);
    let failed = Result {
        failed: true,
        ..Result::default()
    };
    let answer = reply(&mix, &mut own, b"SERVER_ERROR out of memory\r\n");
    assert_eq!((answer, own), (Answer::Right(28, failed), None));
    assert!(matches!(
        reply(&mix, &mut own, b"END\r\n"),
        Answer::Wrong(_)
    ));
    let mix = Mix {
        delete_own: 1,
        ..ONLY
    };
    own = Some(3);
    assert_eq!(reply(&mix, &mut own, b"DELETED\r\n"), right(9, 0, 0));
    assert_eq!(own, None);
    assert_eq!(reply(&mix, &mut own, b"DELE"), Answer::Incomplete);
}
