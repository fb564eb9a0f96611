//! What is made again, and how often.

use super::*;

/// Makes what is said, one after the other; what came of it, and what was told.
fn play(
    is_interrupted: bool,
    said: Vec<Result<u8, DrillError>>,
) -> (Option<u8>, usize, Vec<String>) {
    let (mut said, mut told, mut tries) = (said.into_iter(), Vec::new(), 0);
    let interrupted = AtomicBool::new(is_interrupted);
    let made = up_to_tries(&interrupted, &mut |it| told.push(it.to_owned()), |_| {
        tries += 1;
        said.next().unwrap()
    });
    (made.ok(), tries, told)
}

fn not_up() -> Result<u8, DrillError> {
    Err(DrillError::CannotRun("etcd does not answer".into()))
}

#[test]
fn what_the_machine_did_not_let_come_up_is_tried_again_and_told() {
    let (made, tries, told) = play(false, vec![not_up(), Ok(7)]);
    assert_eq!((made, tries), (Some(7), 2));
    assert_eq!(told, ["once more: etcd does not answer"]);
    let (made, tries, told) = play(false, vec![not_up(), not_up(), not_up()]);
    assert_eq!((made, tries, told.len()), (None, TRIES, 2));
}

#[test]
fn what_no_trying_mends_and_what_nobody_wants_any_more_is_not_tried_again() {
    let (made, tries, _) = play(false, vec![Err(DrillError::Interrupted), Ok(7)]);
    assert_eq!((made, tries), (None, 1));
    let (made, tries, told) = play(true, vec![not_up(), Ok(7)]);
    assert_eq!((made, tries, told.len()), (None, 1, 0));
}
