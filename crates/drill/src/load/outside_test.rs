//! Tests of what is told of others on the machine.

use std::thread;

use super::*;

#[test]
fn a_threads_times_are_the_first_two_words() {
    assert_eq!(
        parse("253029191451 219509539012 271137\n"),
        (253_029_191_451, 219_509_539_012)
    );
    assert_eq!(parse(""), (0, 0));
    assert_eq!(parse("nonsense"), (0, 0));
}

#[test]
fn a_process_that_works_is_told_and_the_one_that_asks_is_not() {
    let mut witness = Witness::new();
    let other = process::Command::new("sh")
        .args([
            "-c",
            "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo; read wait",
        ])
        .stdin(process::Stdio::piped())
        .stdout(process::Stdio::piped())
        .spawn();
    let mut other = other.unwrap();
    let mut line = [0];
    let mut said = other.stdout.take().unwrap();
    std::io::Read::read_exact(&mut said, &mut line).unwrap();
    let outside = witness.end();
    let told = outside.others.iter().find(|it| it.pid == other.id());
    let told = told.expect("it ran");
    assert!(told.ran_ms > 0.1 && told.name == "sh", "{told:?}");
    assert!(outside.others.iter().all(|it| it.pid != process::id()));
    drop(other.stdin.take());
    other.wait().unwrap();
}

#[test]
fn threads_that_have_gone_are_forgotten() {
    let mut witness = Witness::new();
    let count = witness.threads.len();
    thread::scope(|scope| {
        let (held, release) = std::sync::mpsc::channel::<()>();
        scope.spawn(move || release.recv());
        witness.find_threads();
        assert!(witness.threads.len() > count);
        drop(held);
    });
    let outside = witness.end();
    assert!(outside.stolen_ms >= 0.0 && outside.waited_ms >= 0.0);
}
