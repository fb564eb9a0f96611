//! Tests that seven bytes hold a number, its order, and no more room than that.

use super::Ordinal;

#[test]
fn numbers_come_back_in_their_order() {
    let numbers = [0, 1, 255, 256, 1 << 32, (1 << 56) - 1];
    for pair in numbers.windows(2) {
        assert!(Ordinal::new(pair[0]) < Ordinal::new(pair[1]));
    }
    for number in numbers {
        assert_eq!(Ordinal::new(number).get(), number);
        assert_eq!(format!("{:?}", Ordinal::new(number)), number.to_string());
    }
    assert_eq!(Ordinal::new((1 << 56) + 7).get(), 7);
}

#[test]
fn an_enum_of_them_takes_a_word() {
    enum Either {
        _One(Ordinal),
        _Other(Ordinal),
        _Small(u32),
    }
    assert_eq!(size_of::<Either>(), 8);
}
