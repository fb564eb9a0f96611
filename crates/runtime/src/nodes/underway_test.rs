//! Tests of what is told of something that is not over.

use node_proto::gate::OwnExam;

use super::*;

const BEGAN: Timestamp = Timestamp::from_secs(1000);

fn own() -> Task {
    Task::Own(OwnExam {
        pattern_len: 0,
        disk_writes: 0,
    })
}

#[test]
fn who_has_had_no_processor_yet_says_so() {
    let later = BEGAN + Duration::from_millis(12_500);
    assert_eq!(
        Underway::new(&own(), BEGAN).in_words("mc4", later),
        "mc4 is still trying out its own machine, as it was asked 12.5 s ago: it has had no processor for \
         that yet"
    );
}

#[test]
fn how_long_a_thread_has_run_and_waited_is_told() {
    let way = Task::Pair {
        name: "mc2".to_owned(),
        address: String::new(),
        length: Duration::from_secs(1),
        requests_per_s: 1,
        bytes_per_s: 1,
    };
    let mut underway = Underway::new(&way, BEGAN);
    underway.runs_here();
    let told = underway.in_words("mc4", BEGAN + Duration::from_secs(9));
    let begins =
        "mc4 is still trying out its way to mc2, as it was asked 9.0 s ago: it has run for ";
    assert!(told.starts_with(begins), "{told}");
    assert!(told.ends_with(" s for a processor"), "{told}");
    underway.thread = Some(i32::MAX);
    let told = underway.in_words("mc4", BEGAN);
    assert!(told.ends_with("asked 0.0 s ago"), "{told}");
}
